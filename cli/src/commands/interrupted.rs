//! What an interruption does to a command.

use chatctl_deploy::engine;

use crate::error::{CommandError, exit};

/// `work`, unless the user asks to stop first.
pub(super) fn or_interrupted<T, E: Into<CommandError>>(
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, CommandError>> {
    engine::or_interrupted(async move { work.await.map_err(Into::into) })
}

/// Adds to the error of an interruption what it leaves; other errors stay as they are.
pub(super) fn leaving(what: impl Into<String>) -> impl FnOnce(CommandError) -> CommandError {
    let what = what.into();
    move |error| {
        if error.exit == exit::INTERRUPTED {
            error.or_hint(Some(what))
        } else {
            error
        }
    }
}
