//! Builds the command and the handlers for other machines, without any path of the building machine.
//!
//! `cargo build` puts the paths of dependencies' sources into panics. A binary for other machines must not contain them.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::cross::{self, Processor};
use crate::run::{StepError, at, cargo, finish, root, target};
use crate::say;

/// A program of this workspace, and how it is built for others.
#[derive(Debug, Clone, Copy)]
struct Program {
    package: &'static str,
    binary: &'static str,
    profile: &'static str,
}

const COMMAND: Program = Program {
    package: "chatctl",
    binary: "chatctl",
    profile: "release",
};

const HANDLERS: Program = Program {
    package: "chat-lambdas",
    binary: "chat",
    profile: "lambda",
};

/// Builds both for this machine into `target/handed-on`, and prints their digests.
pub(crate) fn build() -> Result<(), StepError> {
    for program in [COMMAND, HANDLERS] {
        let path = program.build(None)?;
        let bytes = std::fs::read(&path).map_err(|error| at(&path, error))?;
        let digest = hex::encode(Sha256::digest(&bytes));
        say(&format!("{digest}  {}", path.display()));
    }
    Ok(())
}

/// Builds the command, as it is distributed, for this machine's system; on Linux for an old glibc.
pub(crate) fn command() -> Result<PathBuf, StepError> {
    let program = Program {
        profile: "dist",
        ..COMMAND
    };
    program.build(own_processor())
}

/// Builds the handlers as Lambda runs them.
pub(crate) fn handlers(processor: Processor) -> Result<PathBuf, StepError> {
    HANDLERS.build(Some(processor))
}

/// Builds the handlers for this machine's system, where that is not Lambda's.
pub(crate) fn local_handlers() -> Result<PathBuf, StepError> {
    HANDLERS.build(None)
}

/// The processor of this machine, where Linux runs on it.
fn own_processor() -> Option<Processor> {
    Processor::ALL
        .into_iter()
        .find(|processor| processor.triple() == SYSTEM)
}

/// The target of this program, which is the machine's.
pub(crate) const SYSTEM: &str = env!("XTASK_TARGET");

impl Program {
    /// Builds it for Linux on `processor`, else for this machine; checks that it contains no path of the machine.
    fn build(self, processor: Option<Processor>) -> Result<PathBuf, StepError> {
        let target = target().join("handed-on");
        let folders = folders(&target);
        let mut command = match processor {
            Some(processor) => cross::build(processor)?,
            None => {
                let mut command = Command::new(cargo());
                command.arg("build");
                command
            }
        };
        command
            .args(["--locked", "--package", self.package, "--bin", self.binary])
            .args(["--profile", self.profile, "--target-dir"])
            .arg(&target)
            .current_dir(root())
            .env("CARGO_ENCODED_RUSTFLAGS", flags(&folders))
            .env("CFLAGS", c_flags(&folders));
        finish(command, "install a Rust toolchain", "cargo build")?;
        let place = match processor {
            Some(processor) => target.join(processor.triple()),
            None => target,
        };
        let path = place.join(self.profile).join(self.binary);
        let bytes = std::fs::read(&path).map_err(|error| at(&path, error))?;
        if let Some(named) = folders.iter().find(|(folder, _)| names(&bytes, folder)) {
            let what = format!("{} names {}", path.display(), named.0.display());
            return Err(StepError::Other(what));
        }
        Ok(path)
    }
}

/// Folders of this machine, and what stands for each in a program for others. The last match counts.
fn folders(target: &Path) -> Vec<(PathBuf, &'static str)> {
    let home = std::env::home_dir();
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(home.as_ref()?.join(".cargo")));
    let folders = [
        (home, "/home"),
        (cargo_home, "/cargo"),
        (Some(root().to_owned()), "/source"),
        (Some(target.to_owned()), "/target"),
    ];
    let folders = folders.map(|(folder, instead)| (folder.unwrap_or_default(), instead));
    folders
        .into_iter()
        .filter(|(folder, _)| folder.parent().is_some())
        .collect()
}

/// rustc's flags; the environment's own flags come last.
fn flags(folders: &[(PathBuf, &str)]) -> String {
    let ours = folders
        .iter()
        .map(|(folder, instead)| format!("--remap-path-prefix={}={instead}", folder.display()));
    let encoded = std::env::var("CARGO_ENCODED_RUSTFLAGS").ok();
    let plain = || {
        std::env::var("RUSTFLAGS")
            .ok()
            .map(|flags| flags.split_whitespace().collect::<Vec<_>>().join("\x1f"))
    };
    let given = encoded.or_else(plain).filter(|flags| !flags.is_empty());
    ours.chain(given).collect::<Vec<_>>().join("\x1f")
}

/// The same for the C compiler.
fn c_flags(folders: &[(PathBuf, &str)]) -> String {
    let given = std::env::var("CFLAGS").ok();
    let ours = folders
        .iter()
        .map(|(folder, instead)| format!("-ffile-prefix-map={}={instead}", folder.display()));
    given.into_iter().chain(ours).collect::<Vec<_>>().join(" ")
}

fn names(bytes: &[u8], folder: &Path) -> bool {
    let inside = format!("{}/", folder.display());
    bytes
        .windows(inside.len())
        .any(|window| window == inside.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_that_contains_a_folder_s_path_is_found_and_a_longer_name_is_another_folder() {
        let folder = Path::new("/home/ann");
        assert!(names(b"at /home/ann/.cargo/x.rs:3", folder));
        assert!(!names(b"at /home/anna/x.rs:3", folder));
    }
}
