//! Why a target did not do what it was asked, in words that any target shares.

use std::path::Path;

/// `error` and what it comes from, outermost first.
pub fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// `error` and its causes, on one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let words: Vec<_> = causes(error).map(ToString::to_string).collect();
    words.join(": ")
}

/// Why a target did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TargetError {
    pub kind: ErrorKind,
    pub message: String,
    /// Whether the message quotes a compiler, whose colours may be shown.
    pub quotes_compiler: bool,
    /// What the reader can do about it.
    pub hint: Option<String>,
    /// What was done until then, where that is not nothing: started, done, or not known.
    pub so_far: Option<String>,
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of a [`TargetError`]; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked for cannot be done as it is configured.
    Usage,
    /// The target tried and failed.
    Failed,
    /// The target does not know us, or does not let us: credentials, permissions.
    Denied,
    /// The target could not be asked, or was asked too often; asking again may help.
    Unreachable,
    /// The user asked to stop.
    Interrupted,
    /// Nothing that was foreseen.
    Unexpected,
}

impl TargetError {
    /// The error of an interrupted command; it exits with 130.
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "interrupted")
    }

    /// An error of that kind; `message` names the attempt and the subject.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            quotes_compiler: false,
            hint: None,
            so_far: None,
            source: None,
        }
    }

    /// A file operation that failed: `attempt` such as "read", on `path`.
    pub fn file(attempt: &str, path: &Path, source: std::io::Error) -> Self {
        Self {
            source: Some(Box::new(source)),
            ..Self::new(
                ErrorKind::Unexpected,
                format!("could not {attempt} {}", path.display()),
            )
        }
    }

    /// Adds what was done until then; what was said first is closer to it and stays.
    pub fn after(mut self, so_far: impl FnOnce() -> String) -> Self {
        self.so_far = self.so_far.or_else(|| Some(so_far()));
        self
    }

    /// Whether the target may have done what it was asked for all the same: its answer was lost or makes no sense.
    pub fn leaves_open(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable | ErrorKind::Unexpected => true,
            ErrorKind::Usage | ErrorKind::Failed | ErrorKind::Denied | ErrorKind::Interrupted => {
                false
            }
        }
    }

    /// Adds what the reader can do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
