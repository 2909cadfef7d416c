//! Builds our handlers for this machine from what the command itself was built from.
//!
//! In a clone, `cargo run -- deploy --local` has just compiled nearly everything that the handlers consist of. Another
//! profile or other features would compile all of it again, so the command's package has a binary with the handlers,
//! and it is built with the profile of the command that runs.

use std::path::Path;

use super::installed::BESIDE;
use super::manifest::{Crate, PROFILE};
use super::metadata::{Metadata, WITHOUT_DEPENDENCIES};
use super::owner::canonical;
use super::toolchain::{Programs, ask};

/// The command's package.
const PACKAGE: &str = "chatctl";

/// The build of `source`, our crate, that shares most with the command: `source` itself if the command that runs was
/// built elsewhere, or if another profile is wanted.
pub(super) async fn with_the_command(programs: &Programs, source: Crate, wanted: &str) -> Crate {
    match std::env::current_exe() {
        Ok(command) => with(programs, &source, wanted, &canonical(&command))
            .await
            .unwrap_or(source),
        Err(_) => source,
    }
}

async fn with(programs: &Programs, source: &Crate, wanted: &str, command: &Path) -> Option<Crate> {
    let folder = command.parent()?;
    // Cargo's folder for the profile `dev` has another name.
    let profile = folder.file_name()?.to_str()?.replace("debug", "dev");
    if wanted != PROFILE && wanted != profile {
        return None;
    }
    let metadata = ask(&programs.cargo, &WITHOUT_DEPENDENCIES, &source.folder)
        .await
        .ok()?;
    let metadata: Metadata = serde_json::from_str(&metadata).ok()?;
    let package = metadata.packages.iter().find(|it| it.name == PACKAGE)?;
    let has_it = package.targets.iter().any(|target| target.name == BESIDE);
    let is_here = canonical(&metadata.target_directory) == folder.parent()?;
    (has_it && is_here).then(|| Crate {
        binary: BESIDE.into(),
        more: vec!["--package", PACKAGE],
        shared: Some(profile),
        ..source.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::sample::{Scripts, ours, plain_cargo};

    /// A clone with the command's package and ours.
    fn clone(binary: &str) -> (tempfile::TempDir, Crate) {
        let clone = tempfile::tempdir().unwrap();
        let root = canonical(clone.path());
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"cli\", \"lambdas\"]\n",
        );
        let package = |name: &str, binary: &str| {
            format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                 [[bin]]\nname = \"{binary}\"\npath = \"src/main.rs\"\n"
            )
        };
        write("cli/Cargo.toml", &package("chatctl", binary));
        write("lambdas/Cargo.toml", &package("chat-lambdas", "chat"));
        for name in ["cli", "lambdas"] {
            write(&format!("{name}/src/main.rs"), "fn main() {}");
        }
        let source = ours(&root.join("lambdas"));
        (clone, source)
    }

    #[tokio::test]
    async fn a_command_from_the_clone_s_own_target_folder_builds_them_with_its_own_profile() {
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: plain_cargo(&scripts),
            ..Programs::from_environment()
        };
        let (clone, source) = clone(BESIDE);
        let root = canonical(clone.path());
        let target = root.join("target");
        std::fs::create_dir(&target).unwrap();
        for (folder, wanted, profile) in [
            ("target/release", "lambda", Some("release")),
            ("target/debug", "lambda", Some("dev")),
            ("target/debug", "dev", Some("dev")),
            ("target/release", "dev", None),
            ("elsewhere/release", "lambda", None),
        ] {
            let command = root.join(folder).join("chatctl");
            let found = with(&programs, &source, wanted, &command).await;
            let found = found.map(|found| {
                assert_eq!(
                    (&*found.binary, found.more),
                    (BESIDE, vec!["--package", "chatctl"])
                );
                found.shared.unwrap()
            });
            assert_eq!(found.as_deref(), profile, "{folder} {wanted}");
        }
    }

    #[tokio::test]
    async fn a_workspace_without_that_binary_builds_its_own_crate() {
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: plain_cargo(&scripts),
            ..Programs::from_environment()
        };
        let (clone, source) = clone("chatctl");
        let command = canonical(clone.path()).join("target/release/chatctl");
        let found = with(&programs, &source, "lambda", &command).await;
        assert_eq!(found, None);
    }
}
