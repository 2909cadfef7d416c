//! What `cargo metadata` says about this repository (<https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>), with
//! the fields that are used here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::run::{StepError, cargo, root};

#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    /// `None` with `--no-deps`.
    resolve: Option<Resolve>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) repository: Option<String>,
    /// `None` for a package of ours.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) dependencies: Vec<Requirement>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as a manifest states it.
#[derive(Debug, Deserialize)]
pub(crate) struct Requirement {
    pub(crate) name: String,
    pub(crate) req: String,
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

/// A package and what it was resolved to depend on.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) dependencies: Vec<String>,
    #[serde(default)]
    pub(crate) deps: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// Its name in code.
    pub(crate) name: String,
    pub(crate) dep_kinds: Vec<DependencyKind>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DependencyKind {
    /// `dev`, `build`, or `None`.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Of the workspace in `folder`, with `more` options.
    pub(crate) fn read(folder: &Path, more: &[&str]) -> Result<Self, StepError> {
        let output = Command::new(cargo())
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(more)
            .current_dir(folder)
            .output();
        let output = output.map_err(other)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(other(said.trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(other)
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        self.resolve
            .as_ref()
            .map_or(&[], |resolve| &resolve.nodes[..])
    }
}

/// The folders of this repository's workspaces, each with a lock file of its own.
pub(crate) fn workspaces() -> [PathBuf; 2] {
    [root().to_owned(), root().join("fuzz")]
}

fn other(error: impl std::fmt::Display) -> StepError {
    StepError::Other(format!("cargo metadata: {error}"))
}
