//! Finds dependencies that no source uses.
//!
//! A check of our own, because a tool would have to be built first. Cargo provides the names of dependencies in code;
//! this looks for `name::` and `use name`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::run::{StepError, cargo, root};
use crate::say;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// Its name in code.
    name: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `dev`, `build`, or `None`.
    kind: Option<String>,
}

/// Lists every dependency of the workspace that no source of its package uses, and every one that the workspace
/// declares but no package uses.
pub(crate) fn check() -> Result<(), StepError> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output();
    let output = output.map_err(|error| StepError::Other(format!("cargo metadata: {error}")))?;
    if !output.status.success() {
        return Err(StepError::Failed {
            what: "cargo metadata --locked".into(),
        });
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| StepError::Other(format!("cargo metadata: {error}")))?;
    let ours = metadata.packages.iter().filter(|it| it.source.is_none());
    let (mut checked, mut faults) = (0, Vec::new());
    let mut manifests = Vec::new();
    for package in ours {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
        let node = metadata.resolve.nodes.iter().find(|it| it.id == package.id);
        let dependencies = node.map(|node| &node.deps[..]).unwrap_or_default();
        let sources = Sources::read(folder)?;
        checked += dependencies.len();
        faults.extend(unused(&package.name, dependencies, &sources));
        manifests.push(text(&package.manifest_path)?);
    }
    faults.extend(not_taken(&text(&root().join("Cargo.toml"))?, &manifests)?);
    say(&format!(
        "unused: {checked} dependencies, {} not used",
        faults.len()
    ));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(StepError::Other(faults.join("\n"))),
    }
}

/// A package's code, by the dependencies that it may use.
#[derive(Default)]
struct Sources {
    /// The code of the product.
    product: String,
    build_script: String,
    /// Tests, examples and benchmarks.
    tests: String,
}

impl Sources {
    fn read(folder: &Path) -> Result<Self, StepError> {
        let mut sources = Self::default();
        for file in rust_files(folder)? {
            let code = code(&text(&file)?);
            let inside = file.strip_prefix(folder).unwrap_or(&file);
            let place = if inside.starts_with("src") {
                &mut sources.product
            } else if inside == Path::new("build.rs") {
                &mut sources.build_script
            } else {
                &mut sources.tests
            };
            place.push_str(&code);
        }
        Ok(sources)
    }
}

/// The dependencies of `package` that no code uses.
fn unused(package: &str, dependencies: &[Dependency], sources: &Sources) -> Vec<String> {
    let mut faults = Vec::new();
    for Dependency { name, dep_kinds } in dependencies {
        let kinds: BTreeSet<_> = dep_kinds.iter().map(|it| it.kind.as_deref()).collect();
        for kind in kinds {
            let (is_used, section) = match kind {
                Some("dev") => (
                    // Tests are also among the product's sources.
                    names(&sources.tests, name) || names(&sources.product, name),
                    "dev-dependency",
                ),
                Some("build") => (names(&sources.build_script, name), "build-dependency"),
                _ => (names(&sources.product, name), "dependency"),
            };
            if !is_used {
                faults.push(format!("{package} does not use its {section} `{name}`"));
            }
        }
    }
    faults
}

/// Dependencies of the workspace's manifest that none of `manifests` uses.
fn not_taken(workspace: &str, manifests: &[String]) -> Result<Vec<String>, StepError> {
    let table = |text: &str| {
        text.parse::<toml::Table>()
            .map_err(|error| StepError::Other(format!("Cargo.toml: {error}")))
    };
    let mut taken = BTreeSet::new();
    for manifest in manifests {
        let manifest = table(manifest)?;
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let section = manifest.get(section).and_then(toml::Value::as_table);
            taken.extend(section.into_iter().flat_map(|it| it.keys().cloned()));
        }
    }
    let workspace = table(workspace)?;
    let declared = workspace
        .get("workspace")
        .and_then(|it| it.get("dependencies"));
    let declared = declared.and_then(toml::Value::as_table).into_iter();
    let declared = declared.flat_map(|it| it.keys());
    let unused = declared.filter(|name| !taken.contains(*name));
    Ok(unused
        .map(|name| format!("the workspace declares `{name}`, but no package uses it"))
        .collect())
}

/// Whether `code` uses the crate `name`: at the beginning of a path, or in a `use` or `extern crate`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        if before.ends_with(is_part) || after.starts_with(is_part) {
            return false;
        }
        // `other::name::` is a module of another crate; `::name::` is the crate.
        let outer = before.strip_suffix("::").unwrap_or("");
        if outer.ends_with(is_part) || outer.ends_with('>') {
            return false;
        }
        let before = before.trim_end_matches("::").trim_end();
        let is_use = |word: &str| before.ends_with(word);
        after.starts_with("::") || is_use("use") || is_use("extern crate")
    })
}

/// `text` without comments: a crate that only appears in comments is not used.
fn code(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The Rust files below `folder`, except those of packages inside it.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, StepError> {
    let unreadable = |error| StepError::Other(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            let is_other = path.join("Cargo.toml").exists() || path.ends_with("target");
            if !is_other {
                files.extend(rust_files(&path)?);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

fn text(path: &Path) -> Result<String, StepError> {
    std::fs::read_to_string(path)
        .map_err(|error| StepError::Other(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_used_by_a_path_or_a_use_and_not_by_a_word_or_a_comment() {
        for used in [
            "use time;",
            "use time::Duration;",
            "    let now = time::now();",
            "#[time::main]",
            "extern crate time;",
            "use ::time::Duration;",
            "pub use time as clock;",
            "Vec<time::Date>",
        ] {
            assert!(names(used, "time"), "{used}");
        }
        for unused in [
            "let time = 1;",
            "use std::time::Duration;",
            "tokio::time::sleep(time)",
            "use times::x;",
            "mod time {}",
            "use my_time::x;",
        ] {
            assert!(!names(unused, "time"), "{unused}");
        }
        assert!(!names(
            &code("// see time::now\n    /// [`time::Date`]\n"),
            "time"
        ));
    }

    fn dependency(name: &str, kinds: &[Option<&str>]) -> Dependency {
        let kinds = kinds.iter().map(|kind| DependencyKind {
            kind: kind.map(str::to_owned),
        });
        Dependency {
            name: name.to_owned(),
            dep_kinds: kinds.collect(),
        }
    }

    #[test]
    fn each_kind_of_dependency_must_be_used_where_it_can_be() {
        let sources = Sources {
            product: "use hyper::Uri;\nuse proptest::prelude::*;".to_owned(),
            build_script: "fn main() { cc::Build::new() }".to_owned(),
            tests: "use tempfile::tempdir; use serde_json::json;".to_owned(),
        };
        let dependencies = [
            dependency("hyper", &[None]),
            dependency("cc", &[Some("build")]),
            dependency("proptest", &[Some("dev")]),
            dependency("tempfile", &[Some("dev")]),
            dependency("serde_json", &[None, Some("dev")]),
            dependency("trycmd", &[Some("dev")]),
        ];
        assert_eq!(
            unused("app", &dependencies, &sources),
            [
                "app does not use its dependency `serde_json`",
                "app does not use its dev-dependency `trycmd`",
            ]
        );
    }

    #[test]
    fn dependencies_of_the_workspace_must_be_used_by_a_package() {
        let workspace = "[workspace.dependencies]\nserde = \"1\"\ntrycmd = \"1\"\nhyper = { version = \"1\" }\n";
        let one = "[dependencies]\nserde.workspace = true\n".to_owned();
        let other = "[dev-dependencies]\nhyper = { workspace = true }\n".to_owned();
        assert_eq!(
            not_taken(workspace, &[one, other]).unwrap(),
            ["the workspace declares `trycmd`, but no package uses it"]
        );
    }

    #[test]
    fn every_dependency_of_this_workspace_is_used() {
        check().unwrap();
    }
}
