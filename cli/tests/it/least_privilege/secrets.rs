//! What each permission of a handler with secrets is for.
//!
//! Not shown here: `kms:Decrypt`, because nothing on this machine is encrypted by a key of KMS, and the network interfaces of a
//! VPC, which only Lambda itself makes.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use super::{Chat, Stack, rendered, start_with, without};
use crate::project::built_example;

const CONFIG: &str = r#"
[[routes]]
key = "$default"
[[routes]]
key = "do"
handler = "do"
reply = true
secrets = { KEY = { ssm = "/chat/key:2" }, PASSWORD = { secretsmanager = "chat/db", json-key = "password" } }
"#;

fn handler() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built_example("chat-sdk", "everything"))
}

async fn start(template: &Value) -> Stack {
    let references = [
        ("ssm:/chat/key:2", "one"),
        ("secretsmanager:chat/db:SecretString:password", "two"),
        ("ssm:/another/chat", "three"),
    ];
    let references = references.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let code = [("HandlerDoFunction", handler().as_path())];
    start_with(template, &code, references.into()).await
}

/// The handler's replies about both secrets, which are turned round.
async fn secrets(stack: &Stack) -> [String; 2] {
    let asked = stack.client(|endpoint| {
        let mut tom = Chat::open(&endpoint, "Tom", "Tom");
        ["KEY", "PASSWORD"].map(|name| {
            tom.say(&format!(
                r#"{{"action":"do","do":"secret","text":"{name}"}}"#
            ));
            tom.receive()
        })
    });
    asked.await
}

#[tokio::test]
async fn a_handler_reads_its_secrets_with_the_permissions_that_follow_from_them() {
    let stack = start(&rendered(CONFIG)).await;
    assert_eq!(secrets(&stack).await, ["eno", "owt"]);
    stack.logged_without_a_denial();
}

#[tokio::test]
async fn a_handler_needs_get_parameter_and_get_secret_value_for_its_secrets() {
    for (action, denied, allowed) in [
        ("ssm:GetParameter", 0, "owt"),
        ("secretsmanager:GetSecretValue", 1, "eno"),
    ] {
        let template = without(rendered(CONFIG), "HandlerDoRole", action);
        let stack = start(&template).await;
        let received = secrets(&stack).await;
        assert!(
            received[denied].contains("Internal server error"),
            "{received:?}"
        );
        assert_eq!(received[1 - denied], allowed);
        stack.tells_of_a_denial("HandlerDoFunction", action).await;
    }
}

/// A reference to a secret that the role does not name, in the variable that only the template sets.
#[tokio::test]
async fn a_handler_reads_no_secret_but_its_own() {
    let mut template = rendered(CONFIG);
    let function = &mut template["Resources"]["HandlerDoFunction"]["Properties"];
    function["Environment"]["Variables"]["SECRETS"] =
        r#"{"KEY":"ssm:/another/chat","PASSWORD":"secretsmanager:other:SecretString"}"#.into();
    let stack = start(&template).await;
    for received in secrets(&stack).await {
        assert!(received.contains("Internal server error"), "{received}");
    }
    for action in ["ssm:GetParameter", "secretsmanager:GetSecretValue"] {
        stack.tells_of_a_denial("HandlerDoFunction", action).await;
    }
}
