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

/// `error`, its causes and what the reader can do about it, on one line.
pub fn in_full(error: &TargetError) -> String {
    match &error.hint {
        Some(hint) => format!("{} ({hint})", chain(error)),
        None => chain(error),
    }
}

/// `work`, unless the user interrupts it.
///
/// # Errors
/// Those of `work`, or [`TargetError::interrupted`].
pub fn or_interrupted<T, E: From<TargetError>>(
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    // On the heap, for the reason that `limits::within` has.
    let work = Box::pin(work);
    async move {
        tokio::select! {
            outcome = work => outcome,
            () = crate::interrupt::requested() => Err(TargetError::interrupted().into()),
        }
    }
}

/// Why a target did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TargetError {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// The attempt and its subject.
    pub message: String,
    /// Whether the message quotes a compiler, whose colours may be shown.
    pub quotes_compiler: bool,
    /// What the reader can do about it.
    pub hint: Option<String>,
    /// What was done until then, where that is not nothing: started, done, or not known.
    pub so_far: Option<String>,
    /// The cause. Its words are not repeated in the message.
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

    /// The user has answered no; `hint` says how to look again, or what else there is.
    pub fn declined(hint: &str) -> Self {
        Self::new(ErrorKind::Usage, "declined, nothing was changed").with_hint(hint)
    }

    /// The error of an `attempt` that took longer than its limit of so many minutes.
    pub fn late(attempt: &str, minutes: u64) -> Self {
        let message = format!("could not {attempt} within {minutes} minutes");
        Self::new(ErrorKind::Unreachable, message)
            .with_hint("check the network, then run the same command again")
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
    pub(crate) fn leaves_open(&self) -> bool {
        match self.kind {
            ErrorKind::Unreachable | ErrorKind::Unexpected => true,
            ErrorKind::Usage | ErrorKind::Failed | ErrorKind::Denied | ErrorKind::Interrupted => {
                false
            }
        }
    }

    /// Of an interruption: says what it leaves. Other errors stay as they are.
    pub fn leaving(self, what: &str) -> Self {
        match self.kind {
            ErrorKind::Interrupted => self.with_hint(what),
            _ => self,
        }
    }

    /// Adds what the reader can do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
