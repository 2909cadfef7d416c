//! The same for what reviews need.

use serde_json::{Value, json};

use super::{Stack, rendered, start, start_with, without};
use crate::conversations::Chat;
use crate::project::built_example;

/// Messages to a friend and to a room, reviewed by one function.
const REVIEWED: &str = "[[routes]]\nkey = \"$default\"\nenvelope = true\nreview = \"filter\"\n\
                        [[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\ninclude-sender = true\n\
                        envelope = true\nreview = \"filter\"\n";

/// What Tom gets for a message to himself, and for one to his room.
async fn answers(stack: &Stack) -> [Value; 2] {
    let received = stack.client(|endpoint| {
        let mut tom = Chat::open(&endpoint, "Tom", "Tom");
        let frames = ["room 7", r#"{"action":"say","message":"room 7"}"#];
        frames.map(|frame| {
            tom.say(frame);
            tom.receive()
        })
    });
    received
        .await
        .map(|frame| serde_json::from_str(&frame).unwrap())
}

#[tokio::test]
async fn with_every_action_in_place_messages_are_reviewed() {
    let stack = start(&rendered(REVIEWED)).await;
    for answer in answers(&stack).await {
        assert_eq!(answer["text"], json!("room *"), "{answer}");
    }
    stack.logged_without_a_denial();
}

#[tokio::test]
async fn both_functions_need_invoke_function_to_have_messages_reviewed() {
    for (role, at) in [("DirectRole", 0), ("BroadcastRole", 1)] {
        let mut template = rendered(REVIEWED);
        // Broadcast may invoke the function for large rooms by a policy of its own.
        let policy = format!("/Resources/{}ReviewPolicy", role.replace("Role", ""));
        let action = format!("{policy}/Properties/PolicyDocument/Statement/0/Action");
        *template.pointer_mut(&action).unwrap() = json!("lambda:GetFunction");
        let stack = start(&template).await;
        let answers = answers(&stack).await;
        // No message passes without its review, and the other function's are reviewed.
        assert_eq!(answers[at]["error"], "Refused", "{answers:?}");
        assert_eq!(answers[1 - at]["text"], "room *", "{answers:?}");
        let function = role.replace("Role", "Function");
        stack.tells(&[&function, "message not reviewed"]).await;
        stack
            .tells_of_a_denial(&function, "lambda:InvokeFunction")
            .await;
    }
}

#[tokio::test]
async fn the_permission_is_for_the_functions_that_review_and_for_no_other() {
    let mut template = rendered(REVIEWED);
    let statement = "/Resources/DirectReviewPolicy/Properties/PolicyDocument/Statement/0/Resource";
    let resource = template.pointer_mut(statement).unwrap();
    assert_eq!(
        *resource,
        json!([{ "Fn::GetAtt": ["ReviewFilterFunction", "Arn"] }])
    );
    *resource = json!([{ "Fn::GetAtt": ["BroadcastFunction", "Arn"] }]);
    let stack = start(&template).await;
    assert_eq!(answers(&stack).await[0]["error"], "Refused");
    stack
        .tells_of_a_denial("DirectFunction", "lambda:InvokeFunction")
        .await;
}

#[tokio::test]
async fn the_review_function_needs_both_log_actions_to_log() {
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        let stack = start(&without(rendered(REVIEWED), "ReviewFilterRole", action)).await;
        assert_eq!(answers(&stack).await[0]["text"], "room *");
        let words = format!("`ReviewFilterFunction` does not allow {action}");
        stack.tells(&[&words]).await;
    }
}

/// A review function with secrets, at both places where AWS keeps them.
const WITH_SECRETS: &str = "[[routes]]\nkey = \"$default\"\nenvelope = true\nreview = \"filter\"\nreview-secrets = { KEY = { \
                            ssm = \"/chat/key\" }, PASSWORD = { secretsmanager = \"chat/db\" } }\n";

/// What the function makes of both secrets: it turns them round.
async fn secrets(template: &Value) -> (Stack, [Value; 2]) {
    let references = [
        ("ssm:/chat/key", "one"),
        ("secretsmanager:chat/db:SecretString", "two"),
        ("ssm:/another/chat", "three"),
    ];
    let references = references.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let censor = built_example("chat-sdk", "censor");
    let code = [("ReviewFilterFunction", censor.as_path())];
    let stack = start_with(template, &code, references.into()).await;
    let received = stack.client(|endpoint| {
        let mut tom = Chat::open(&endpoint, "Tom", "Tom");
        ["secret KEY", "secret PASSWORD"].map(|frame| {
            tom.say(frame);
            tom.receive()
        })
    });
    let received = received.await;
    (
        stack,
        received.map(|frame| serde_json::from_str(&frame).unwrap()),
    )
}

#[tokio::test]
async fn a_review_function_reads_its_secrets_with_the_permissions_that_follow_from_them() {
    let (stack, received) = secrets(&rendered(WITH_SECRETS)).await;
    let texts = received.each_ref().map(|frame| frame["text"].clone());
    assert_eq!(texts, ["eno", "owt"], "{received:?}");
    stack.logged_without_a_denial();
}

#[tokio::test]
async fn a_review_function_needs_the_action_of_each_place_of_its_secrets() {
    for (action, denied, allowed) in [
        ("ssm:GetParameter", 0, "owt"),
        ("secretsmanager:GetSecretValue", 1, "eno"),
    ] {
        let template = without(rendered(WITH_SECRETS), "ReviewFilterRole", action);
        let (stack, received) = secrets(&template).await;
        assert_eq!(received[denied]["error"], "Refused", "{received:?}");
        assert_eq!(received[1 - denied]["text"], allowed, "{received:?}");
        stack
            .tells_of_a_denial("ReviewFilterFunction", action)
            .await;
    }
}

#[tokio::test]
async fn a_review_function_reads_no_secret_but_its_own() {
    let mut template = rendered(WITH_SECRETS);
    let function = &mut template["Resources"]["ReviewFilterFunction"]["Properties"];
    function["Environment"]["Variables"]["SECRETS"] =
        r#"{"KEY":"ssm:/another/chat","PASSWORD":"secretsmanager:chat/db:SecretString"}"#.into();
    let (stack, received) = secrets(&template).await;
    assert_eq!(received[0]["error"], "Refused", "{received:?}");
    assert_eq!(received[1]["text"], "owt", "{received:?}");
    stack
        .tells_of_a_denial("ReviewFilterFunction", "ssm:GetParameter")
        .await;
}
