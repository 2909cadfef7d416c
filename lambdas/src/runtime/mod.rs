//! The main loop of a Lambda function: requests an event from the Runtime API, runs the handler, reports the outcome.
//!
//! It exists because an invocation must not leak memory. The crate `lambda_runtime` sets the environment variable
//! `_X_AMZN_TRACE_ID` for each event, and glibc never frees the value that it replaces: some 145 bytes an event, which
//! fill 128 MB after some 800,000 (<https://github.com/aws/aws-lambda-rust-runtime/issues/972>). Here the trace id is a
//! value ([`Trace`]) that the clients of other services send.
//!
//! Otherwise it behaves like that crate, which a test checks with the same script for both (`tests/aws/parity/`). Not
//! supported are SnapStart, and several events at a time in one process (`AWS_LAMBDA_MAX_CONCURRENCY` on Lambda Managed
//! Instances): events are handled one after another.
//!
//! Contract: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

mod api;
mod trace;

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use api::{Event, RejectedOutcome, RuntimeApi, RuntimeError};
pub use trace::Trace;

use crate::log::Log;

/// Why an invocation, or the start of the function, failed. Lambda passes it to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// One word, for filters.
    pub error_type: String,
    /// A sentence, for people. API Gateway interprets it if it comes from an authorizer.
    pub error_message: String,
}

/// Runs `handler` for one event after another, until the Runtime API can no longer be used.
///
/// An unreadable event, an error of the handler and a panic are reported to Lambda, and the next event is requested. If
/// Lambda refuses a response, that is logged. Each event's trace id is stored in `trace`.
///
/// # Errors
/// [`RuntimeError`] if the Runtime API does not respond, or not with an event. The process must end then.
pub async fn run<E, A>(
    api: &mut RuntimeApi,
    trace: &Trace,
    log: &Log,
    handler: impl AsyncFn(E, &Event) -> Result<A, Failure>,
) -> Result<Infallible, RuntimeError>
where
    E: for<'de> Deserialize<'de>,
    A: Serialize,
{
    loop {
        let event = api.next().await?;
        trace.set(event.trace.clone());
        let log = log.with("requestId", event.request_id.as_str());
        let outcome = match serde_json::from_slice(&event.payload) {
            Ok(payload) => {
                // Boxed, because a handler's future is large. After a panic no state is used that it may have left
                // half-done: clients and pools are made for threads that panic.
                let handled = AssertUnwindSafe(Box::pin(handler(payload, &event))).catch_unwind();
                handled.await.unwrap_or_else(|panic| {
                    let failure = of_panic(panic.as_ref());
                    let reason = json!(failure.error_message);
                    log.error("invocation failed", [("reason", reason)]);
                    Err(failure)
                })
            }
            Err(error) => {
                let failure = unreadable(&error);
                let reason = json!(failure.error_message);
                log.error("invocation failed", [("reason", reason)]);
                Err(failure)
            }
        };
        let refused = match outcome.and_then(|answer| to_json(&answer)) {
            Ok(answer) => api.respond(&event, answer).await?,
            Err(failure) => api.fail(&event, &failure).await?,
        };
        if let Some(refusal) = refused {
            let fields = [
                ("status", json!(refusal.status)),
                ("reason", json!(refusal.reason)),
            ];
            log.error("Lambda refused the response", fields);
        }
    }
}

fn to_json(answer: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(answer).map_err(|error| Failure {
        error_type: "UnexpectedAnswer".to_owned(),
        error_message: format!("the response could not be serialised as JSON: {error}"),
    })
}

/// Describes where an event is wrong, without its contents, which may be a user's message.
fn unreadable(error: &serde_json::Error) -> Failure {
    let category = match error.classify() {
        serde_json::error::Category::Data => "it is not an event of this handler",
        serde_json::error::Category::Eof => "it ends too early",
        _ => "it is not JSON",
    };
    Failure {
        error_type: "UnexpectedEvent".to_owned(),
        error_message: format!(
            "the event could not be read: {category} (line {}, column {})",
            error.line(),
            error.column()
        ),
    }
}

fn of_panic(panic: &(dyn Any + Send)) -> Failure {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Failure {
        error_type: "Panic".to_owned(),
        error_message: match text {
            Some(text) => format!("Lambda panicked: {text}"),
            None => "Lambda panicked".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::unreadable;

    #[test]
    fn an_event_that_cannot_be_read_is_not_quoted() {
        for event in [r#"{"secret": 7}"#, r#"{"secret""#, "secret", "\"secret\""] {
            let error = serde_json::from_str::<Vec<u8>>(event).unwrap_err();
            let message = unreadable(&error).error_message;
            assert!(!message.contains("secret"), "{message}");
            assert!(message.contains("line 1, column "), "{message}");
        }
    }
}
