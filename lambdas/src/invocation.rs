//! What is known of one run of a handler, whatever it handles.

use tokio::time::Instant;

use crate::log::Log;

/// One run of a handler: its time limits and its log.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Seconds since the epoch.
    pub now: u64,
    /// When to begin no new work, so that Lambda does not end the function in the middle of it.
    pub until: Instant,
    /// The log, which already has the request id.
    pub log: Log,
}
