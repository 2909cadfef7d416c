//! An invocation: a function's input and its outcome.

use hyper::body::Bytes;
use tokio::sync::oneshot;

use super::lanes::{HasLoad, Load};
use crate::budget::Reservation;

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The function's response.
    Response(Bytes),
    /// A function error: reported, timed out, exited, too large.
    Failed(Failure),
}

/// A function error, as the caller of an invocation sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For example `Runtime.ExitError`.
    pub(crate) error_type: String,
    pub(crate) message: String,
}

/// The longest message that is reported, in characters.
const REPORTED: usize = 500;

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            error_type,
            message,
        } = self;
        write!(f, "{error_type:.100}: {message:.REPORTED$}")
    }
}

impl Failure {
    pub(crate) fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
        }
    }

    /// The function may have no process at all, so it was never tried.
    pub(super) fn throttle() -> Self {
        Self::new(THROTTLE, "Rate Exceeded.")
    }

    pub(super) fn is_throttle(&self) -> bool {
        self.error_type == THROTTLE
    }
}

const THROTTLE: &str = "TooManyRequestsException";

/// The input of an invocation.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) event: Event,
    /// The event's part of the budget, whose share identifies its source.
    pub(crate) held: Reservation,
}

/// The event for a function.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    /// The trace's root, as in `X-Amzn-Trace-Id`.
    pub(crate) trace: String,
    /// The client context of a caller of the Invoke API, as JSON.
    pub(crate) client_context: Option<String>,
}

/// One invocation on its way to a process. Dropped, it fails at once for its caller.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) invocation: Box<Invocation>,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// The caller of an invocation. Dropped, the invocation fails at once for it.
#[derive(Debug)]
pub(super) struct Caller {
    reply: oneshot::Sender<Outcome>,
    /// The event counts towards the budget until its outcome is sent.
    held: Reservation,
}

impl Job {
    /// Whether its caller has stopped waiting for it.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    /// The event for a process, and the caller that waits for its outcome.
    pub(super) fn into_parts(self) -> (Event, Caller) {
        let Invocation { event, held } = *self.invocation;
        let reply = self.reply;
        (event, Caller { reply, held })
    }
}

impl HasLoad for Job {
    /// The source is the connection or queue that it comes from, the size what it takes of that one's share.
    fn load(&self) -> Load {
        let Invocation { event, held } = &*self.invocation;
        Load {
            source: held.share().number(),
            size: event.payload.len() as u64,
        }
    }
}

impl Caller {
    /// Returns the event's part of the budget, then sends the outcome.
    pub(super) fn finish(self, outcome: Outcome) {
        drop(self.held);
        // The caller may have stopped waiting.
        drop(self.reply.send(outcome));
    }
}
