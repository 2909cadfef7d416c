//! Compares the main loop with the crate `lambda_runtime`: both run the same script with the same handler.
//!
//! Each runs as its own process, which is this test's binary again, because the process's exit is compared too.

mod script;

use std::convert::Infallible;

use chat_lambdas::log::{Level, Log};
use chat_lambdas::runtime::{self, Failure, RuntimeApi, RuntimeError, Trace};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

use script::{Script, Step};

/// Selects the process's role.
const ROLE: &str = "CHAT_LAMBDAS_TEST_ROLE";

/// The test that becomes a process of either kind. Without the variable it runs the first script itself.
const PROCESS: &str = "parity::responses_errors_and_panics_reach_lambda_identically";

/// An order for the handler of both.
#[derive(Deserialize)]
struct Order {
    what: String,
}

/// The same for both. A panic is handled separately.
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

/// Becomes the process that the variable selects, until the script ends.
async fn become_the_selected_process() {
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
async fn responses_errors_and_panics_reach_lambda_identically() {
    become_the_selected_process().await;
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
async fn an_unreadable_event_is_an_error_and_the_next_one_is_requested() {
    let unreadable = ["", "{", "[]", "7", "null", r#"{"what": 7}"#, "\u{1}"];
    let steps = unreadable.map(|event| [Step::event(event), Step::taken()]);
    Script::new(steps.into_iter().flatten())
        .is_played_alike()
        .await;
}

#[tokio::test]
async fn a_refused_outcome_does_not_end_the_loop() {
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
async fn optional_headers_of_an_event_may_be_missing() {
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
async fn a_runtime_api_that_disconnects_or_is_invalid_ends_the_process() {
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
