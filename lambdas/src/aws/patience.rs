//! How long to wait for a service, and what to ask again.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::config::interceptors::InterceptorContext;
use aws_sdk_apigatewaymanagement::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;

/// How long to wait for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a TCP and TLS connection.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// For all attempts together, the pauses between them included.
    pub operation: Duration,
}

impl Patience {
    /// For the table: everything asked of it may be repeated, so one attempt need not be long.
    pub const TABLE: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_millis(1500),
        operation: Duration::from_secs(4),
    };

    /// For posts. A post that is not answered in time may have arrived, and to
    /// repeat it would show the message twice: so one attempt may take all the
    /// time there is. What was refused is repeated, and so is what met a broken
    /// connection: after a pause, a function finds its idle connections closed.
    ///
    /// A post must not be waited for without limit: one to a connection whose
    /// `$connect` still runs may never be answered.
    pub const POST: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(3),
        operation: Duration::from_secs(3),
    };

    pub(super) fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

/// Three attempts; the pauses are those of a conversation, not of a batch job.
pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100))
}

/// Leaves a 429 to whoever posts to many: the SDK's own repetitions share a budget that a crowd uses up at once.
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
