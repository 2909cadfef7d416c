//! Ctrl-C, as a value to wait for.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::engine::{Refusal, TargetError};

/// Listens for SIGINT and SIGTERM from the moment it is made.
///
/// What comes while nobody waits is remembered, so a command can finish a step that must not be torn apart, and
/// still notices afterwards.
#[derive(Debug)]
pub(crate) struct Interrupt {
    signals: Option<[Signal; 2]>,
}

impl Interrupt {
    /// Starts to listen. Where that is impossible the signals keep their default, which ends the process.
    pub(crate) fn listen() -> Self {
        let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        let [Ok(interrupt), Ok(terminate)] = signals else {
            return Self::never();
        };
        Self {
            signals: Some([interrupt, terminate]),
        }
    }

    /// Nobody ever interrupts.
    pub(crate) fn never() -> Self {
        Self { signals: None }
    }

    /// Resolves once the user asks to stop.
    pub(crate) async fn requested(&mut self) {
        match &mut self.signals {
            Some([interrupt, terminate]) => {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            }
            None => std::future::pending().await,
        }
    }
}

/// The error of an interrupted command; it exits with 130.
pub(crate) fn interrupted() -> TargetError {
    TargetError::new(Refusal::Interrupted, "interrupted")
}
