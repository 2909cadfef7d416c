//! Turns Ctrl-C into a future.
//!
//! Signals belong to the process, so this is one of its few globals. A signal that arrives while no code waits for it
//! is remembered: a command can finish a step that must not be split, and still notices the signal afterwards.

use std::sync::{OnceLock, mpsc};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit;

static ASKED: OnceLock<watch::Receiver<bool>> = OnceLock::new();

/// Listens for SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal is closed) and SIGQUIT (Ctrl-\) from now on. The first
/// requests an end in good order. The second ends the process and its children at once.
///
/// If listening is impossible, the signals keep their default, which ends the process. A thread listens, so that a
/// second Ctrl-C works even while the command's own thread is busy and has not noticed the first.
pub fn listen() {
    let (ready, listens) = mpsc::channel();
    let spawned = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(follow(ready));
            }
        });
    if spawned.is_ok() {
        // An error means that the thread has given up.
        let _given_up = listens.recv();
    }
}

async fn follow(ready: mpsc::Sender<()>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    let mut hangup = unless_ignored(SignalKind::hangup());
    let mut quit = unless_ignored(SignalKind::quit());
    let (ask, asked) = watch::channel(false);
    if ASKED.set(asked).is_err() {
        return;
    }
    drop(ready);
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = next(&mut hangup) => {}
            () = next(&mut quit) => {}
        }
        if ask.send_replace(true) {
            crate::guard::dismiss();
            crate::scratch::remove_all();
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    }
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Listens for a signal, unless `nohup`, or a shell that starts a background process, has set it to be ignored.
fn unless_ignored(kind: SignalKind) -> Option<Signal> {
    let status = std::fs::read_to_string("/proc/self/status");
    let is_ignored = match status.as_deref().map(ignored_signals) {
        Ok(Some(mask)) => mask >> (kind.as_raw_value() - 1) & 1 == 1,
        // Other systems do not provide the mask. `nohup` is used for output that goes to no terminal.
        _ => {
            !(std::io::IsTerminal::is_terminal(&std::io::stdout())
                || std::io::IsTerminal::is_terminal(&std::io::stderr()))
        }
    };
    (!is_ignored).then(|| signal(kind).ok()).flatten()
}

/// The mask of ignored signals, lowest bit for signal 1 (proc_pid_status(5)).
fn ignored_signals(status: &str) -> Option<u64> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Resolves once the user has asked to stop; never if [`listen`] was not called.
pub async fn requested() {
    match ASKED.get() {
        // The sender lives as long as the process does.
        Some(asked) => drop(asked.clone().wait_for(|asked| *asked).await),
        None => std::future::pending().await,
    }
}

/// Whether the user has asked to stop.
pub(crate) fn is_requested() -> bool {
    ASKED.get().is_some_and(|asked| *asked.borrow())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_bit_by_bit() {
        let status = "Name:\tchatctl\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001005\n";
        assert_eq!(ignored_signals(status), Some(0x1005));
        assert_eq!(ignored_signals("Name:\tchatctl\n"), None);
    }
}
