//! Builds the command and the handlers for other machines, without any path of the building machine.
//!
//! `cargo build` puts the paths of sources into panics, and the clone's own path into the command, which builds the
//! handlers there. A binary for other machines must contain neither.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::run::{StepError, cargo, finish, root};
use crate::{say, zipped};

/// Packages, their binaries and their profiles.
const BINARIES: [(&str, &str, &str); 2] = [
    ("chatctl", "chatctl", "release"),
    ("chat-lambdas", "chat", "lambda"),
];

/// Builds both into `target/handed-on`, prints their digests, and checks that they contain no path.
pub(crate) fn build() -> Result<(), StepError> {
    let target = root().join("target/handed-on");
    let home = std::env::home_dir();
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(home.as_ref()?.join(".cargo")));
    // The last match counts.
    let folders = [
        (home, "/home"),
        (cargo_home, "/cargo"),
        (Some(root().to_owned()), "/source"),
        (Some(target.clone()), "/target"),
    ];
    let folders = folders.map(|(folder, instead)| (folder.unwrap_or_default(), instead));
    let folders: Vec<_> = folders
        .into_iter()
        .filter(|(folder, _)| folder.parent().is_some())
        .collect();
    for (package, binary, profile) in BINARIES {
        let mut command = Command::new(cargo());
        command
            .args(["build", "--locked", "--package", package, "--bin", binary])
            .args(["--profile", profile, "--target-dir"])
            .arg(&target)
            .current_dir(root())
            .env("CARGO_ENCODED_RUSTFLAGS", flags(&folders))
            .env("CFLAGS", c_flags(&folders))
            .env("CHATCTL_WITHOUT_CLONE", "1");
        finish(command, "install a Rust toolchain", "cargo build")?;
        let path = target.join(profile).join(binary);
        let bytes = std::fs::read(&path)
            .map_err(|error| StepError::Other(format!("{}: {error}", path.display())))?;
        if let Some(named) = folders.iter().find(|(folder, _)| names(&bytes, folder)) {
            let what = format!("{} names {}", path.display(), named.0.display());
            return Err(StepError::Other(what));
        }
        if profile == "lambda" {
            zipped::check(&path)?;
        }
        let digest = hex::encode(Sha256::digest(&bytes));
        say(&format!("{digest}  {}", path.display()));
    }
    Ok(())
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
