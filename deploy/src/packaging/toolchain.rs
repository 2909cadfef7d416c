//! Detects the installed build tools. It runs the programs and changes nothing.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;

use super::PackagingError;
use super::target::triple;
use crate::config::Architecture;
use crate::programs::{command, named};

/// The programs that a build needs, by name or path.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) cargo: OsString,
    pub(super) rustc: OsString,
    pub(super) python: OsString,
    pub(super) zig: OsString,
}

impl Programs {
    /// The programs that cargo, and cargo-lambda's search for zig, would find.
    pub(super) fn from_environment() -> Self {
        Self {
            cargo: named("CARGO", "cargo"),
            rustc: named("RUSTC", "rustc"),
            python: named("CARGO_ZIGBUILD_PYTHON_PATH", "python3"),
            zig: named("CARGO_ZIGBUILD_ZIG_PATH", "zig"),
        }
    }
}

/// The detected tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// Cargo's version.
    pub(super) cargo: String,
    /// The triple of this machine.
    pub(super) host: String,
    /// Lambda's processors whose Rust target is installed.
    pub(super) targets: Vec<Architecture>,
    /// cargo-lambda's version; `None` if it is missing.
    pub(super) cargo_lambda: Option<String>,
    /// zig's version; `None` if cargo-lambda would not find it.
    pub(super) zig: Option<String>,
}

impl Toolchain {
    /// Runs `programs` inside `folder`, because a `rust-toolchain.toml` there selects the toolchain.
    ///
    /// # Errors
    /// [`PackagingError::NoCargo`] and [`PackagingError::BrokenToolchain`]: nothing can be built.
    pub(super) async fn detect(programs: &Programs, folder: &Path) -> Result<Self, PackagingError> {
        let (cargo, rustc, arm64, x86_64, cargo_lambda, zig) = tokio::join!(
            ask(&programs.cargo, &["--version"], folder),
            ask(&programs.rustc, &["-vV"], folder),
            has_target(programs, Architecture::Arm64, folder),
            has_target(programs, Architecture::X86_64, folder),
            ask(&programs.cargo, &["lambda", "--version"], folder),
            zig(programs, folder),
        );
        let host = rustc?
            .lines()
            .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
            .ok_or_else(|| PackagingError::BrokenToolchain {
                command: format!("{} -vV", programs.rustc.display()),
                answer: "its output has no host".into(),
            })?;
        let targets = [(Architecture::Arm64, arm64), (Architecture::X86_64, x86_64)];
        let targets = targets.into_iter().filter(|(_, installed)| *installed);
        Ok(Self {
            cargo: version(&cargo?),
            host,
            targets: targets.map(|(architecture, _)| architecture).collect(),
            cargo_lambda: cargo_lambda.ok().map(|answer| version(&answer)),
            zig,
        })
    }

    pub(super) fn has(&self, architecture: Architecture) -> bool {
        self.targets.contains(&architecture)
    }

    /// Whether this machine's own linker links for `architecture`.
    pub(super) fn is_native(&self, architecture: Architecture) -> bool {
        self.host == triple(architecture)
    }
}

/// `cargo 1.95.0 (f2d3ce0bd 2026-03-21)` → `1.95.0`.
fn version(answer: &str) -> String {
    answer
        .split_whitespace()
        .nth(1)
        .unwrap_or(answer.trim())
        .to_owned()
}

/// Whether the standard library for `architecture` is in the compiler's library folder. This works for toolchains with
/// and without rustup.
async fn has_target(programs: &Programs, architecture: Architecture, folder: &Path) -> bool {
    let words = ["--print", "target-libdir", "--target", triple(architecture)];
    let answer = ask(&programs.rustc, &words, folder).await;
    answer.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Searches in cargo-lambda's order: a Python package first, then a program. This must happen first, because
/// cargo-lambda installs zig without asking if it can.
async fn zig(programs: &Programs, folder: &Path) -> Option<String> {
    let as_package = ask(&programs.python, &["-m", "ziglang", "version"], folder).await;
    let answer = match as_package {
        Ok(answer) => answer,
        Err(_) => ask(&programs.zig, &["version"], folder).await.ok()?,
    };
    let version = answer.trim();
    version
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| version.to_owned())
}

/// The output of `program` on success, started in `folder`.
pub(super) async fn ask(
    program: &OsStr,
    words: &[&str],
    folder: &Path,
) -> Result<String, PackagingError> {
    let output = command(program)
        .args(words)
        .current_dir(folder)
        // `cargo run` sets its own package's variable.
        .env_remove("CARGO_MANIFEST_DIR")
        // Python would import a `ziglang` from the folder instead of the package
        // (https://docs.python.org/3/using/cmdline.html).
        .env("PYTHONSAFEPATH", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| PackagingError::NoCargo {
            cargo: program.display().to_string(),
            source,
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(PackagingError::BrokenToolchain {
        command: format!("{} {}", program.display(), words.join(" ")),
        answer: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packaging::sample::{Scripts, nothing};

    /// A rustc for x86_64 whose targets are the folders in `libs`.
    fn rustc(scripts: &Scripts) -> OsString {
        let libs = scripts.folder().join("libs");
        scripts.write(
            "rustc",
            &format!(
                "case $1 in -vV) printf 'rustc 1.95.0\\nhost: x86_64-unknown-linux-gnu\\n';;\n\
                 --print) echo {}/$4;; esac",
                libs.display()
            ),
        )
    }

    async fn detect(programs: &Programs) -> Toolchain {
        Toolchain::detect(programs, Path::new("/")).await.unwrap()
    }

    #[tokio::test]
    async fn every_installed_tool_is_found_with_its_version() {
        let scripts = Scripts::new();
        for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
            std::fs::create_dir_all(scripts.folder().join("libs").join(target)).unwrap();
        }
        let programs = Programs {
            cargo: scripts.write(
                "cargo",
                "case $1 in lambda) echo 'cargo-lambda 1.9.2 (67129fc 2026-08-21Z)';;\n\
                 *) echo 'cargo 1.95.0 (f2d3ce0bd 2026-03-21)';; esac",
            ),
            rustc: rustc(&scripts),
            python: scripts.write(
                "python3",
                "[ \"$*\" = '-m ziglang version' ] && echo 0.17.0",
            ),
            zig: nothing(),
        };
        let found = Toolchain {
            cargo: "1.95.0".into(),
            host: "x86_64-unknown-linux-gnu".into(),
            targets: vec![Architecture::Arm64, Architecture::X86_64],
            cargo_lambda: Some("1.9.2".into()),
            zig: Some("0.17.0".into()),
        };
        assert_eq!(detect(&programs).await, found);
    }

    #[tokio::test]
    async fn missing_tools_are_reported_as_missing() {
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: scripts.write(
                "cargo",
                "case $1 in lambda) echo 'error: no such command: `lambda`' >&2; exit 101;;\n\
                 *) echo 'cargo 1.95.0';; esac",
            ),
            rustc: rustc(&scripts),
            // A python3 without the package.
            python: scripts.write("python3", "echo 'No module named ziglang' >&2; exit 1"),
            zig: nothing(),
        };
        let found = detect(&programs).await;
        assert_eq!(
            (found.cargo_lambda, found.zig, found.targets),
            (None, None, vec![])
        );
    }

    #[tokio::test]
    async fn zig_is_found_as_a_program_too_and_other_programs_are_not() {
        let scripts = Scripts::new();
        let programs = |zig: &str| Programs {
            cargo: scripts.write("cargo", "echo 'cargo 1.95.0'"),
            rustc: rustc(&scripts),
            python: nothing(),
            zig: scripts.write("zig", zig),
        };
        assert_eq!(
            detect(&programs("echo 0.15.1")).await.zig.as_deref(),
            Some("0.15.1")
        );
        assert_eq!(detect(&programs("echo hello")).await.zig, None);
    }

    #[tokio::test]
    async fn without_cargo_the_error_names_cargo() {
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: nothing(),
            rustc: rustc(&scripts),
            python: nothing(),
            zig: nothing(),
        };
        let error = Toolchain::detect(&programs, Path::new("/"))
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("could not start {}", nothing().display())
        );
    }

    #[tokio::test]
    async fn the_message_of_a_broken_toolchain_is_quoted() {
        let scripts = Scripts::new();
        let programs = Programs {
            cargo: scripts.write("cargo", "echo 'cargo 1.95.0'"),
            rustc: scripts.write("rustc", "echo 'no default toolchain' >&2; exit 1"),
            python: nothing(),
            zig: nothing(),
        };
        let error = Toolchain::detect(&programs, Path::new("/"))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.ends_with("rustc -vV` failed: no default toolchain"),
            "{error}"
        );
    }
}
