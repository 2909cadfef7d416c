//! Reads a user's crate by `cargo metadata`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::PackagingError;
use super::limits::MAX_MANIFEST;
use super::metadata::{Metadata, WITHOUT_DEPENDENCIES};
use super::toolchain::Programs;
use crate::reading::text_now;
use crate::stack::few::few;

/// A crate that builds a Lambda bootstrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crate {
    /// An absolute path without links.
    pub(super) folder: PathBuf,
    /// The binary that is the bootstrap.
    pub(super) binary: String,
    /// Profile settings for the build's environment, for crates that do not define them.
    pub(super) profile: Vec<(&'static str, &'static str)>,
    /// The compiler's flags, in the variable that cargo reads; none if the user has set that variable.
    pub(super) flags: Option<(&'static str, String)>,
    /// Further arguments of `cargo build`.
    pub(super) more: Vec<&'static str>,
    /// The profile in place of the settings', to share what the command was built with.
    pub(super) shared: Option<String>,
}

/// The profile of our own handlers, for crates whose workspace has none of that name; as variables
/// (<https://doc.rust-lang.org/cargo/reference/environment-variables.html#configuration-environment-variables>).
pub(super) const PROFILE: &str = "lambda";
const PROFILE_VARIABLES: [(&str, &str); 5] = [
    ("CARGO_PROFILE_LAMBDA_INHERITS", "release"),
    ("CARGO_PROFILE_LAMBDA_OPT_LEVEL", "s"),
    ("CARGO_PROFILE_LAMBDA_LTO", "fat"),
    ("CARGO_PROFILE_LAMBDA_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_LAMBDA_STRIP", "true"),
];

/// Reads the binary of the crate in `folder`, an absolute path, and whether it defines `profile`. With `named`, it is the
/// binary of that name.
///
/// # Errors
/// [`PackagingError`]: it is not a crate, or has no such binary, or several and none is named.
pub(super) async fn read(
    programs: &Programs,
    folder: &Path,
    profile: &str,
    named: Option<&str>,
) -> Result<Crate, PackagingError> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(PackagingError::NotAHandler {
            folder: folder.to_owned(),
            why: "it has no Cargo.toml".into(),
        });
    }
    let metadata = ask(programs, folder).await?;
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let package = metadata
        .packages
        .iter()
        .find(|package| canonical(&package.manifest_path) == canonical(&manifest));
    let binaries: Vec<_> = package
        .into_iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.kind.iter().any(|kind| kind == "bin"))
        .map(|target| target.name.as_str())
        .collect();
    let chosen = match named {
        Some(name) => binaries.iter().copied().find(|binary| *binary == name),
        None if binaries.len() == 1 => Some(binaries[0]),
        None => None,
    };
    if let Some(binary) = chosen {
        return Ok(Crate {
            folder: folder.to_owned(),
            binary: binary.to_owned(),
            profile: variables(&metadata.workspace_root, profile),
            flags: None,
            more: Vec::new(),
            shared: None,
        });
    }
    let why = match (package, &binaries[..], named) {
        (None, ..) => "its Cargo.toml describes a workspace and no package".into(),
        (Some(_), [], _) => "it has no binary".into(),
        (Some(_), all, Some(name)) => {
            format!(
                "it has no binary `{name}`, but {}: `binary` names one of them",
                few(all)
            )
        }
        (Some(_), several, None) => format!(
            "it has {} binaries ({}): name one of them in `binary`",
            several.len(),
            few(several)
        ),
    };
    Err(PackagingError::NotAHandler {
        folder: folder.to_owned(),
        why,
    })
}

/// Empty if the workspace or cargo itself defines the profile.
fn variables(workspace: &Path, profile: &str) -> Vec<(&'static str, &'static str)> {
    let manifest = text_now(&workspace.join("Cargo.toml"), MAX_MANIFEST).unwrap_or_default();
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let is_known = manifest
        .get("profile")
        .is_some_and(|profiles| profiles.get(profile).is_some());
    if profile != PROFILE || is_known {
        return Vec::new();
    }
    PROFILE_VARIABLES.to_vec()
}

async fn ask(programs: &Programs, folder: &Path) -> Result<Metadata, PackagingError> {
    let output = crate::programs::command(&programs.cargo)
        .args(WITHOUT_DEPENDENCIES)
        .current_dir(folder)
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| PackagingError::NoCargo {
            cargo: programs.cargo.display().to_string(),
            source,
        })?;
    let failed = |diagnostics: String| PackagingError::NotBuilt {
        command: "cargo metadata".into(),
        status: output.status,
        diagnostics,
    };
    if !output.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| failed(format!("its output could not be parsed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::sample::{Scripts, nothing, plain_cargo};

    /// The crate that is read from a folder with `files`.
    async fn crate_of(files: &[(&str, &str)]) -> Result<Crate, String> {
        crate_with(files, None).await
    }

    /// The same, where the config names a binary.
    async fn crate_with(files: &[(&str, &str)], named: Option<&str>) -> Result<Crate, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: plain_cargo(&scripts),
            rustc: nothing(),
            python: nothing(),
            zig: nothing(),
        };
        let read = read(&programs, folder.path(), "lambda", named).await;
        read.map_err(|error| {
            error
                .to_string()
                .replace(&*folder.path().to_string_lossy(), "DIR")
        })
    }

    const PACKAGE: (&str, &str) = (
        "Cargo.toml",
        "[package]\nname = \"roll\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
    );
    const MAIN: (&str, &str) = ("src/main.rs", "fn main() {}");

    #[tokio::test]
    async fn the_one_binary_is_found_and_the_profile_is_added() {
        let found = crate_of(&[PACKAGE, MAIN]).await.unwrap();
        assert_eq!(found.binary, "roll");
        assert_eq!(found.profile, PROFILE_VARIABLES);
    }

    #[tokio::test]
    async fn of_several_binaries_the_named_one_is_taken() {
        let files = [PACKAGE, MAIN, ("src/bin/other.rs", "fn main() {}")];
        for name in ["roll", "other"] {
            assert_eq!(crate_with(&files, Some(name)).await.unwrap().binary, name);
        }
        let refused = crate_with(&files, Some("third")).await.unwrap_err();
        assert_eq!(
            refused,
            "the folder DIR does not contain a handler's crate: it has no binary `third`, but other, roll: `binary` names one of \
             them"
        );
    }

    #[tokio::test]
    async fn a_profile_of_the_crate_is_not_overridden() {
        let manifest = format!("{}[profile.lambda]\ninherits = \"release\"\n", PACKAGE.1);
        let found = crate_of(&[("Cargo.toml", &manifest), MAIN]).await.unwrap();
        assert_eq!(found.profile, []);
    }

    #[tokio::test]
    async fn a_crate_without_one_binary_is_refused_with_the_reason() {
        let refused = async |files: &[(&str, &str)]| crate_of(files).await.unwrap_err();
        let end = |why: &str| format!("the folder DIR does not contain a handler's crate: {why}");
        assert_eq!(refused(&[]).await, end("it has no Cargo.toml"));
        assert_eq!(
            refused(&[PACKAGE, ("src/lib.rs", "")]).await,
            end("it has no binary")
        );
        assert_eq!(
            refused(&[PACKAGE, MAIN, ("src/bin/other.rs", "fn main() {}")]).await,
            end("it has 2 binaries (other, roll): name one of them in `binary`")
        );
        assert_eq!(
            refused(&[("Cargo.toml", "[workspace]\n")]).await,
            end("its Cargo.toml describes a workspace and no package")
        );
        let broken = refused(&[("Cargo.toml", "[package]\nnam = 1\n")]).await;
        assert!(
            broken.starts_with("`cargo metadata` failed (exit status: 101)"),
            "{broken}"
        );
    }
}
