//! The same for what `[limits]` adds.

use serde_json::Value;

use super::{Stack, rendered, start, without};
use crate::conversations::Chat;

const LIMITED: &str = "[limits]\nmessages-per-second = 1\nconnections-per-name = 1\n";

fn limited_without(role: &str, action: &str) -> Value {
    without(rendered(LIMITED), role, action)
}

/// Why a second connection of Tom is refused.
async fn second_tom_is_refused(stack: &Stack) -> String {
    let refused = stack.client(|endpoint| {
        let _tom = Chat::open(&endpoint, "Tom", "Tom");
        Chat::try_open(&endpoint, Some("Tom"), Some("Tom")).map(Chat::close)
    });
    refused.await.unwrap_err()
}

#[tokio::test]
async fn with_every_action_in_place_limits_deny_nothing() {
    let stack = start(&rendered(LIMITED)).await;
    let refused = second_tom_is_refused(&stack).await;
    assert!(refused.contains("429"), "{refused}");
    let received = stack.client(|endpoint| {
        let mut ann = Chat::open(&endpoint, "Ann", "Ann");
        ann.say("hello");
        ann.receive()
    });
    assert_eq!(received.await, "hello");
    stack.logged_without_a_denial();
}

#[tokio::test]
async fn connect_needs_query_to_count_the_connections_of_a_name() {
    // The look for a ban has a permission of its own, for bans only.
    let mut template = rendered(LIMITED);
    let table = "/Resources/ConnectRole/Properties/Policies/1/PolicyDocument/Statement/0/Action";
    let actions = template.pointer_mut(table).unwrap();
    let actions = actions.as_array_mut().unwrap();
    let before = actions.len();
    actions.retain(|action| action != "dynamodb:Query");
    assert_eq!(actions.len(), before - 1);
    let stack = start(&template).await;
    let refused = stack
        .client(|endpoint| Chat::try_open(&endpoint, Some("Tom"), Some("Tom")).err())
        .await;
    assert!(refused.unwrap().contains("500"));
    stack
        .tells_of_a_denial("ConnectFunction", "dynamodb:Query")
        .await;
}

#[tokio::test]
async fn connect_needs_delete_item_to_take_a_refused_connection_back() {
    let stack = start(&limited_without("ConnectRole", "dynamodb:DeleteItem")).await;
    let refused = second_tom_is_refused(&stack).await;
    assert!(refused.contains("429"), "{refused}");
    stack
        .tells_of_a_denial("ConnectFunction", "dynamodb:DeleteItem")
        .await;
}

#[tokio::test]
async fn direct_needs_update_item_to_count_messages() {
    let stack = start(&limited_without("DirectRole", "dynamodb:UpdateItem")).await;
    let received = stack.tom_talks_to_himself().await;
    assert!(received.contains("Internal server error"), "{received}");
    stack
        .tells_of_a_denial("DirectFunction", "dynamodb:UpdateItem")
        .await;
}
