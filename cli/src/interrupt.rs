//! Ctrl-C, as something to wait for.
//!
//! Signals belong to the process, so this is one of its few globals. What comes while nobody waits is remembered: a
//! command can finish a step that must not be torn apart, and still notices afterwards.

use std::sync::OnceLock;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::engine::{Refusal, TargetError};
use crate::error::exit;

static ASKED: OnceLock<watch::Receiver<bool>> = OnceLock::new();

/// Listens for SIGINT and SIGTERM from now on. The second one ends the process at once, whatever it computes: the
/// signals have a thread of their own.
///
/// Where listening is impossible the signals keep their default, which ends the process.
pub(crate) fn listen() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
    else {
        return;
    };
    let entered = runtime.enter();
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    let (ask, asked) = watch::channel(false);
    if ASKED.set(asked).is_err() {
        return;
    }
    drop(entered);
    let listening = async move {
        loop {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            if ask.send_replace(true) {
                std::process::exit(i32::from(exit::INTERRUPTED));
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    // A system that has no thread left ends the command as if it had been interrupted.
    let _ended = thread.spawn(move || runtime.block_on(listening));
}

/// Resolves once the user has asked to stop; never where nobody listens.
pub(crate) async fn requested() {
    match ASKED.get() {
        // The sender lives as long as the process does.
        Some(asked) => drop(asked.clone().wait_for(|asked| *asked).await),
        None => std::future::pending().await,
    }
}

/// The error of an interrupted command; it exits with 130.
pub(crate) fn interrupted() -> TargetError {
    TargetError::new(Refusal::Interrupted, "interrupted")
}
