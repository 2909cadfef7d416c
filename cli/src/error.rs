//! What a command's failure looks like from outside: a message, its causes, what to do next, an exit code.

use std::error::Error as StdError;
use std::fmt::Write as _;

use chatctl_deploy::config::ConfigError;
use chatctl_deploy::config::keys::KeysFileError;
use chatctl_deploy::engine::client::ConnectError;
use chatctl_deploy::engine::probe::ProbeError;
use chatctl_deploy::engine::{DeployError, ErrorKind, StackStatus, TargetError};
use chatctl_deploy::packaging::PackagingError;

pub(crate) use chatctl_deploy::exit;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) exit: u8,
    source: Box<dyn StdError>,
    /// What was done until then.
    so_far: Option<String>,
    hint: Option<String>,
}

impl CommandError {
    /// A failure of the user's request itself.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit: exit::USAGE,
            source: message.into().into(),
            so_far: None,
            hint: Some(hint.into()),
        }
    }

    /// Messages that were not delivered although everything else went well; each was reported already.
    pub(crate) fn undelivered(message: impl Into<String>) -> Self {
        Self {
            exit: exit::UNEXPECTED,
            source: message.into().into(),
            so_far: None,
            hint: None,
        }
    }

    /// `diff` found changes, which is an answer and no failure; they were printed already.
    pub(crate) fn different() -> Self {
        Self {
            exit: exit::DIFFERENT,
            source: String::new().into(),
            so_far: None,
            hint: None,
        }
    }

    /// A failure whose `count` problems were shown already; what is left is its exit code and a last sentence.
    pub(crate) fn reported(error: TargetError, count: usize) -> Self {
        let message = match count {
            1 => "one thing stands in the way of a deployment".to_owned(),
            many => format!("{many} things stand in the way of a deployment"),
        };
        Self {
            exit: exit_code(error.kind),
            source: message.into(),
            so_far: None,
            hint: None,
        }
    }

    /// Whether there is nothing to explain, only an exit code to give.
    pub(crate) fn is_answer(&self) -> bool {
        self.exit == exit::DIFFERENT
    }

    /// The same failure with another hint, where there is a better one.
    pub(crate) fn or_hint(self, hint: Option<String>) -> Self {
        Self {
            hint: hint.or(self.hint),
            ..self
        }
    }

    /// The same failure, and what was done until then; what was said closer to it stays.
    pub(crate) fn after(mut self, so_far: impl Into<String>) -> Self {
        self.so_far = self.so_far.or_else(|| Some(so_far.into()));
        self
    }

    /// The whole chain for a terminal, without the leading `error: `.
    pub(crate) fn chain(&self) -> String {
        let mut chain = self.source.to_string();
        let mut cause = self.source.source();
        while let Some(error) = cause {
            let words = error.to_string();
            // Some libraries' errors say their cause's words themselves.
            if !chain.ends_with(&words) {
                let _infallible = write!(chain, "\n  because: {words}");
            }
            cause = error.source();
        }
        if let Some(so_far) = &self.so_far {
            let _infallible = write!(chain, "\n  so far: {so_far}");
        }
        chain
    }

    /// Whether the chain quotes a compiler, whose colours may be shown.
    pub(crate) fn quotes_compiler(&self) -> bool {
        let error = self.source.downcast_ref::<TargetError>();
        error.is_some_and(|error| error.quotes_compiler)
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn new(exit: u8, source: impl StdError + 'static, hint: Option<String>) -> Self {
        Self {
            exit,
            source: Box::new(source),
            so_far: None,
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
            ConfigError::NoKey(_) => Some("`chatctl keys new` makes one".into()),
            ConfigError::Keys(KeysFileError::Invalid(_)) => {
                Some("`chatctl keys list` shows the keys, `chatctl keys new` makes one".into())
            }
            ConfigError::Keys(_) | ConfigError::Unreadable { .. } => None,
        };
        Self::new(exit::USAGE, error, hint)
    }
}

impl From<PackagingError> for CommandError {
    fn from(error: PackagingError) -> Self {
        TargetError::from(error).into()
    }
}

impl From<TargetError> for CommandError {
    fn from(mut error: TargetError) -> Self {
        let (hint, so_far) = (error.hint.take(), error.so_far.take());
        Self {
            so_far,
            ..Self::new(exit_code(error.kind), error, hint)
        }
    }
}

impl From<DeployError> for CommandError {
    fn from(mut error: DeployError) -> Self {
        match error {
            DeployError::Target(error) => error.into(),
            DeployError::RolledBack(mut failure) => {
                let so_far = failure.so_far.take();
                let remedy = failure
                    .cause
                    .as_ref()
                    .and_then(|cause| cause.remedy.clone());
                let left = failure.status.as_ref().and_then(what_is_left);
                let hint = [remedy.as_deref(), left]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join("; ");
                let hint = (!hint.is_empty()).then_some(hint);
                Self {
                    so_far,
                    ..Self::new(exit::STACK_FAILED, DeployError::RolledBack(failure), hint)
                }
            }
            DeployError::Vanished { ref mut so_far, .. } => {
                let so_far = so_far.take();
                Self {
                    so_far,
                    ..Self::new(exit::STACK_FAILED, error, None)
                }
            }
            DeployError::Unproven(unproven) => {
                let is_setup = matches!(unproven.error, ProbeError::Setup(_));
                let known = unproven.known.filter(|_| !is_setup);
                let error = Self::from(unproven.error).or_hint(known);
                match unproven.so_far {
                    Some(so_far) => error.after(so_far),
                    None => error,
                }
            }
        }
    }
}

impl From<ProbeError> for CommandError {
    fn from(error: ProbeError) -> Self {
        let hint = match error {
            ProbeError::Setup(error) => return error.into(),
            ProbeError::Open { .. } => {
                "clients can take any name there: `chatctl status` tells what runs, and `[auth]` in the config what should"
            }
            ProbeError::Proxy { ref source, .. } => {
                let hint = source.hint().to_owned();
                return Self::new(exit::STACK_FAILED, error, Some(hint));
            }
            _ => {
                "the stack is up but does not deliver; the functions' logs say why (`chatctl status` tells where)"
            }
        };
        Self::new(exit::STACK_FAILED, error, Some(hint.into()))
    }
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        let (exit, hint) = match error {
            ConnectError::Setup(error) => return error.into(),
            ConnectError::Proxy { ref source, .. } => (exit::STACK_FAILED, source.hint()),
            ref error if error.is_without_tls() => (
                exit::STACK_FAILED,
                "the server there does not use TLS, like a local stack: begin the address with ws://",
            ),
            ConnectError::Refused { status: 401, .. } => (
                exit::STACK_FAILED,
                "the chat requires a name: give yours and, where it is a chat of two, your friend's (`--as`, `--to`); where names \
                 are proven, the token must be good for this stack and this name. `chatctl logs` tells the reason",
            ),
            ConnectError::Refused {
                status: 403 | 404, ..
            } => (
                exit::STACK_FAILED,
                "the API is there but this stage of it is not, or its authorizer refuses the client, for its token for example, or its operator has banned the name: `chatctl status` \
                 and `chatctl logs` tell more",
            ),
            ConnectError::Refused { .. } => (
                exit::STACK_FAILED,
                "the functions' logs say why: `chatctl logs`",
            ),
            ConnectError::Unreachable { .. } | ConnectError::Silent { .. } => (
                exit::STACK_FAILED,
                "check the address and the network; `chatctl status` tells whether the stack is up",
            ),
        };
        Self::new(exit, error, Some(hint.into()))
    }
}

/// Where a failed operation leaves the stack.
fn what_is_left(status: &StackStatus) -> Option<&'static str> {
    match status {
        StackStatus::CreateFailed => Some(
            "once that is put right, `chatctl deploy` tries again; `chatctl teardown` removes what is left of it",
        ),
        StackStatus::RollbackComplete => {
            Some("nothing of it is left but its name, which the next deployment removes")
        }
        StackStatus::RollbackFailed => {
            Some("the next deployment removes what is left of it, and so does `chatctl teardown`")
        }
        StackStatus::UpdateRollbackComplete => Some("the version before still serves"),
        StackStatus::UpdateRollbackFailed => Some("`chatctl status` tells where it stands"),
        StackStatus::DeleteFailed => Some("`chatctl teardown` tries again"),
        _ => None,
    }
}

fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Usage => exit::USAGE,
        ErrorKind::Failed | ErrorKind::Unreachable => exit::STACK_FAILED,
        ErrorKind::Denied => exit::DENIED,
        ErrorKind::Interrupted => exit::INTERRUPTED,
        ErrorKind::Unexpected => exit::UNEXPECTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Reported {
        words: &'static str,
        source: Option<Box<Reported>>,
    }

    #[test]
    fn a_cause_whose_words_are_said_already_is_not_reported_twice() {
        let reported = |words, source: Option<Reported>| Reported {
            words,
            source: source.map(Box::new),
        };
        let refused = reported("refused", None);
        let error = reported(
            "not connected",
            Some(reported("IO error: refused", Some(refused))),
        );
        let chain = CommandError::new(exit::UNEXPECTED, error, None).chain();
        assert_eq!(chain, "not connected\n  because: IO error: refused");
    }
}
