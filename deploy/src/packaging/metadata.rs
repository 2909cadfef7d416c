//! The output of `cargo metadata`, with the fields that are used here
//! (<https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>).

use std::path::PathBuf;

use serde::Deserialize;

/// What asks for it without what the packages depend on, which takes no network.
pub(super) const WITHOUT_DEPENDENCIES: [&str; 4] =
    ["metadata", "--no-deps", "--format-version", "1"];

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    /// `None` without dependencies.
    pub(super) resolve: Option<Resolve>,
    pub(super) workspace_root: PathBuf,
    pub(super) target_directory: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    /// `None` for a crate on this machine.
    pub(super) source: Option<String>,
    pub(super) targets: Vec<Target>,
}

#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Resolve {
    pub(super) nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) dependencies: Vec<String>,
}
