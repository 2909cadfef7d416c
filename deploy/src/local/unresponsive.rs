//! What is said of a local stack's process that does not answer.

use super::folder::StateFolder;
use super::records::Running;
use crate::engine::{ErrorKind, TargetError};

/// The error of a process that should answer and does not.
pub(super) fn unresponsive(folder: &StateFolder, running: Option<&Running>) -> TargetError {
    let error = TargetError::new(
        ErrorKind::Failed,
        "the local stack's process does not answer",
    );
    match running {
        Some(running) => error.with_hint(unresponsive_hint(folder, running)),
        None => error.with_hint(format!(
            "it may be starting; its log is {}",
            folder.log().display()
        )),
    }
}

/// What its user can do about a process that does not answer.
pub(super) fn unresponsive_hint(folder: &StateFolder, running: &Running) -> String {
    format!(
        "if process {} is chatctl's (`ps -p {}`), end it and try again; its log is {}",
        running.pid,
        running.pid,
        folder.log().display()
    )
}
