//! Holds the loop to what the crate `lambda_runtime` does: both play the same script with the same handler.
//!
//! Each runs as a process of its own, which is this test's binary again: how a process ends is part of what is compared.

mod script;

use std::convert::Infallible;

use chat_lambdas::log::{Level, Log};
use chat_lambdas::runtime::{self, Failure, RuntimeApi, RuntimeError, Trace};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

use script::{Script, Step};

/// Which of the two a process is to be.
const ROLE: &str = "CHAT_LAMBDAS_TEST_ROLE";

/// The test that becomes a process of either kind. Without the variable it plays the first script itself.
const PROCESS: &str = "parity::answers_errors_and_panics_reach_lambda_in_the_same_words";

/// What the handler of both is told to do.
#[derive(Deserialize)]
struct Order {
    what: String,
}

/// The same for both. A panic has its own way out.
fn obey(order: &Order) -> Result<Value, (&'static str, &'static str)> {
    match order.what.as_str() {
        "answer" => Ok(json!({"statusCode": 200, "body": "h\u{e4}"})),
        "fail" => Err(("Refused", "not today")),
        "long" => Ok(json!("x".repeat(3_000_000))),
        other => panic!("cannot {other}"),
    }
}

async fn as_the_crate() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(|event: LambdaEvent<Order>| async move {
        obey(&event.payload).map_err(|(error_type, message)| Diagnostic {
            error_type: error_type.to_owned(),
            error_message: message.to_owned(),
        })
    }))
    .await
}

async fn as_ourselves() -> Result<Infallible, RuntimeError> {
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").expect("the script sets it");
    let mut api = RuntimeApi::new(address);
    let log = Log::new(Level::Error, |_| {});
    let handler = async |order: Order, _: &runtime::Event| {
        obey(&order).map_err(|(error_type, message)| Failure {
            error_type: error_type.to_owned(),
            error_message: message.to_owned(),
        })
    };
    runtime::run(&mut api, &Trace::default(), &log, handler).await
}

/// Becomes the process that the variable asks for, as long as the script goes on.
async fn become_what_is_asked_for() {
    match std::env::var(ROLE).as_deref() {
        Ok("crate") => as_the_crate().await.expect("the script ends with an error"),
        Ok("ours") => match as_ourselves().await {
            Ok(never) => match never {},
            Err(error) => panic!("{error}"),
        },
        _ => {}
    }
}

#[tokio::test]
async fn answers_errors_and_panics_reach_lambda_in_the_same_words() {
    become_what_is_asked_for().await;
    Script::new([
        Step::event(r#"{"what": "answer"}"#),
        Step::taken(),
        Step::event(r#"{"what": "fail"}"#),
        Step::taken(),
        Step::event(r#"{"what": "be silent"}"#),
        Step::taken(),
        Step::event(r#"{"what": "answer"}"#).with("Lambda-Runtime-Invocation-Id: i-1"),
        Step::taken(),
        Step::event(r#"{"what": "fail"}"#).with("Lambda-Runtime-Invocation-Id: i-2"),
        Step::taken(),
        Step::event(r#"{"what": "long"}"#),
        Step::taken(),
    ])
    .is_played_alike()
    .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_error_and_the_next_one_is_asked_for() {
    let unreadable = ["", "{", "[]", "7", "null", r#"{"what": 7}"#, "\u{1}"];
    let steps = unreadable.map(|event| [Step::event(event), Step::taken()]);
    Script::new(steps.into_iter().flatten())
        .is_played_alike()
        .await;
}

#[tokio::test]
async fn an_outcome_that_lambda_refuses_ends_nothing() {
    let refusals = [400, 403, 404, 410, 413, 429, 500, 503];
    let steps = refusals.map(|status| {
        let reason = r#"{"errorMessage": "no", "errorType": "E"}"#;
        [
            Step::event(r#"{"what": "answer"}"#),
            Step::status(status, reason),
            Step::event(r#"{"what": "fail"}"#),
            Step::status(status, "not JSON"),
        ]
    });
    Script::new(steps.into_iter().flatten())
        .is_played_alike()
        .await;
}

#[tokio::test]
async fn a_connection_that_ends_between_two_requests_is_replaced() {
    Script::new([
        Step::event(r#"{"what": "answer"}"#).with("Connection: close"),
        Step::taken().closing(),
        Step::event(r#"{"what": "fail"}"#).closing(),
        Step::taken().with("Connection: close"),
        Step::event(r#"{"what": "answer"}"#),
        Step::taken(),
    ])
    .is_played_alike()
    .await;
}

#[tokio::test]
async fn what_may_be_missing_of_an_event_may_be_missing() {
    Script::new([
        Step::event(r#"{"what": "answer"}"#).without("Lambda-Runtime-Trace-Id"),
        Step::taken(),
        Step::event(r#"{"what": "answer"}"#).without("Lambda-Runtime-Invoked-Function-Arn"),
        Step::taken(),
        Step::event(r#"{"what": "answer"}"#).with("Lambda-Runtime-Aws-Tenant-Id: t"),
        Step::taken(),
        Step::event(r#"{"what": "answer"}"#).in_chunks(),
        Step::taken(),
    ])
    .is_played_alike()
    .await;
}

#[tokio::test]
async fn a_runtime_api_that_hangs_up_or_makes_no_sense_ends_the_process() {
    for last in [
        Step::hang_up(),
        Step::status(500, r#"{"errorMessage": "container error"}"#),
        Step::event(r#"{"what": "answer"}"#).without("Lambda-Runtime-Aws-Request-Id"),
        Step::event(r#"{"what": "answer"}"#).without("Lambda-Runtime-Deadline-Ms"),
    ] {
        let steps = [Step::event(r#"{"what": "answer"}"#), Step::taken(), last];
        Script::new(steps).is_played_alike().await;
    }
    let unanswered = [Step::event(r#"{"what": "answer"}"#), Step::hang_up()];
    Script::new(unanswered).is_played_alike().await;
}

#[tokio::test]
async fn a_waiting_process_ends_by_the_signal_that_lambda_sends() {
    Script::new([Step::event(r#"{"what": "answer"}"#), Step::taken()])
        .is_ended_alike()
        .await;
}
