//! `chatctl logs`, from an emulator's CloudWatch Logs.

use std::time::Duration;

use serde_json::Value;
use testing::until::eventually;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::chat::two_friends_chat;
use crate::cloud::Cloud;

#[tokio::test]
async fn the_logs_of_a_deployed_stack_are_shown_and_followed_without_repetition() {
    let cloud = Cloud::start().await;
    let missing = cloud.chatctl("logs").await.exits(2);
    missing.explains("there is no stack `chat`");
    let url = cloud.deploy("--no-probe").await.exits(0).url();
    let mut following = cloud
        .command("logs --follow --function direct --output json")
        .spawn()
        .unwrap();
    two_friends_chat(&url).await;
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
        let line = line.expect("a line is told").unwrap().unwrap();
        serde_json::from_str::<Value>(&line).unwrap()
    };
    // The emulator writes START, the function's own words, END and REPORT for each of the two messages.
    let mut seen = Vec::new();
    let reports = |seen: &[Value]| {
        let reports = seen.iter().filter(|entry| {
            let message = entry["message"].as_str().unwrap();
            message.starts_with("REPORT RequestId:")
        });
        reports.count()
    };
    while reports(&seen) < 2 {
        seen.push(next().await);
    }
    two_friends_chat(&url).await;
    while reports(&seen) < 4 {
        seen.push(next().await);
    }
    assert!(
        seen.iter()
            .all(|entry| entry["function"] == "DirectFunction")
    );
    following.kill().await.unwrap();

    let all = cloud.chatctl("logs --output json").await.exits(0).stdout;
    let all: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for function in ["AuthorizeFunction", "ConnectFunction", "DirectFunction"] {
        assert!(
            all.iter().any(|entry| entry["function"] == function),
            "{function} is missing"
        );
    }
    let unknown = cloud.chatctl("logs --function drect").await.exits(2);
    unknown.explains("`Authorize`, `Connect`, `Direct`");
}

/// Where functions have no `LoggingConfig`, their groups have other names, and everything else is as anywhere.
#[tokio::test]
async fn in_govcloud_the_logs_of_functions_have_their_names_and_go_with_the_stack() {
    let cloud = Cloud::start().await;
    let there = "--region us-gov-west-1";
    let url = cloud
        .deploy(&format!("--no-probe {there}"))
        .await
        .exits(0)
        .url();
    two_friends_chat(&url).await;
    let words = format!("logs --output json {there}");
    let mut shown = String::new();
    eventually("what functions have written is shown", async || {
        shown = cloud.chatctl(&words).await.exits(0).stdout;
        ["AuthorizeFunction", "ConnectFunction", "DirectFunction"]
            .iter()
            .all(|function| shown.contains(function))
    })
    .await;
    assert!(shown.contains("REPORT RequestId:"), "{shown}");
    let status = cloud.chatctl(&format!("status {there}")).await.exits(0);
    assert!(!status.stdout.contains("differs"), "{}", status.stdout);
    let groups = async || {
        let body = serde_json::json!({});
        let target = "Logs_20140328.DescribeLogGroups";
        let region = "us-gov-west-1";
        let answer = crate::between::ask_in(region, cloud.port, "logs", target, &body).await;
        answer["logGroups"].to_string()
    };
    let found = groups().await;
    assert!(found.contains("/aws/lambda/chat-DirectFunction"), "{found}");
    cloud
        .chatctl(&format!("teardown --yes {there}"))
        .await
        .exits(0);
    // The emulator makes that of a late `$disconnect` anew, although the role may not.
    let left = groups().await;
    assert!(!left.contains("DirectFunction"), "{left}");
}
