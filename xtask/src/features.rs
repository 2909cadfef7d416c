//! Checks that each package compiles alone, with its tests.
//!
//! In a build of the workspace, a package gets the features of dependencies that any other package asks for. A package
//! that does not ask for what it needs then only fails where it is built alone: by `cargo test --package`, by an editor,
//! or by a user of the crate.

use std::process::Command;

use crate::metadata::{Metadata, Package};
use crate::run::{StepError, cargo, finish, root};
use crate::say;

/// Compiles each package of the workspace, or each of `names`, alone: with its default features, and, where it has
/// features, without any and with each one.
pub(crate) fn check(names: &[String]) -> Result<(), StepError> {
    let metadata = Metadata::read(root(), &["--no-deps"])?;
    let is_asked = |package: &&Package| names.is_empty() || names.contains(&package.name);
    let asked: Vec<_> = metadata.packages.iter().filter(is_asked).collect();
    if asked.len() < names.len() {
        let known: Vec<_> = metadata.packages.iter().map(|it| &*it.name).collect();
        let message = format!("not every one is a package: there are {}", known.join(", "));
        return Err(StepError::Other(message));
    }
    let mut failed = Vec::new();
    for package in &asked {
        for features in selections(package) {
            let shown = format!("{} {}", package.name, features.join(" "));
            say(shown.trim_end());
            let mut command = Command::new(cargo());
            command
                .args(["check", "--all-targets", "--locked", "--quiet", "--package"])
                .arg(&package.name)
                .args(&features)
                .current_dir(root());
            let checked = finish(command, "install a Rust toolchain", "cargo check");
            if let Err(StepError::Failed { .. }) = checked {
                failed.push(shown.trim_end().to_owned());
            } else {
                checked?;
            }
        }
    }
    match failed.is_empty() {
        true => {
            say(&format!("{} packages compile alone", asked.len()));
            Ok(())
        }
        false => Err(StepError::Other(format!(
            "these do not compile alone: {}. Add what their sources use to their Cargo.toml, tests' needs to its \
             [dev-dependencies]",
            failed.join(", ")
        ))),
    }
}

/// The options that select features: none, and for a package with features, no feature and each one.
fn selections(package: &Package) -> Vec<Vec<String>> {
    let mut selections = vec![Vec::new()];
    if !package.features.is_empty() {
        selections.push(vec!["--no-default-features".to_owned()]);
    }
    for feature in package.features.keys().filter(|name| *name != "default") {
        let one = ["--no-default-features", "--features", feature];
        selections.push(one.map(str::to_owned).into());
    }
    selections
}
