//! Timeouts of the AWS clients.

use std::time::Duration;

/// The timeouts of a service's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Of one attempt.
    pub attempt: Duration,
    /// Of all attempts together, with the pauses between them.
    pub operation: Duration,
}

impl Timeouts {
    /// Of a connection, encrypted if the service is.
    pub(super) const CONNECT: Duration = Duration::from_secs(1);

    /// For the table: every request to it may be repeated, so one attempt may be short.
    pub const TABLE: Self = Self {
        attempt: Duration::from_millis(1500),
        operation: Duration::from_secs(4),
    };

    /// For posts. A post without a response in time may have arrived, and repeating it would show the message twice, so
    /// one attempt may take all the time. Refused posts are repeated, and so are those on a broken connection: after a
    /// pause, a function finds its idle connections closed.
    ///
    /// The time of a post must be limited: a post to a connection whose `$connect` still runs may never get a response.
    pub const POST: Self = Self {
        attempt: Duration::from_secs(3),
        operation: Duration::from_secs(3),
    };

    /// For review functions. The handler waits for as long as the route says, which is never longer. What was refused or
    /// broke off is asked again until then, so that the first message after a pause finds a function.
    pub const REVIEW: Self = Self {
        attempt: Duration::from_secs(10),
        operation: Duration::from_secs(10),
    };
}
