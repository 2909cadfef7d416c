//! The same for the two functions that rooms need.

use serde_json::{Value, json};

use super::{Stack, now, rendered, start, table_request, without, without_authorizer};
use crate::conversations::Chat;

/// A stack of rooms whose frames are the text, for everybody but the sender.
const RELAY: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n";

/// More members than one function serves.
const CROWD: usize = 1_100;

#[tokio::test]
async fn with_every_action_in_place_a_room_denies_nothing_however_large_it_is() {
    for template in [rendered(RELAY), without_authorizer(rendered(RELAY))] {
        let stack = start(&template).await;
        assert_eq!(bob_receives(&stack).await, "hello");
        stack.fill(CROWD, now()).await;
        assert_eq!(bob_receives(&stack).await, "hello");
        stack.tells(&["DeliverFunction", "shard served"]).await;
        stack.tells(&["DisconnectFunction", "disconnected"]).await;
        let logged = stack.logged_without_a_denial();
        assert!(!logged.contains("not handed over"), "{logged}");
    }
}

#[tokio::test]
async fn broadcast_needs_query_to_find_the_room() {
    let stack = start(&relay_without("BroadcastRole", "dynamodb:Query")).await;
    let received = stack.client(|endpoint| ann_says_hello(&endpoint).receive());
    assert!(received.await.contains("Internal server error"));
    stack
        .tells_of_a_denial("BroadcastFunction", "dynamodb:Query")
        .await;
}

#[tokio::test]
async fn broadcast_needs_get_item_to_know_the_room_where_there_is_no_authorizer() {
    let template = without_authorizer(rendered(RELAY));
    let stack = start(&without(template, "BroadcastRole", "dynamodb:GetItem")).await;
    let received = stack.client(|endpoint| ann_says_hello(&endpoint).receive());
    assert!(received.await.contains("Internal server error"));
    stack
        .tells_of_a_denial("BroadcastFunction", "dynamodb:GetItem")
        .await;
}

#[tokio::test]
async fn broadcast_needs_manage_connections_to_deliver_anything() {
    let template = relay_without("BroadcastRole", "execute-api:ManageConnections");
    let stack = start(&template).await;
    let both = stack.client(|endpoint| {
        let bob = Chat::open_in(&endpoint, "hall");
        (bob, ann_says_hello(&endpoint))
    });
    let _both = both.await;
    stack
        .tells(&["BroadcastFunction", "execute-api:ManageConnections"])
        .await;
}

#[tokio::test]
async fn broadcast_needs_delete_item_to_forget_a_member_who_is_gone() {
    let stack = start(&relay_without("BroadcastRole", "dynamodb:DeleteItem")).await;
    stack.fill(1, now() - 3600).await;
    assert_eq!(bob_receives(&stack).await, "hello", "it stops nobody");
    stack
        .tells(&[
            "BroadcastFunction",
            "gone connection not forgotten",
            "not authorized to perform: dynamodb:DeleteItem",
        ])
        .await;
}

#[tokio::test]
async fn broadcast_needs_invoke_function_to_hand_over_a_large_room() {
    let stack = start(&relay_without("BroadcastRole", "lambda:InvokeFunction")).await;
    stack.fill(CROWD, now()).await;
    assert_eq!(
        bob_receives(&stack).await,
        "hello",
        "it is served all the same"
    );
    stack
        .tells(&[
            "BroadcastFunction",
            "shard not handed over",
            "not authorized to perform: lambda:InvokeFunction",
        ])
        .await;
}

#[tokio::test]
async fn deliver_needs_query_to_find_its_part_of_the_room() {
    let logged = &["not authorized to perform: dynamodb:Query"];
    deliver_is_denied("dynamodb:Query", logged).await;
}

#[tokio::test]
async fn deliver_needs_manage_connections_to_deliver_anything() {
    let logged = &["execute-api:ManageConnections"];
    deliver_is_denied("execute-api:ManageConnections", logged).await;
}

#[tokio::test]
async fn deliver_needs_delete_item_to_forget_members_who_are_gone() {
    let logged = &[
        "gone connection not forgotten",
        "not authorized to perform: dynamodb:DeleteItem",
    ];
    deliver_is_denied("dynamodb:DeleteItem", logged).await;
}

#[tokio::test]
async fn deliver_needs_invoke_function_to_hand_on_what_it_has_no_time_for() {
    let stack = start(&in_a_hurry(rendered(RELAY))).await;
    stack.fill(BIG_CROWD, now() - 3600).await;
    let ann = stack.client(|endpoint| ann_says_hello(&endpoint));
    let _ann = ann.await;
    stack.tells(&["DeliverFunction", "shard handed on"]).await;
    stack.tells(&["DeliverFunction", "\"step\":1"]).await;
    stack.logged_without_a_denial();

    let template = relay_without("DeliverRole", "lambda:InvokeFunction");
    let stack = start(&in_a_hurry(template)).await;
    stack.fill(BIG_CROWD, now() - 3600).await;
    let ann = stack.client(|endpoint| ann_says_hello(&endpoint));
    let _ann = ann.await;
    stack
        .tells(&[
            "DeliverFunction",
            "shard not served to its end",
            "not authorized to perform: lambda:InvokeFunction",
        ])
        .await;
}

/// More members than Deliver serves while it is [`in_a_hurry`].
const BIG_CROWD: usize = 3_000;

/// Gives Deliver so little time that it must hand on.
fn in_a_hurry(mut template: Value) -> Value {
    template["Resources"]["DeliverFunction"]["Properties"]["Timeout"] = json!(1);
    template
}

#[tokio::test]
async fn both_roles_need_both_log_actions_to_log() {
    for function in ["Broadcast", "Deliver"] {
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            let stack = start(&relay_without(&format!("{function}Role"), action)).await;
            stack.fill(CROWD, now()).await;
            assert_eq!(bob_receives(&stack).await, "hello");
            let words = format!("`{function}Function` does not allow {action}");
            stack.tells(&[&words]).await;
        }
    }
}

/// Takes `action` from Deliver, lets a client send to a crowd that left an hour ago, and waits for what Deliver says.
async fn deliver_is_denied(action: &str, words: &[&str]) {
    let stack = start(&relay_without("DeliverRole", action)).await;
    stack.fill(CROWD, now() - 3600).await;
    let ann = stack.client(|endpoint| ann_says_hello(&endpoint));
    let _ann = ann.await;
    stack.tells(&[&["DeliverFunction"], words].concat()).await;
}

fn relay_without(role: &str, action: &str) -> Value {
    without(rendered(RELAY), role, action)
}

/// Ann and Bob meet in the hall, Ann says hello, and both leave. Answers what Bob received.
async fn bob_receives(stack: &Stack) -> String {
    let received = stack.client(|endpoint| {
        let mut bob = Chat::open_in(&endpoint, "hall");
        let ann = ann_says_hello(&endpoint);
        let received = bob.receive();
        ann.close();
        bob.close();
        received
    });
    received.await
}

fn ann_says_hello(endpoint: &str) -> Chat {
    let mut ann = Chat::open_in(endpoint, "hall");
    ann.say("hello");
    ann
}

impl Stack {
    /// Records so many members of the hall who have no connection any more.
    pub(super) async fn fill(&self, count: usize, connected_at: u64) {
        let status = self.stack.status();
        let table = &status.tables[0].name;
        let rows: Vec<_> = (0..count)
            .map(|number| {
                json!({"PutRequest": {"Item": {
                    "pk": {"S": "R#hall#0"}, "sk": {"S": format!("C#AAAA{number:05}AMCAAA=")},
                    "name": {"S": "Bob"},
                    "connected_at": {"N": connected_at.to_string()},
                    "expires_at": {"N": (now() + 3600).to_string()},
                }}})
            })
            .collect();
        for some in rows.chunks(25) {
            let request = json!({"RequestItems": {table: some}});
            table_request(&status.tables_endpoint, "BatchWriteItem", &request).await;
        }
    }
}
