//! What a command's failure looks like from outside: a message, its causes, what to do next, an exit code.

use std::error::Error as StdError;
use std::fmt::Write as _;

use crate::config::ConfigError;
use crate::engine::probe::ProbeError;
use crate::engine::{DeployError, Refusal, TargetError};
use crate::packaging::PackagingError;

/// Exit codes, as the README promises them.
pub(crate) mod exit {
    pub(crate) const UNEXPECTED: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const STACK_FAILED: u8 = 3;
    pub(crate) const INTERRUPTED: u8 = 130;
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) exit: u8,
    source: Box<dyn StdError>,
    hint: Option<String>,
}

impl CommandError {
    /// A failure of the user's request itself.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit: exit::USAGE,
            source: message.into().into(),
            hint: Some(hint.into()),
        }
    }

    /// The whole story for a terminal, without the leading `error: `.
    pub(crate) fn story(&self) -> String {
        let mut story = self.source.to_string();
        let mut cause = self.source.source();
        while let Some(error) = cause {
            // Writing to a string cannot fail.
            let _ = write!(story, "\n  because: {error}");
            cause = error.source();
        }
        story
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn new(exit: u8, source: impl StdError + 'static, hint: Option<String>) -> Self {
        Self {
            exit,
            source: Box::new(source),
            hint,
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let hint = match &error {
            ConfigError::Missing { .. } => Some("`chatctl init` writes one".into()),
            ConfigError::Invalid(_) => {
                Some("`chatctl init --print` shows every key with its meaning".into())
            }
            ConfigError::Unreadable { .. } => None,
        };
        Self::new(exit::USAGE, error, hint)
    }
}

impl From<PackagingError> for CommandError {
    fn from(error: PackagingError) -> Self {
        let (exit, hint) = match &error {
            PackagingError::NoCrate { .. } | PackagingError::NotACrate { .. } => (
                exit::USAGE,
                Some(
                    "set `path` under `[handlers]` in chatctl.toml, or pass a built one with `--handlers FILE`",
                ),
            ),
            PackagingError::NoCargo { .. } => (
                exit::USAGE,
                Some("install a Rust toolchain, or pass built handlers with `--handlers FILE`"),
            ),
            PackagingError::Unreadable { .. } => (
                exit::USAGE,
                Some("`--handlers` takes an executable, or a folder with one named `bootstrap`"),
            ),
            PackagingError::Compile { .. } | PackagingError::NoBinary { .. } => {
                (exit::UNEXPECTED, None)
            }
        };
        Self::new(exit, error, hint.map(str::to_owned))
    }
}

impl From<TargetError> for CommandError {
    fn from(mut error: TargetError) -> Self {
        let hint = error.hint.take();
        Self::new(exit_code(error.refusal), error, hint)
    }
}

impl From<DeployError> for CommandError {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Target(error) => error.into(),
            error @ (DeployError::RolledBack { .. } | DeployError::Vanished { .. }) => {
                Self::new(exit::STACK_FAILED, error, None)
            }
        }
    }
}

impl From<ProbeError> for CommandError {
    fn from(error: ProbeError) -> Self {
        let hint = "the stack is up but does not deliver; the functions' logs say why (`chatctl status --local`)";
        Self::new(exit::STACK_FAILED, error, Some(hint.into()))
    }
}

fn exit_code(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::Usage => exit::USAGE,
        Refusal::Failed => exit::STACK_FAILED,
        Refusal::Interrupted => exit::INTERRUPTED,
        Refusal::Unexpected => exit::UNEXPECTED,
    }
}
