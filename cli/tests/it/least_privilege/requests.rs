//! The same for the functions that answer requests.

use serde_json::{Value, json};

use super::{Stack, give_reads_of_sessions, now, policies, rendered, start, without};
use crate::conversations::Chat;

const WHO: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n[[routes]]\nkey = \"who\"\nanswers = \"who\"\n";

/// What a client in the hall gets as the answer to who is there.
async fn answer(stack: &Stack) -> String {
    let answer = stack.client(|endpoint| {
        let mut ann = Chat::open_in(&endpoint, "hall");
        ann.say(r#"{"action":"who"}"#);
        ann.receive()
    });
    answer.await
}

#[tokio::test]
async fn with_every_action_in_place_the_question_is_answered() {
    let mut without_authorizer = rendered(WHO);
    give_reads_of_sessions(&mut without_authorizer);
    policies::take_authorizer(&mut without_authorizer);
    for template in [rendered(WHO), without_authorizer] {
        let stack = start(&template).await;
        let answer: Value = serde_json::from_str(&answer(&stack).await).unwrap();
        assert_eq!(
            (&answer["type"], &answer["nameless"]),
            (&json!("who"), &json!(1))
        );
        stack.logged_without_a_denial();
    }
}

#[tokio::test]
async fn who_needs_query_to_read_the_room() {
    let stack = start(&without(rendered(WHO), "WhoRole", "dynamodb:Query")).await;
    assert!(answer(&stack).await.contains("Internal server error"));
    stack
        .tells_of_a_denial("WhoFunction", "dynamodb:Query")
        .await;
}

#[tokio::test]
async fn who_needs_manage_connections_to_answer() {
    let action = "execute-api:ManageConnections";
    let stack = start(&without(rendered(WHO), "WhoRole", action)).await;
    let asked = stack.client(|endpoint| {
        let mut ann = Chat::open_in(&endpoint, "hall");
        ann.say(r#"{"action":"who"}"#);
        ann
    });
    let _asked = asked.await;
    stack.tells(&["WhoFunction", action]).await;
}

/// A stack in which every client is a moderator: the template of one with tokens, without what asks for them.
///
/// `options` are those of the route that answers who is there.
pub(super) fn kick(options: &str) -> Value {
    let text =
        "[auth]\nmode = \"jwt\"\nissuer = \"https://issuer.example\"\naudience = [\"chat\"]\n";
    let mut template = rendered(&format!(
        "{text}{WHO}{options}[[routes]]\nkey = \"kick\"\nanswers = \"kick\"\n"
    ));
    let functions = template["Resources"].as_object_mut().unwrap();
    for (_, function) in functions {
        let variables = function.pointer_mut("/Properties/Environment/Variables");
        if let Some(variables) = variables.and_then(Value::as_object_mut) {
            variables.retain(|name, _| !name.starts_with("AUTH"));
        }
    }
    template
}

/// Ends the connections of Bob, who is in the hall; answers what the moderator gets.
async fn bob_is_kicked(stack: &Stack) -> String {
    let answer = stack.client(|endpoint| {
        let named = [("msgfrom", "Bob"), ("msgroom", "hall")];
        let _bob = testing::blocking::Client::open(&endpoint, named).unwrap();
        let mut mo = Chat::open_in(&endpoint, "hall");
        mo.say(r#"{"action":"kick","name":"Bob"}"#);
        mo.receive()
    });
    answer.await
}

#[tokio::test]
async fn with_every_action_in_place_a_person_s_connections_are_ended() {
    let stack = start(&kick("")).await;
    assert_eq!(
        bob_is_kicked(&stack).await,
        r#"{"type":"kicked","name":"Bob","connections":1}"#
    );
    stack.logged_without_a_denial();
}

#[tokio::test]
async fn kick_needs_query_and_to_end_connections() {
    let stack = start(&without(kick(""), "KickRole", "dynamodb:Query")).await;
    assert!(
        bob_is_kicked(&stack)
            .await
            .contains("Internal server error")
    );
    stack
        .tells_of_a_denial("KickFunction", "dynamodb:Query")
        .await;

    let mut template = kick("");
    let post = template.pointer_mut(
        "/Resources/KickRole/Properties/Policies/2/PolicyDocument/Statement/0/Resource",
    );
    let posts_only = post.as_ref().unwrap()[0].clone();
    *post.unwrap() = posts_only;
    let stack = start(&template).await;
    assert_eq!(
        bob_is_kicked(&stack).await,
        r#"{"type":"kicked","name":"Bob","connections":0}"#
    );
    stack.tells(&["KickFunction", "connection not ended"]).await;
}

#[tokio::test]
async fn kick_needs_delete_item_to_forget_a_device_that_has_left_unnoticed() {
    let stack = start(&without(kick(""), "KickRole", "dynamodb:DeleteItem")).await;
    stack.fill(1, now() - 3600).await;
    bob_is_kicked(&stack).await;
    stack
        .tells(&["KickFunction", "gone connection not forgotten"])
        .await;
    stack
        .tells_of_a_denial("KickFunction", "dynamodb:DeleteItem")
        .await;
}
