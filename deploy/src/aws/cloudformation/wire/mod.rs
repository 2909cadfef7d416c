//! What is sent to CloudFormation and what is made of its answers, to the letter. The expectations were recorded with the
//! generated client of the AWS SDK (aws-sdk-cloudformation 1.136.0), so they say what its protocol is. Four have
//! changed since, of answers that no service gives: of elements twice or within a text.

mod answers;
mod broken;
mod change_sets;
mod changes;
mod refusals;
mod requests;

use std::fmt::Write as _;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_types::retry::RetryConfig;
use expect_test::Expect;
use percent_encoding::percent_decode_str;

use super::super::stub::{Stub, StubResponse};
use super::*;
use crate::engine::Change;

/// A client of a stub with these answers.
async fn cloud(answers: Vec<StubResponse>) -> (Cloud, Stub) {
    let stub = Stub::answering(answers).await;
    let cloud = Cloud::new(&stub.config().await, "eu-west-1", &Default::default());
    (cloud, stub)
}

/// An answer to `action` with `members`.
fn page(action: &str, members: &str) -> StubResponse {
    let xml = format!(
        "<?xml version=\"1.0\"?>\n<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\n  \
         <{action}Result>{members}</{action}Result>\n  <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\n\
         </{action}Response>\n"
    );
    (200, xml)
}

/// An error as far as a user notices it, and what the engine decides by.
fn reported(error: &TargetError) -> String {
    let mut text = format!("{:?}: {error}", error.kind);
    if let Some(source) = &error.source {
        write!(text, " | {source}").unwrap();
    }
    if let Some(hint) = &error.hint {
        let beginning: String = hint.chars().take(48).collect();
        write!(text, " | hint: {beginning}").unwrap();
    }
    text
}

/// A result in one line.
fn shown<T: std::fmt::Debug>(result: Result<T, TargetError>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => reported(&error),
    }
}

fn ids() -> ChangeSetIds {
    ChangeSetIds {
        change_set: "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/c/1".into(),
        stack: "arn:aws:cloudformation:eu-west-1:123456789012:stack/chat/1".into(),
    }
}

/// A change set to compute, without anything that may be left out.
fn request() -> NewChangeSet {
    NewChangeSet {
        name: "chatctl-1".into(),
        stack: "chat".into(),
        change: Change::Create,
        template: Template::new(serde_json::json!({"Resources": {}})),
        parameters: Default::default(),
        tags: Default::default(),
        mode: DeployMode::Standard,
    }
}

/// Text with every kind of character that a form, an URL or XML treats in its own way.
const ODD: &str = "a+b & c=d/é%41 ~-_.*'\"<>;,?#[]\n\t\\ 🦀";

/// A request as a line of its method and path, and a line for each pair.
fn form(asked: &str) -> String {
    let (method_and_path, body) = asked.rsplit_once(' ').unwrap();
    let mut text = method_and_path.to_owned();
    for pair in body.split('&') {
        let (name, value) = pair.split_once('=').unwrap();
        // A form's space.
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().unwrap();
        write!(text, "\n{name} = {value:?}").unwrap();
    }
    text.push('\n');
    text
}

/// Compares the forms that `call` sends.
async fn check(answers: Vec<StubResponse>, call: impl AsyncFnOnce(&Cloud), expected: Expect) {
    let (cloud, stub) = cloud(answers).await;
    call(&cloud).await;
    let forms: Vec<_> = stub.asked().iter().map(|asked| form(asked)).collect();
    expected.assert_eq(&forms.concat());
}

/// A configuration with three attempts and hardly a pause in between.
async fn patient() -> SdkConfig {
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(1));
    let config = Stub::answering(Vec::new()).await.config().await;
    config.into_builder().retry_config(retries).build()
}

/// What becomes of a request with this answer to each attempt, after their number.
async fn outcome(config: &SdkConfig, answer: StubResponse) -> String {
    let stub = Stub::answering(vec![answer]).await;
    let config = config.clone().into_builder().endpoint_url(stub.url());
    let cloud = Cloud::new(&config.build(), "eu-west-1", &Default::default());
    let described = cloud.stack("chat").await;
    format!("{} {}\n", stub.asked().len(), shown(described))
}
