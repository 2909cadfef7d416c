//! Work between two calls of a store, so that a test can let things happen at the same time.

use std::fmt;

use super::{MemoryStore, lock};

/// What is to happen after some calls.
pub(super) struct Interruption {
    calls: usize,
    work: Box<dyn FnOnce(&MemoryStore) + Send>,
}

impl fmt::Debug for Interruption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Interruption")
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// Does `work` after `calls` further calls, before the one that follows. The calls in `work` count for nothing.
    pub fn interrupt_after(&self, calls: usize, work: impl FnOnce(&Self) + Send + 'static) {
        *lock(&self.interruption) = Some(Interruption {
            calls,
            work: Box::new(work),
        });
    }

    /// Whether the work of [`interrupt_after`](Self::interrupt_after) is still to be done.
    #[must_use]
    pub fn is_to_be_interrupted(&self) -> bool {
        lock(&self.interruption).is_some()
    }

    pub(super) fn interrupt(&self) {
        let due = {
            let mut interruption = lock(&self.interruption);
            match interruption.as_mut() {
                Some(waiting) if waiting.calls > 0 => {
                    waiting.calls -= 1;
                    None
                }
                _ => interruption.take(),
            }
        };
        if let Some(due) = due {
            (due.work)(self);
        }
    }
}
