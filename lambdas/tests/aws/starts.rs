//! Tests of a binary that cannot start.

use serde_json::Value;

use crate::function::{CREDENTIALS, ok};
use crate::runtime::{run_at, run_to_its_end};

#[test]
fn a_function_that_cannot_start_logs_the_reason_and_fails() {
    check(
        "brodcast",
        &[],
        "there is no handler `brodcast` in this binary",
    );
    check("", &[], "environment variable `_HANDLER` is not set");
    check(
        "connect",
        &CREDENTIALS,
        "environment variable `TABLE_NAME` is not set",
    );
    check(
        "disconnect",
        &[("TABLE_NAME", "t")],
        "environment variable `AWS_REGION` is not set",
    );
    let mut variables = CREDENTIALS.to_vec();
    variables.push(("TABLE_NAME", "t"));
    check(
        "direct",
        &variables,
        "environment variable `CONNECTIONS_ENDPOINT` is not set",
    );
    variables.push(("CONNECTIONS_ENDPOINT", "wss://a.example/v1"));
    check(
        "direct",
        &variables,
        "does not begin with http:// or https://",
    );
    variables.pop();
    variables.push(("CONNECTIONS_ENDPOINT", "https://a.example/v1"));
    check(
        "broadcast",
        &variables,
        "environment variable `DELIVER_FUNCTION` is not set",
    );
    variables.push(("ROUTES", "onMessage"));
    check("direct", &variables, "`ROUTES` is `onMessage`");
    variables.push(("INDEX", "rooms"));
    check(
        "connect",
        &variables,
        "`INDEX` is `rooms`, which is not valid; it may be: friend | room | friend,room",
    );
    check("authorize", &[("NAMES", "none")], "`NAMES` is `none`");
}

#[tokio::test]
async fn a_function_that_cannot_start_reports_the_reason_to_lambda() {
    let lambda = ok(202).await;
    let address = lambda.endpoint.trim_start_matches("http://");
    let address = address.trim_end_matches("/v1").to_owned();
    let ended = tokio::task::spawn_blocking(move || run_at(&address, "brodcast", &[]));
    assert_eq!(ended.await.unwrap().status.code(), Some(1));
    let [report] = &lambda.requests()[..] else {
        panic!("{:?}", lambda.requests());
    };
    let (head, body) = report.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /2018-06-01/runtime/init/error HTTP/1.1\r\n"));
    assert!(head.contains("lambda-runtime-function-error-type: Runtime.InitError"));
    let failure: Value = serde_json::from_str(body).unwrap();
    let message = failure["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with("there is no handler `brodcast`"),
        "{message}"
    );
}

fn check(handler: &str, variables: &[(&str, &str)], reason: &str) {
    let output = run_to_its_end(handler, variables);
    assert_eq!(output.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert_eq!(line["level"], "ERROR");
    let text = line["reason"].as_str().expect("a reason");
    assert!(text.contains(reason), "{text}");
}
