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

    /// For the table: a request without a response is repeated, so one attempt may be short. An addition for a user's handler
    /// is not, because it would count twice, so its attempt may take all the time. A message's count under
    /// `messages-per-second` is: without it the message would be lost.
    pub const TABLE: Self = Self {
        attempt: Duration::from_millis(1500),
        operation: Duration::from_secs(4),
    };

    /// For posts and for the asynchronous `Invoke`. A post without a response in time may have arrived, and repeating it would
    /// show the message twice, so one attempt may take all the time. Posts that a response refuses are repeated. So are those
    /// whose connection broke before a response began, although they may have arrived, too: after a pause a function may find
    /// its idle connections broken, and a lost message is worse than a doubled one. If a response breaks off in its body, its
    /// status decides, as that of a whole one.
    ///
    /// The time of a post must be limited: a post to a connection whose `$connect` still runs may never get a response.
    pub const POST: Self = Self {
        attempt: Duration::from_secs(3),
        operation: Duration::from_secs(3),
    };

    /// For review functions. The handler waits for as long as the route says, which is never longer. What was refused or broke
    /// off is asked again until then, so that the first message after a pause finds a function.
    pub const REVIEW: Self = Self {
        attempt: Duration::from_secs(10),
        operation: Duration::from_secs(10),
    };
}
