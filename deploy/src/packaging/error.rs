//! Errors of packaging, with hints.

use std::path::PathBuf;
use std::process::ExitStatus;

use super::elf::Unfit;
use super::limits::{MAX_CODE, SAFE_FOLDERS};
use super::target::triple;
use crate::config::Architecture;
use crate::engine::{ErrorKind, TargetError};
use crate::stack::code::Code;

/// Why packaging failed.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the messages say what its variants and their fields are"
)]
pub enum PackagingError {
    #[error("could not use the built handlers in {}: {why}", .path.display())]
    NotInstalled { path: PathBuf, why: String },
    #[error(
        "found no folder to build the handlers in: neither XDG_CACHE_HOME nor HOME is an absolute path"
    )]
    NoCache,
    #[error("{0}")]
    Carried(Box<TargetError>),
    #[error("refused to build {}: {} belongs to another user of this machine (id {owner})", .folder.display(), .path.display())]
    Foreign {
        path: PathBuf,
        owner: u32,
        /// The crate's folder.
        folder: PathBuf,
    },
    #[error("{} has no Cargo.toml, so it is not the handlers' crate", .folder.display())]
    NotACrate { folder: PathBuf },
    #[error("the folder {} does not contain a handler's crate: {why}", .folder.display())]
    NotAHandler { folder: PathBuf, why: String },
    #[error("{role}: {error}")]
    Custom {
        role: String,
        error: Box<PackagingError>,
    },
    #[error("could not start {cargo}")]
    NoCargo {
        cargo: String,
        source: std::io::Error,
    },
    #[error("`{command}` failed: {answer}")]
    BrokenToolchain { command: String, answer: String },
    #[error("cargo-lambda is missing, but required to build for {} here", .architecture.word())]
    NoCargoLambda {
        architecture: Architecture,
        /// The processor that can be built without it.
        native: Option<Architecture>,
    },
    #[error("zig is missing, but cargo-lambda needs it to link for {} here", .architecture.word())]
    NoZig {
        architecture: Architecture,
        /// The processor that can be built without it.
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
    #[error("the build succeeded, but made no binary `{binary}` of the crate in {}", .folder.display())]
    NoBinary { folder: PathBuf, binary: String },
    #[error("the binaries of {} and {} would be the same file, {}", .crates[0].display(), .crates[1].display(), .path.display())]
    SameFile { path: PathBuf, crates: [PathBuf; 2] },
    #[error("could not make a temporary folder for the build")]
    NoRoom { source: std::io::Error },
    #[error("could not read the handlers at {}", .path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the handlers at {} have {size} bytes, but Lambda's limit is {MAX_CODE}", .path.display())]
    TooBig { path: PathBuf, size: u64 },
    #[error("Lambda cannot run {what}: {why}")]
    Unfit { what: String, why: Unfit },
}

impl PackagingError {
    /// Adds to the error what of the user's it is about, if it is.
    pub(super) fn with_route(self, code: &Code) -> Self {
        match code.role() {
            None => self,
            Some(role) => Self::Custom {
                role,
                error: Box::new(self),
            },
        }
    }

    /// A remedy for the user.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotInstalled { .. } => {
                "unpack the whole archive of the release again, command and handlers, or pass other handlers with `--handlers FILE`"
            }
            Self::NoCache => "set HOME, or pass built handlers with `--handlers FILE`",
            Self::Carried(error) => return error.hint.clone(),
            Self::NotACrate { .. } => {
                "set `path` under `[handlers]` in chatctl.toml, or pass a built executable with `--handlers FILE`"
            }
            Self::Foreign { path, .. } => {
                return Some(format!(
                    "its owner could run code with your permissions during a build; if you trust that user, set \
                     {SAFE_FOLDERS}={}",
                    path.display()
                ));
            }
            Self::NotAHandler { .. } => {
                "`handler` and `review` name a folder, relative to chatctl.toml, with a package that has one binary: a Lambda bootstrap"
            }
            Self::Custom { error, .. } => return error.hint(),
            Self::NoCargo { .. } | Self::BrokenToolchain { .. } => {
                "the handlers are built by cargo: install or repair the Rust toolchain, use the command with the built \
                 handlers from an archive of a release, or pass built handlers with `--handlers FILE`"
            }
            Self::NoCargoLambda { native, .. } => {
                let install = "`pip install cargo-lambda` installs it with zig, `cargo install cargo-lambda` alone";
                return Some(format!("{install}{}", or_native(*native)));
            }
            Self::NoZig { native, .. } => {
                let install = "`pip install ziglang`, for the python3 on PATH, or add `zig` to PATH (ziglang.org/download)";
                return Some(format!("{install}{}", or_native(*native)));
            }
            Self::NoTarget { architecture } => {
                let install = format!("`rustup target add {}`", triple(*architecture));
                return Some(format!(
                    "{install}; if targets are not installed by rustup, pass `--skip-target-check`"
                ));
            }
            Self::NotBuilt { diagnostics, .. } if diagnostics.contains("--locked") => {
                "handlers for AWS are built with the versions in Cargo.lock: run \
                 `cargo generate-lockfile` in the crate's folder to write it"
            }
            Self::Unreadable { .. } => {
                "`--handlers` takes an executable, or a folder with one named `bootstrap`"
            }
            Self::SameFile { .. } => "they share a target folder: rename one of the binaries",
            Self::Unfit { why, .. } => why.hint(),
            Self::Compile { .. }
            | Self::NotBuilt { .. }
            | Self::NoBinary { .. }
            | Self::NoRoom { .. }
            | Self::TooBig { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the set-up or the user's input is the cause, and not the code or the machine.
    fn is_usage(&self) -> bool {
        if let Self::Custom { error, .. } = self {
            return error.is_usage();
        }
        !matches!(
            self,
            Self::Compile { .. }
                | Self::NotBuilt { .. }
                | Self::NoBinary { .. }
                | Self::NoRoom { .. }
        )
    }
}

impl PackagingError {
    fn quotes_compiler(&self) -> bool {
        match self {
            Self::Custom { error, .. } => error.quotes_compiler(),
            Self::Compile { .. } | Self::NotBuilt { .. } => true,
            _ => false,
        }
    }

    /// The error without its route.
    fn innermost(self) -> Self {
        match self {
            Self::Custom { error, .. } => error.innermost(),
            error => error,
        }
    }
}

/// An alternative that needs no installation.
fn or_native(native: Option<Architecture>) -> String {
    native.map_or(String::new(), |native| {
        let word = native.word();
        format!("; or set `architecture = \"{word}\"` under `[aws]`, which does not need it here")
    })
}

impl From<PackagingError> for TargetError {
    fn from(error: PackagingError) -> Self {
        if let PackagingError::Carried(error) = error {
            return *error;
        }
        let refusal = match error.is_usage() {
            true => ErrorKind::Usage,
            false => ErrorKind::Unexpected,
        };
        let reported = Self::new(refusal, error.to_string());
        Self {
            hint: error.hint(),
            quotes_compiler: error.quotes_compiler(),
            source: match error.innermost() {
                PackagingError::NoCargo { source, .. }
                | PackagingError::NoRoom { source }
                | PackagingError::Unreadable { source, .. } => Some(Box::new(source)),
                _ => None,
            },
            ..reported
        }
    }
}
