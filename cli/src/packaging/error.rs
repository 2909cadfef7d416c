//! Why there are no handlers, and what the reader can do.

use std::path::PathBuf;
use std::process::ExitStatus;

use super::elf::Unfit;
use super::toolchain::triple;
use super::{BINARY, MOST_CODE, PACKAGE};
use crate::config::Architecture;
use crate::engine::{Refusal, TargetError};

/// Why there are no handlers.
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
    #[error("`{command}` failed: {answer}")]
    BrokenToolchain { command: String, answer: String },
    #[error("cargo-lambda is missing, and only it can build for {} here", .architecture.word())]
    NoCargoLambda {
        architecture: Architecture,
        /// What can be built without it.
        native: Option<Architecture>,
    },
    #[error("zig is missing, and cargo-lambda needs it to link for {} here", .architecture.word())]
    NoZig {
        architecture: Architecture,
        /// What can be built without it.
        native: Option<Architecture>,
    },
    #[error("the Rust target {} is not installed", triple(*.architecture))]
    NoTarget { architecture: Architecture },
    #[error("the handlers do not compile\n\n{diagnostics}")]
    Compile { diagnostics: String },
    #[error("`{command}` failed ({status})\n\n{diagnostics}")]
    NotBuilt {
        command: String,
        status: ExitStatus,
        diagnostics: String,
    },
    #[error("the build succeeded and left no binary `{BINARY}` of the crate in {}", .folder.display())]
    NoBinary { folder: PathBuf },
    #[error("could not make a temporary folder for the build")]
    NoRoom { source: std::io::Error },
    #[error("could not read the handlers at {}", .path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the handlers at {} have {size} bytes, and Lambda takes {MOST_CODE}", .path.display())]
    TooBig { path: PathBuf, size: u64 },
    #[error("Lambda cannot run {what}: {why}")]
    Unfit { what: String, why: Unfit },
}

impl PackagingError {
    /// What the reader can do.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoCrate { .. } | Self::NotACrate { .. } => {
                "set `path` under `[handlers]` in chatctl.toml, or pass a built one with `--handlers FILE`"
            }
            Self::NoCargo { .. } | Self::BrokenToolchain { .. } => {
                "install or repair the Rust toolchain, or pass built handlers with `--handlers FILE`"
            }
            Self::NoCargoLambda { native, .. } => {
                let install = "`pip install cargo-lambda` brings it and zig, `cargo install cargo-lambda` it alone";
                return Some(format!("{install}{}", or_native(*native)));
            }
            Self::NoZig { native, .. } => {
                let install = "`pip install ziglang`, for the python3 on PATH, or put `zig` on PATH (ziglang.org/download)";
                return Some(format!("{install}{}", or_native(*native)));
            }
            Self::NoTarget { architecture } => {
                let install = format!("`rustup target add {}`", triple(*architecture));
                return Some(format!(
                    "{install}; or, where it is not rustup that installs targets, `--skip-target-check`"
                ));
            }
            Self::NotBuilt { diagnostics, .. } if diagnostics.contains("--locked") => {
                "handlers for AWS are built with the versions in Cargo.lock: \
                 `cargo generate-lockfile` beside the crate writes it"
            }
            Self::Unreadable { .. } => {
                "`--handlers` takes an executable, or a folder with one named `bootstrap`"
            }
            Self::Unfit { why, .. } => why.hint(),
            Self::Compile { .. }
            | Self::NotBuilt { .. }
            | Self::NoBinary { .. }
            | Self::NoRoom { .. }
            | Self::TooBig { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the set-up or the user's words are to blame, and not the code or the machine.
    fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::Compile { .. }
                | Self::NotBuilt { .. }
                | Self::NoBinary { .. }
                | Self::NoRoom { .. }
        )
    }
}

/// The way out for whoever wants to install nothing.
fn or_native(native: Option<Architecture>) -> String {
    native.map_or(String::new(), |native| {
        let word = native.word();
        format!("; or set `architecture = \"{word}\"` under `[aws]`, which needs neither here")
    })
}

impl From<PackagingError> for TargetError {
    fn from(error: PackagingError) -> Self {
        let refusal = match error.is_usage() {
            true => Refusal::Usage,
            false => Refusal::Unexpected,
        };
        let told = Self::new(refusal, error.to_string());
        Self {
            hint: error.hint(),
            source: match error {
                PackagingError::NoCargo { source, .. }
                | PackagingError::NoRoom { source }
                | PackagingError::Unreadable { source, .. } => Some(Box::new(source)),
                _ => None,
            },
            ..told
        }
    }
}
