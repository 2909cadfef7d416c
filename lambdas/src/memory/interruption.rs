//! Work between two calls of a store, so that a test can let things happen at the same time.

use std::fmt;
use std::sync::Mutex;

use super::lock;

/// What is to happen to a store `S` after some calls, if anything.
pub(super) struct Interruption<S>(Mutex<Option<Waiting<S>>>);

type Work<S> = Box<dyn FnOnce(&S) + Send>;

struct Waiting<S> {
    calls: usize,
    work: Work<S>,
}

impl<S> Default for Interruption<S> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<S> fmt::Debug for Interruption<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = lock(&self.0).as_ref().map(|waiting| waiting.calls);
        formatter
            .debug_struct("Interruption")
            .field("calls", &calls)
            .finish_non_exhaustive()
    }
}

impl<S> Interruption<S> {
    /// Makes `work` due after `calls` further calls.
    pub(super) fn set(&self, calls: usize, work: impl FnOnce(&S) + Send + 'static) {
        *lock(&self.0) = Some(Waiting {
            calls,
            work: Box::new(work),
        });
    }

    /// Whether the work is still to be done.
    pub(super) fn is_waiting(&self) -> bool {
        lock(&self.0).is_some()
    }

    /// Counts a call; returns the work that is to be done before it.
    pub(super) fn count(&self) -> Option<Work<S>> {
        let mut waiting = lock(&self.0);
        match waiting.as_mut() {
            Some(waiting) if waiting.calls > 0 => {
                waiting.calls -= 1;
                None
            }
            _ => waiting.take().map(|due| due.work),
        }
    }
}
