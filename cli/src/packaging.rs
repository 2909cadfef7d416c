//! Builds the handlers. One crate, one binary, for every function and every target.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::config::Settings;
use crate::engine::{DeployEvent, Reporter};

/// The handlers' package and binary.
const PACKAGE: &str = "chat-lambdas";
const BINARY: &str = "chat";

/// An executable that Lambda's `provided` runtimes can start, and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Artifact {
    pub(crate) executable: PathBuf,
    /// SHA-256 of the bytes, hexadecimal.
    pub(crate) digest: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackagingError {
    #[error("found no handlers: no crate `{PACKAGE}` in {} or above it", .searched.display())]
    NoCrate { searched: PathBuf },
    #[error("{} has no Cargo.toml, so it is not the handlers' crate", .folder.display())]
    NotACrate { folder: PathBuf },
    #[error("could not start {cargo}")]
    NoCargo {
        cargo: String,
        source: std::io::Error,
    },
    #[error("the handlers do not compile\n\n{diagnostics}")]
    Compile { diagnostics: String },
    #[error("cargo built no binary `{BINARY}` in {}", .folder.display())]
    NoBinary { folder: PathBuf },
    #[error("could not read the handlers at {}", .path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Makes the artifact: takes `prebuilt` (an executable, or a folder that holds `bootstrap`), else builds the crate.
///
/// # Errors
/// [`PackagingError`]; a compiler's own words are in [`PackagingError::Compile`], unchanged.
pub(crate) async fn package(
    settings: &Settings,
    prebuilt: Option<&Path>,
    reporter: &mut impl Reporter,
) -> Result<Artifact, PackagingError> {
    let executable = match prebuilt {
        Some(folder) if folder.is_dir() => folder.join("bootstrap"),
        Some(file) => file.to_owned(),
        None => build(&find_crate(settings)?, &settings.handlers.profile, reporter).await?,
    };
    let bytes = std::fs::read(&executable).map_err(|source| PackagingError::Unreadable {
        path: executable.clone(),
        source,
    })?;
    Ok(Artifact {
        executable,
        digest: hex(&Sha256::digest(&bytes)),
        size: bytes.len() as u64,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The crate that the config names; else `lambdas` beside or above the config; else the one that this very
/// binary was built beside.
fn find_crate(settings: &Settings) -> Result<PathBuf, PackagingError> {
    if let Some(folder) = &settings.handlers.path {
        return if folder.join("Cargo.toml").is_file() {
            Ok(folder.clone())
        } else {
            Err(PackagingError::NotACrate {
                folder: folder.clone(),
            })
        };
    }
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let start = std::path::absolute(&settings.folder).unwrap_or_else(|_| settings.folder.clone());
    start
        .ancestors()
        .chain(built_from)
        .map(|folder| folder.join("lambdas"))
        .find(|folder| is_ours(&folder.join("Cargo.toml")))
        .ok_or(PackagingError::NoCrate {
            searched: start.clone(),
        })
}

fn is_ours(manifest: &Path) -> bool {
    std::fs::read_to_string(manifest)
        .is_ok_and(|text| text.contains(&format!("name = \"{PACKAGE}\"")))
}

/// One line of cargo's `--message-format json`, as far as it matters here.
#[derive(Deserialize)]
struct CargoMessage {
    reason: String,
    target: Option<CargoTarget>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct CargoTarget {
    name: String,
    kind: Vec<String>,
}

/// Builds the crate in `folder` and answers where the binary is.
async fn build(
    folder: &Path,
    profile: &str,
    reporter: &mut impl Reporter,
) -> Result<PathBuf, PackagingError> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut child = tokio::process::Command::new(&cargo)
        .args([
            "build",
            "--bin",
            BINARY,
            "--profile",
            profile,
            "--message-format",
            "json-render-diagnostics",
        ])
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        // `cargo run` passes its own package's variables on; they must not leak into another build.
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| PackagingError::NoCargo {
            cargo: cargo.clone(),
            source,
        })?;
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let mut stderr = child.stderr.take().expect("stderr is piped");
    // Read while the build runs: a full pipe would stop it.
    let diagnostics = tokio::spawn(async move {
        let mut text = Vec::new();
        stderr
            .read_to_end(&mut text)
            .await
            .map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let mut executable = None;
    let mut count = 0;
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(message) = serde_json::from_str::<CargoMessage>(&line) else {
            continue;
        };
        let (true, Some(target)) = (message.reason == "compiler-artifact", message.target) else {
            continue;
        };
        count += 1;
        if target.name == BINARY && target.kind.iter().any(|kind| kind == "bin") {
            executable = message.executable;
        }
        reporter.report(&DeployEvent::Compiling {
            unit: target.name,
            count,
        });
    }
    let status = child
        .wait()
        .await
        .map_err(|source| PackagingError::NoCargo { cargo, source })?;
    if !status.success() {
        let diagnostics = diagnostics
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default();
        return Err(PackagingError::Compile {
            diagnostics: without_progress(&diagnostics),
        });
    }
    executable.ok_or_else(|| PackagingError::NoBinary {
        folder: folder.to_owned(),
    })
}

/// Cargo's words without the lines that only say what it is at.
fn without_progress(text: &str) -> String {
    let is_progress = |line: &&str| {
        let word = line.split_whitespace().next().unwrap_or_default();
        matches!(
            word,
            "Compiling"
                | "Checking"
                | "Downloading"
                | "Downloaded"
                | "Updating"
                | "Blocking"
                | "Locking"
        )
    };
    text.lines()
        .filter(|line| !is_progress(line))
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    struct Silent;
    impl Reporter for Silent {
        fn report(&mut self, _event: &DeployEvent) {}
    }

    fn settings(toml: &str) -> (tempfile::TempDir, Settings) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
        let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
        (folder, settings)
    }

    /// A crate of our name, in a workspace of its own, with `main` as its only source.
    fn write_crate(folder: &Path, main: &str) {
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = "[package]\nname = \"chat-lambdas\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                        [[bin]]\nname = \"chat\"\npath = \"src/main.rs\"\n[workspace]\n";
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/main.rs"), main).unwrap();
    }

    #[tokio::test]
    async fn unchanged_sources_give_the_same_digest() {
        let (folder, settings) = settings("[handlers]\npath = \"mine\"\nprofile = \"dev\"\n");
        write_crate(&folder.path().join("mine"), "fn main() {}");
        let first = package(&settings, None, &mut Silent).await.unwrap();
        let second = package(&settings, None, &mut Silent).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(first.digest.len(), 64);
    }

    #[tokio::test]
    async fn a_compile_error_is_shown_as_the_compiler_shows_it() {
        let (folder, settings) = settings("[handlers]\npath = \"mine\"\nprofile = \"dev\"\n");
        write_crate(&folder.path().join("mine"), "fn main() { missing() }");
        let error = package(&settings, None, &mut Silent)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("cannot find function `missing`"), "{error}");
        assert!(!error.contains("Compiling"), "{error}");
    }

    #[tokio::test]
    async fn a_folder_that_is_no_crate_is_refused_by_its_name() {
        let (_folder, settings) = settings("[handlers]\npath = \"nowhere\"\n");
        let error = package(&settings, None, &mut Silent).await.unwrap_err();
        assert!(matches!(error, PackagingError::NotACrate { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_prebuilt_folder_must_hold_bootstrap() {
        let (folder, settings) = settings("");
        let error = package(&settings, Some(folder.path()), &mut Silent)
            .await
            .unwrap_err();
        assert!(error.to_string().ends_with("bootstrap"), "{error}");
        std::fs::write(folder.path().join("bootstrap"), "x").unwrap();
        assert_eq!(
            package(&settings, Some(folder.path()), &mut Silent)
                .await
                .unwrap()
                .size,
            1
        );
    }
}
