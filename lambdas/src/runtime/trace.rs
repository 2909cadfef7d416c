//! The trace id of the event that is being handled.

use std::sync::{Arc, Mutex, PoisonError};

/// The trace id of the current event, shared by the loop that sets it and the clients that send it.
///
/// Lambda counts in it how often a function has invoked itself, to stop endless loops
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Option<String>>>);

impl Trace {
    /// Replaces the trace id; `None` if an event has none.
    pub fn set(&self, id: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// The trace id, in the form of the header `X-Amzn-Trace-Id`.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
