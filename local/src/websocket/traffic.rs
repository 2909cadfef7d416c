//! Counts what passes the gateway, in the terms of API Gateway's metrics.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html>.

use std::sync::atomic::{AtomicU64, Ordering};

use super::proxy_response::ProxyResponse;
use crate::integrations::IntegrationOutcome;
use crate::lambda::Outcome;
use crate::status::Traffic;

/// The counters, which start with the stack.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    handshakes: Counter,
    received: Counter,
    sent: Counter,
    client_errors: Counter,
    throttled: Counter,
    integration_errors: Counter,
    execution_errors: Counter,
}

#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// A handshake has reached the integration of `$connect`.
    pub(crate) fn handshake(&self) {
        self.handshakes.add();
    }

    /// A client has sent a message.
    pub(crate) fn received(&self) {
        self.received.add();
    }

    /// A message was accepted for a client.
    pub(crate) fn sent(&self) {
        self.sent.add();
    }

    /// The gateway has refused a handshake or a message itself, with 4XX.
    pub(crate) fn client_error(&self) {
        self.client_errors.add();
    }

    /// The same, because there were too many.
    pub(crate) fn throttled(&self) {
        self.throttled.add();
        self.client_error();
    }

    /// An integration has responded, or has not.
    ///
    /// AWS does not say for which of the two a failed function counts. Here it counts for those that have not
    /// responded.
    pub(crate) fn responded(&self, outcome: &IntegrationOutcome) {
        let status = match outcome {
            IntegrationOutcome::Function(Outcome::Response(bytes)) => {
                ProxyResponse::parse(bytes).ok().map(|answer| answer.status)
            }
            IntegrationOutcome::Backend(answer) => Some(answer.status),
            IntegrationOutcome::Function(Outcome::Failed(_))
            | IntegrationOutcome::TimedOut
            | IntegrationOutcome::NotInvoked
            | IntegrationOutcome::Refused { .. } => None,
        };
        match status {
            None => self.execution_errors.add(),
            Some(400..) => self.integration_errors.add(),
            Some(_) => {}
        }
    }

    pub(crate) fn read(&self) -> Traffic {
        Traffic {
            handshakes: self.handshakes.read(),
            received: self.received.read(),
            sent: self.sent.read(),
            client_errors: self.client_errors.read(),
            throttled: self.throttled.read(),
            integration_errors: self.integration_errors.read(),
            execution_errors: self.execution_errors.read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::Failure;

    #[test]
    fn an_integration_that_answers_with_an_error_and_one_that_does_not_answer_count_apart() {
        let counters = Counters::default();
        let response =
            |text: &str| IntegrationOutcome::Function(Outcome::Response(text.to_owned().into()));
        for outcome in [
            response(r#"{"statusCode":200}"#),
            response(r#"{"statusCode":429}"#),
            response(r#"{"statusCode":500}"#),
            response("[]"),
            IntegrationOutcome::Function(Outcome::Failed(Failure::new("E", "it failed"))),
            IntegrationOutcome::TimedOut,
            IntegrationOutcome::NotInvoked,
        ] {
            counters.responded(&outcome);
        }
        let read = counters.read();
        assert_eq!((read.integration_errors, read.execution_errors), (2, 4));
    }

    #[test]
    fn a_throttled_message_is_a_client_error_too() {
        let counters = Counters::default();
        counters.client_error();
        counters.throttled();
        let read = counters.read();
        assert_eq!((read.client_errors, read.throttled), (2, 1));
    }
}
