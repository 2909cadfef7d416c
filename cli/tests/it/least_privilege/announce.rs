//! The same for what announcements need, of the function that announces and of those that invoke it.

use chat_protocol::table;
use serde_json::{Value, json};
use testing::blocking::Client;

use super::requests::kick;
use super::{Stack, now, rendered, start, table_request, without, without_authorizer};
use crate::conversations::Chat;

const ANNOUNCE: &str = "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n[[routes]]\nkey = \"who\"\nanswers = \"who\"\nannounce = true\n";

/// More members than one function serves.
const CROWD: usize = 1_100;

fn ann_enters(endpoint: &str) -> Client {
    Client::open(endpoint, [("msgfrom", "Ann"), ("msgroom", "hall")]).unwrap()
}

/// Ann enters the hall, and stays.
async fn entered(stack: &Stack) -> Client {
    stack.client(|endpoint| ann_enters(&endpoint)).await
}

/// Ann enters the hall and leaves it.
async fn has_left(stack: &Stack) {
    stack.client(|endpoint| ann_enters(&endpoint).close()).await;
}

fn announced_without(role: &str, action: &str) -> Value {
    without(rendered(ANNOUNCE), role, action)
}

/// Records so many members of the hall who are called Bob and left an hour ago, each where it is looked for.
async fn bobs_have_vanished(stack: &Stack, count: usize) {
    let status = stack.stack.status();
    let name = &status.tables[0].name;
    let rows: Vec<_> = (0..count)
        .map(|number| {
            let id = format!("AAAA{number:05}AMCAAA=");
            json!({"PutRequest": {"Item": {
                "pk": {"S": table::room("hall", table::shard(&id))},
                "sk": {"S": table::connection(&id)},
                "name": {"S": "Bob"},
                "connected_at": {"N": (now() - 3600).to_string()},
                "expires_at": {"N": (now() + 3600).to_string()},
            }}})
        })
        .collect();
    for some in rows.chunks(25) {
        let request = json!({"RequestItems": {name: some}});
        table_request(&status.tables_endpoint, "BatchWriteItem", &request).await;
    }
}

/// Takes the permission to look for turns from `role`, by the statement that has a condition.
fn without_looking(mut template: Value, role: &str) -> Value {
    let path = format!("/Resources/{role}/Properties/Policies/1/PolicyDocument/Statement");
    let statements = template.pointer_mut(&path).unwrap().as_array_mut().unwrap();
    for statement in statements {
        if statement["Action"].to_string().contains("dynamodb:Query") {
            let condition = &mut statement["Condition"]["ForAllValues:StringLike"];
            let keys = condition["dynamodb:LeadingKeys"].as_array_mut().unwrap();
            keys.retain(|key| key != "P#*");
            keys.push(json!("none"));
        }
    }
    template
}

/// Takes the policy by which the function of `family` invokes the one that announces.
fn without_invoking(mut template: Value, family: &str) -> Value {
    let resources = template["Resources"].as_object_mut().unwrap();
    resources
        .shift_remove(&format!("{family}AnnouncePolicy"))
        .unwrap();
    template
}

#[tokio::test]
async fn with_every_action_in_place_people_are_announced_and_nothing_is_denied() {
    for template in [rendered(ANNOUNCE), without_authorizer(rendered(ANNOUNCE))] {
        let stack = start(&template).await;
        let read = stack.client(|endpoint| {
            let mut guest = Chat::open_in(&endpoint, "hall");
            let mut ann = ann_enters(&endpoint);
            let read = [ann.receive(), guest.receive()];
            ann.close();
            (read, guest.receive())
        });
        let (arrived, left) = read.await;
        for frame in &arrived {
            let frame: Value = serde_json::from_str(frame).unwrap();
            assert_eq!(frame["arrived"], json!(["Ann"]));
        }
        let left: Value = serde_json::from_str(&left).unwrap();
        assert_eq!(
            (&left["left"], &left["people"]),
            (&json!(["Ann"]), &json!(0))
        );
        bobs_have_vanished(&stack, 1).await;
        let _ann = entered(&stack).await;
        stack.tells(&["AnnounceFunction", "\"gone\":1"]).await;
        stack.logged_without_a_denial();
    }
}

#[tokio::test]
async fn connect_and_disconnect_need_query_to_find_an_open_turn() {
    for role in ["Connect", "Disconnect"] {
        let template = without_looking(rendered(ANNOUNCE), &format!("{role}Role"));
        let stack = start(&template).await;
        has_left(&stack).await;
        let denied = "not authorized to perform: dynamodb:Query";
        let function = format!("{role}Function");
        stack
            .tells(&[&function, "change not announced", denied])
            .await;
    }
}

#[tokio::test]
async fn connect_and_disconnect_need_update_item_to_open_a_turn() {
    for role in ["Connect", "Disconnect"] {
        let mut template = announced_without(&format!("{role}Role"), "dynamodb:UpdateItem");
        if role == "Disconnect" {
            // Else the turn that `connect` has opened is still open.
            template = without(template, "ConnectRole", "dynamodb:UpdateItem");
        }
        let stack = start(&template).await;
        has_left(&stack).await;
        let denied = "not authorized to perform: dynamodb:UpdateItem";
        let function = format!("{role}Function");
        stack
            .tells(&[&function, "change not announced", denied])
            .await;
    }
}

#[tokio::test]
async fn connect_and_disconnect_need_invoke_function_to_have_it_announced() {
    let template = without_invoking(rendered(ANNOUNCE), "Connect");
    let stack = start(&without_invoking(template, "Disconnect")).await;
    has_left(&stack).await;
    let denied = "not authorized to perform: lambda:InvokeFunction";
    for function in ["ConnectFunction", "DisconnectFunction"] {
        stack
            .tells(&[function, "announcer not invoked", denied])
            .await;
    }
}

/// One message to so many members of the hall who left an hour ago and were called Bob; waits for what `function` says.
async fn message_to_the_gone(template: &Value, members: usize, function: &str, words: &[&str]) {
    let stack = start(template).await;
    bobs_have_vanished(&stack, members).await;
    let guest = stack.client(|endpoint| {
        let mut guest = Chat::open_in(&endpoint, "hall");
        guest.say("hello");
        guest
    });
    let _guest = guest.await;
    stack.tells(&[&[function], words].concat()).await;
}

#[tokio::test]
async fn when_members_are_gone_broadcast_and_deliver_need_update_item_and_invoke_function() {
    for (role, members) in [("Broadcast", 1), ("Deliver", CROWD)] {
        let function = format!("{role}Function");
        let template = announced_without(&format!("{role}Role"), "dynamodb:UpdateItem");
        let words = [
            "change not announced",
            "not authorized to perform: dynamodb:UpdateItem",
        ];
        message_to_the_gone(&template, members, &function, &words).await;
        let template = without_invoking(rendered(ANNOUNCE), role);
        let words = [
            "announcer not invoked",
            "not authorized to perform: lambda:InvokeFunction",
        ];
        message_to_the_gone(&template, members, &function, &words).await;
    }
}

#[tokio::test]
async fn kick_needs_update_item_and_invoke_function_when_a_person_has_left_unnoticed() {
    let kick = || kick("announce = true\n");
    for (template, words) in [
        (
            without(kick(), "KickRole", "dynamodb:UpdateItem"),
            [
                "change not announced",
                "not authorized to perform: dynamodb:UpdateItem",
            ],
        ),
        (
            without_invoking(kick(), "Kick"),
            [
                "announcer not invoked",
                "not authorized to perform: lambda:InvokeFunction",
            ],
        ),
    ] {
        let stack = start(&template).await;
        bobs_have_vanished(&stack, 1).await;
        let answer = stack.client(|endpoint| {
            let mut mo = Chat::open_in(&endpoint, "hall");
            mo.say(r#"{"action":"kick","name":"Bob"}"#);
            mo.receive()
        });
        assert!(answer.await.contains("kicked"));
        stack.tells(&[&["KickFunction"], &words[..]].concat()).await;
    }
}

#[tokio::test]
async fn announce_needs_query_and_update_item_to_announce_anything() {
    for action in ["dynamodb:Query", "dynamodb:UpdateItem"] {
        let stack = start(&announced_without("AnnounceRole", action)).await;
        let _ann = entered(&stack).await;
        stack.tells_of_a_denial("AnnounceFunction", action).await;
    }
}

#[tokio::test]
async fn announce_needs_manage_connections_to_post() {
    let action = "execute-api:ManageConnections";
    let stack = start(&announced_without("AnnounceRole", action)).await;
    let _ann = entered(&stack).await;
    stack.tells(&["AnnounceFunction", action]).await;
}

#[tokio::test]
async fn announce_needs_delete_item_to_forget_members_who_are_gone() {
    let stack = start(&announced_without("AnnounceRole", "dynamodb:DeleteItem")).await;
    bobs_have_vanished(&stack, 1).await;
    let _ann = entered(&stack).await;
    let denied = "not authorized to perform: dynamodb:DeleteItem";
    stack
        .tells(&["AnnounceFunction", "gone connection not forgotten", denied])
        .await;
}

#[tokio::test]
async fn announce_needs_both_log_actions_to_log() {
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        let stack = start(&announced_without("AnnounceRole", action)).await;
        let _ann = entered(&stack).await;
        let words = format!("`AnnounceFunction` does not allow {action}");
        stack.tells(&[&words]).await;
    }
}
