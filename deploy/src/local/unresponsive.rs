//! The error about a local stack's process that does not respond.

use super::folder::StateFolder;
use super::records::Running;
use crate::engine::{ErrorKind, TargetError, limits};

/// The error about a process that should have `begun` or `ended` and has not.
pub(super) fn unresponsive(
    folder: &StateFolder,
    what: &str,
    running: Option<&Running>,
) -> TargetError {
    let seconds = limits::ANSWERING.in_seconds();
    let message = format!("the local stack's process has not {what} within {seconds} s");
    let error = TargetError::new(ErrorKind::Failed, message);
    match running {
        Some(running) => error.with_hint(unresponsive_hint(folder, running)),
        None => error.with_hint(format!(
            "it may be starting; its log is {}",
            folder.log().display()
        )),
    }
}

/// What the user can do about a process that does not respond.
pub(super) fn unresponsive_hint(folder: &StateFolder, running: &Running) -> String {
    format!(
        "if process {} is chatctl's (`ps -p {}`), end it and try again; its log is {}",
        running.pid,
        running.pid,
        folder.log().display()
    )
}
