//! The error about a local stack's process that does not respond.

use super::folder::StateFolder;
use super::records::Running;
use crate::engine::{ErrorKind, TargetError};

/// The error about a process that should respond and does not.
pub(super) fn unresponsive(folder: &StateFolder, running: Option<&Running>) -> TargetError {
    let error = TargetError::new(
        ErrorKind::Failed,
        "the local stack's process does not respond",
    );
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
