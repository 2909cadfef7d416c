//! The same for messages that are kept.

use serde_json::{Value, json};
use testing::blocking::Client;

use super::{Stack, give_reads_of_sessions, now, policies, rendered, start, without};

const KEPT: &str = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\nenvelope = true\nhistory = \"1h\"\n\
                    [[routes]]\nkey = \"tell\"\ntext = \"message\"\nenvelope = true\nhistory = \"1h\"\n\
                    [[routes]]\nkey = \"history\"\nanswers = \"history\"\n\
                    [[routes]]\nkey = \"delete\"\nanswers = \"delete\"\n";

fn ann(endpoint: &str) -> Client {
    let named = [("msgfrom", "Ann"), ("msgto", "Bob"), ("msgroom", "hall")];
    Client::open(endpoint, named).unwrap()
}

/// What Ann, in the hall, gets for each of `frames`. `ID` in one stands for the id in the first answer.
async fn answers(stack: &Stack, frames: &[Value]) -> Vec<Value> {
    let frames: Vec<_> = frames.iter().map(Value::to_string).collect();
    let answers = stack.client(move |endpoint| {
        let mut ann = ann(&endpoint);
        let mut answers: Vec<Value> = Vec::new();
        for frame in frames {
            let id = answers.first().and_then(|first| first["id"].as_str());
            ann.send(&frame.replace("ID", id.unwrap_or_default()));
            answers.push(serde_json::from_str(&ann.receive()).unwrap());
        }
        answers
    });
    answers.await
}

fn say() -> Value {
    json!({"action": "say", "message": "hi", "ref": "r1"})
}

fn tell() -> Value {
    json!({"action": "tell", "message": "hi", "ref": "r1"})
}

fn delete() -> Value {
    json!({"action": "delete", "id": "ID", "ref": "r2"})
}

#[tokio::test]
async fn with_every_action_in_place_messages_are_kept_read_and_deleted() {
    let mut without_authorizer = rendered(KEPT);
    give_reads_of_sessions(&mut without_authorizer);
    policies::take_authorizer(&mut without_authorizer);
    for template in [rendered(KEPT), without_authorizer] {
        let stack = start(&template).await;
        let read = json!({"action": "history"});
        let answers = answers(&stack, &[say(), read.clone(), delete(), read, tell()]).await;
        assert_eq!(answers[0]["stored"], true, "{answers:?}");
        assert_eq!(answers[1]["entries"][0]["text"], "hi", "{answers:?}");
        assert_eq!(answers[2]["type"], "done", "{answers:?}");
        assert_eq!(answers[3]["entries"][0]["type"], "deleted", "{answers:?}");
        let stored = (&answers[4]["delivered"], &answers[4]["stored"]);
        assert_eq!(stored, (&json!(0), &json!(true)), "{answers:?}");
        stack.logged_without_a_denial();
    }
}

#[tokio::test]
async fn messages_need_put_item_to_be_kept() {
    let action = "dynamodb:PutItem";
    for (family, frame) in [("Broadcast", say()), ("Direct", tell())] {
        let template = without(rendered(KEPT), &format!("{family}Role"), action);
        let stack = start(&template).await;
        let answers = answers(&stack, &[frame]).await;
        assert_eq!(answers[0]["error"], "NotStored", "{answers:?}");
        let function = format!("{family}Function");
        stack.tells(&[&function, "message not kept"]).await;
        stack.tells_of_a_denial(&function, action).await;
    }
}

#[tokio::test]
async fn history_needs_query_to_read_and_manage_connections_to_answer() {
    let template = without(rendered(KEPT), "HistoryRole", "dynamodb:Query");
    let stack = start(&template).await;
    let answers = answers(&stack, &[json!({"action": "history"})]).await;
    assert_eq!(answers[0]["message"], "Internal server error");
    stack
        .tells_of_a_denial("HistoryFunction", "dynamodb:Query")
        .await;
    silent("HistoryRole", json!({"action": "history"})).await;
}

/// Without its permission to post, the function of `role` cannot answer `frame`.
async fn silent(role: &str, frame: Value) {
    let action = "execute-api:ManageConnections";
    let stack = start(&without(rendered(KEPT), role, action)).await;
    let asked = stack.client(move |endpoint| {
        let mut ann = ann(&endpoint);
        ann.send(&frame.to_string());
        ann
    });
    let _asked = asked.await;
    let function = role.replace("Role", "Function");
    stack.tells(&[&function, action]).await;
}

#[tokio::test]
async fn delete_needs_query_to_find_a_message_and_put_item_to_replace_it() {
    for action in ["dynamodb:Query", "dynamodb:PutItem"] {
        let stack = start(&without(rendered(KEPT), "DeleteRole", action)).await;
        let answers = answers(&stack, &[say(), delete()]).await;
        assert_eq!(
            answers[1]["message"], "Internal server error",
            "{answers:?}"
        );
        stack.tells_of_a_denial("DeleteFunction", action).await;
    }
    silent("DeleteRole", json!({"action": "delete"})).await;
}

#[tokio::test]
async fn delete_needs_delete_item_to_forget_a_device_that_has_left_unnoticed() {
    let action = "dynamodb:DeleteItem";
    let stack = start(&without(rendered(KEPT), "DeleteRole", action)).await;
    let gone = now() - 3600;
    let answers = {
        let kept = answers(&stack, &[say()]).await;
        stack.fill(1, gone).await;
        let order = json!({"action": "delete", "id": kept[0]["id"], "ref": "r2"});
        answers(&stack, &[order]).await
    };
    assert_eq!(answers[0]["type"], "done", "{answers:?}");
    stack
        .tells(&["DeleteFunction", "gone connection not forgotten"])
        .await;
    stack.tells_of_a_denial("DeleteFunction", action).await;
}

/// Functions that write or read messages touch nothing else of the table: no connection can be forged, and none be listed.
#[tokio::test]
async fn permissions_on_messages_are_none_on_connections() {
    let template = rendered(KEPT);
    for (role, action) in [
        ("BroadcastRole", "dynamodb:PutItem"),
        ("DirectRole", "dynamodb:PutItem"),
        ("DeleteRole", "dynamodb:PutItem"),
        ("HistoryRole", "dynamodb:Query"),
    ] {
        let statements = &template["Resources"][role]["Properties"]["Policies"][1]["PolicyDocument"]
            ["Statement"];
        let mut of_action = statements.as_array().unwrap().iter().filter(|statement| {
            let actions = statement["Action"].as_array().unwrap();
            actions.contains(&json!(action))
        });
        let statement = of_action.next().unwrap();
        let condition = json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["M#*"]}});
        assert_eq!(statement["Condition"], condition, "{role}");
        assert!(of_action.next().is_none(), "{role}");
    }
    let plain = rendered("[[routes]]\nkey = \"say\"\nreceivers = \"room\"\nenvelope = true\n");
    let role = plain["Resources"]["BroadcastRole"].to_string();
    assert!(!role.contains("PutItem"), "{role}");
}
