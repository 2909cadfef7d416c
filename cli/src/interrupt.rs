//! Ctrl-C, as a value to wait for.

use crate::engine::{Refusal, TargetError};

/// Resolves once the user asks to stop (SIGINT or SIGTERM).
pub(crate) async fn requested() {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
        // Without handlers the signals keep their default, which ends the process.
        _ => std::future::pending().await,
    }
}

/// The error of an interrupted command; it exits with 130.
pub(crate) fn interrupted() -> TargetError {
    TargetError::new(Refusal::Interrupted, "interrupted")
}
