//! The trace id of the event that is being handled.

use std::sync::{Arc, Mutex, PoisonError};

/// The trace id of the event that is being handled, shared by the loop that sets it and the clients that send it along.
///
/// Lambda counts in it how often a function has caused itself to run, so as to stop what never ends
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Option<String>>>);

impl Trace {
    /// Replaces the trace id; `None` where an event has none.
    pub fn set(&self, id: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    /// The trace id, as the header `X-Amzn-Trace-Id` carries it.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
