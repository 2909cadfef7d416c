//! `status --watch` by an emulator's CloudWatch, which has the metrics that this test puts there.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::cloud::Cloud;

/// The beginning of the minute before the last whole one, in seconds since the Unix epoch.
fn minute() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    now - now % 60 - 120
}

#[tokio::test]
async fn a_stack_on_aws_is_watched_by_its_metrics_of_the_latest_minute() {
    let cloud = Cloud::start().await;
    cloud
        .chatctl("status --watch")
        .await
        .exits(2)
        .explains("there is no stack `chat`");
    cloud.deploy("--no-probe").await.exits(0);
    let mut watching = cloud
        .command("status --watch --output json")
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut look = async || -> Value {
        let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
        serde_json::from_str(&line.expect("a look").unwrap().unwrap()).unwrap()
    };
    assert_eq!(look().await["at"], Value::Null);
    watching.kill().await.unwrap();

    let api = cloud.physical_id("chat", "Api").await;
    let function = cloud.physical_id("chat", "DirectFunction").await;
    let table = cloud.physical_id("chat", "Connections").await;
    let at = minute();
    let gateway = [("ApiId", api.as_str()), ("Stage", "v1")];
    let named = [("FunctionName", function.as_str())];
    for (namespace, name, dimensions, values) in [
        ("AWS/ApiGateway", "ConnectCount", &gateway[..], &[2.0][..]),
        ("AWS/ApiGateway", "MessageCount", &gateway, &[90.0, 30.0]),
        ("AWS/ApiGateway", "ClientError", &gateway, &[3.0]),
        ("AWS/Lambda", "Invocations", &named, &[60.0]),
        ("AWS/Lambda", "Errors", &named, &[1.0]),
        ("AWS/Lambda", "Throttles", &named, &[2.0]),
        ("AWS/Lambda", "Duration", &named, &[5.0, 7.0, 9.0]),
        (
            "AWS/DynamoDB",
            "WriteThrottleEvents",
            &[("TableName", table.as_str())],
            &[4.0],
        ),
    ] {
        for value in values {
            cloud
                .put_metric((namespace, name), dimensions, at, *value)
                .await;
        }
    }
    let mut watching = cloud
        .command("status --watch --output json")
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
    let look: Value = serde_json::from_str(&line.expect("a look").unwrap().unwrap()).unwrap();
    watching.kill().await.unwrap();
    assert_eq!(
        (
            &look["messages"],
            &look["handshakes"],
            &look["clientErrors"]
        ),
        (&120.into(), &2.into(), &3.into()),
        "{look}"
    );
    assert_eq!(
        (&look["connections"], &look["seconds"]),
        (&Value::Null, &60.0.into())
    );
    assert_eq!(look["tableThrottles"], 4);
    let direct = &look["functions"]["DirectFunction"];
    assert_eq!(
        (
            &direct["invocations"],
            &direct["errors"],
            &direct["throttles"]
        ),
        (&60.into(), &1.into(), &2.into())
    );
    assert_eq!(direct["p50Milliseconds"], 7.0, "{look}");
    assert_eq!(look["functions"]["ConnectFunction"]["invocations"], 0);
}
