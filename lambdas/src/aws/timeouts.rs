//! Timeouts and retries of the AWS clients.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::config::interceptors::InterceptorContext;
use aws_sdk_apigatewaymanagement::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;

/// The timeouts of a service's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Of a TCP and TLS connection.
    pub connect: Duration,
    /// Of one attempt.
    pub attempt: Duration,
    /// Of all attempts together, with the pauses between them.
    pub operation: Duration,
}

impl Timeouts {
    /// For the table: every request to it may be repeated, so one attempt may be short.
    pub const TABLE: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_millis(1500),
        operation: Duration::from_secs(4),
    };

    /// For posts. A post without a response in time may have arrived, and repeating it would show the message twice, so
    /// one attempt may take all the time. Refused posts are repeated, and so are those on a broken connection: after a
    /// pause, a function finds its idle connections closed.
    ///
    /// The time of a post must be limited: a post to a connection whose `$connect` still runs may never get a response.
    pub const POST: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(3),
        operation: Duration::from_secs(3),
    };

    /// For review functions. The handler waits for as long as the route says, which is never longer. What was refused or
    /// broke off is asked again until then, so that the first message after a pause finds a function.
    pub const REVIEW: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(10),
        operation: Duration::from_secs(10),
    };

    pub(super) fn config(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

/// Three attempts, with pauses short enough for a conversation.
pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100))
}

/// Never retries a 429, for callers that post to many connections: the SDK's own retries share a budget that many posts
/// use up at once.
#[derive(Debug)]
pub(super) struct ThrottlingIsAnAnswer;

impl ClassifyRetry for ThrottlingIsAnAnswer {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let response = context.response();
        match response.map(|response| response.status().as_u16()) {
            Some(429) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "throttling is an answer"
    }
}
