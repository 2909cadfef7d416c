use chat_protocol::Index;
use chat_protocol::envelope::{Envelope, Message};

use super::fake::FakeChat;
use super::message::OPERATOR;
use super::*;
use crate::engine::ErrorKind;
use crate::stack::Template;
use crate::stack::records::Records;

const NOW: u64 = 1_767_225_600;

fn person(name: &str) -> ConnectionFilter {
    ConnectionFilter::Person(name.parse().unwrap())
}

fn room(name: &str) -> ConnectionFilter {
    ConnectionFilter::Room(name.parse().unwrap())
}

/// `connection name room` of each that is found, and whether these are all.
async fn found(chat: &FakeChat, index: Index, filter: &ConnectionFilter) -> (Vec<String>, bool) {
    let (found, is_complete) = find(chat, index, filter, NOW, 100).await.unwrap();
    let lines = found.iter().map(|one| {
        let said = |text: &Option<String>| text.clone().unwrap_or("-".into());
        let (name, room) = (said(&one.name), said(&one.room));
        format!("{} {name} {room}", one.connection)
    });
    (lines.collect(), is_complete)
}

/// The partition of `connection` in `room`.
fn of_room(room: &str, connection: &str) -> String {
    chat_protocol::table::room(room, chat_protocol::table::shard(connection))
}

fn member(chat: &FakeChat, room: &str, connection: &str, name: Option<&str>, at: u64) {
    chat.connect(&of_room(room, connection), connection, at);
    let mut items = chat.items.borrow_mut();
    let item = items
        .values_mut()
        .find(|item| item.sort == format!("C#{connection}") && item.partition.starts_with("R#"));
    item.unwrap().name = name.map(str::to_owned);
}

#[tokio::test]
async fn a_person_s_devices_are_found_across_pages_and_expired_ones_are_not() {
    let chat = FakeChat::default();
    for (number, connection) in ["a=", "b=", "c=", "d=", "e="].iter().enumerate() {
        chat.connect("U#Ann", connection, NOW - 10 + number as u64);
    }
    chat.record("U#Ann", "old=", NOW - 8_100);
    chat.connect("U#Bob", "z=", NOW);
    let (lines, is_complete) = found(&chat, Index::Friend, &person("Ann")).await;
    let all = ["a= Ann -", "b= Ann -", "c= Ann -", "d= Ann -", "e= Ann -"];
    assert_eq!(
        (lines, is_complete),
        (all.map(str::to_owned).to_vec(), true)
    );
}

#[tokio::test]
async fn a_connection_with_an_item_by_name_and_one_by_room_is_one() {
    let chat = FakeChat::default();
    chat.connect("U#Ann", "a=", NOW - 1);
    member(&chat, "hall", "a=", Some("Ann"), NOW - 1);
    let index = Index::FriendAndRoom;
    let all = found(&chat, index, &ConnectionFilter::Everybody).await.0;
    assert_eq!(all, ["a= Ann hall"]);
    assert_eq!(found(&chat, index, &room("hall")).await.0, ["a= Ann hall"]);
}

#[tokio::test]
async fn in_a_chat_of_rooms_alone_a_person_is_looked_for_everywhere() {
    let chat = FakeChat::default();
    member(&chat, "hall", "a=", Some("Ann"), NOW - 2);
    member(&chat, "attic", "b=", Some("Ann"), NOW - 1);
    member(&chat, "attic", "c=", None, NOW);
    let lines = found(&chat, Index::Room, &person("Ann")).await.0;
    assert_eq!(lines, ["a= Ann hall", "b= Ann attic"]);
    let all = found(&chat, Index::Room, &ConnectionFilter::Everybody)
        .await
        .0;
    assert_eq!(all, ["a= Ann hall", "b= Ann attic", "c= - attic"]);
}

#[tokio::test]
async fn a_chat_between_friends_has_no_room_to_look_in() {
    let chat = FakeChat::default();
    let outcome = find(&chat, Index::Friend, &room("hall"), NOW, 100).await;
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Usage);
    assert_eq!(chat.pages.get(), 0);
}

#[tokio::test]
async fn no_more_is_read_than_is_wanted_and_the_answer_says_so() {
    let chat = FakeChat::default();
    for number in 0..20 {
        chat.connect("U#Ann", &format!("{number:02}="), NOW);
    }
    let (found, is_complete) = find(&chat, Index::Friend, &ConnectionFilter::Everybody, NOW, 3)
        .await
        .unwrap();
    assert_eq!((found.len(), is_complete), (3, false));
    assert_eq!(chat.pages.get(), 2);
}

#[tokio::test]
async fn items_of_handlers_and_sessions_are_no_connections() {
    let chat = FakeChat::default();
    let alone = |partition: &str| Item {
        partition: partition.into(),
        sort: "#".into(),
        expires_at: NOW + 1,
        ..Item::default()
    };
    for partition in ["H#score", "C#a=", "B#Ann"] {
        chat.insert(alone(partition));
    }
    chat.record("H#U#Ann", "x=", NOW);
    let all = found(&chat, Index::Friend, &ConnectionFilter::Everybody).await;
    assert_eq!(all, (Vec::new(), true));
}

#[tokio::test]
async fn what_api_gateway_says_is_in_the_order_of_the_connections() {
    let chat = FakeChat::default();
    chat.connect("U#Ann", "a=", NOW).record("U#Ann", "b=", NOW);
    let (all, _) = find(&chat, Index::Friend, &person("Ann"), NOW, 9)
        .await
        .unwrap();
    let said = activity(&chat, &all).await.unwrap();
    assert!(said[0].is_some() && said[1].is_none(), "{said:?}");
}

#[tokio::test]
async fn a_message_is_counted_by_what_became_of_it() {
    let chat = FakeChat::default();
    chat.connect("U#Ann", "a=", NOW).connect("U#Ann", "b=", NOW);
    chat.record("U#Ann", "gone=", NOW);
    chat.failing
        .borrow_mut()
        .insert("b=".into(), ErrorKind::Unreachable);
    let (all, _) = find(&chat, Index::Friend, &person("Ann"), NOW, 9)
        .await
        .unwrap();
    let sent = send(&chat, &all, "hi").await.unwrap();
    assert_eq!((sent.accepted, sent.ended, sent.failed), (1, 1, 1));
    assert_eq!(sent.failure.unwrap().message, "b= fails");
    chat.failing
        .borrow_mut()
        .insert("b=".into(), ErrorKind::Denied);
    let denied = send(&chat, &all, "hi").await.unwrap_err();
    assert_eq!(denied.kind, ErrorKind::Denied);
}

#[tokio::test]
async fn a_kick_closes_every_device_and_removes_exactly_its_items() {
    let chat = FakeChat::default();
    chat.connect("U#Ann", "a=", NOW - 60);
    member(&chat, "hall", "a=", Some("Ann"), NOW - 60);
    // Where there are both kinds of routes, the item that is found by name has the room.
    for item in chat.items.borrow_mut().values_mut() {
        if item.partition == "U#Ann" {
            item.room = Some("hall".into());
        }
    }
    chat.record("U#Ann", "gone=", NOW - 60);
    chat.connect("U#Bob", "b=", NOW - 60);
    let target = (&chat, &chat);
    let kicked = kick(target, Index::FriendAndRoom, &person("Ann"), false, || NOW).await;
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let expected = Kicked {
        closed: set(&["a="]),
        ended: set(&["gone="]),
    };
    assert_eq!(kicked.unwrap(), expected);
    assert_eq!(chat.keys(), ["U#Bob/C#b="]);
    assert!(chat.open.borrow().contains("b="));
}

#[tokio::test]
async fn a_connection_without_an_item_is_closed_by_its_id() {
    let chat = FakeChat::default();
    chat.open.borrow_mut().insert("lost=".into());
    let filter = ConnectionFilter::Connection("lost=".into());
    let kicked = kick((&chat, &chat), Index::Friend, &filter, false, || NOW).await;
    assert_eq!(kicked.unwrap().closed.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_was_under_way_at_the_ban_is_closed_as_soon_as_it_is_open() {
    let chat = FakeChat::default();
    let name = "Ann".parse().unwrap();
    ban(&chat, &name, NOW + 3_600).await.unwrap();
    // On record since a second, and open by the third look.
    chat.record("U#Ann", "late=", NOW - 1);
    chat.opening.borrow_mut().push((5, "late=".into()));
    let kicked = kick((&chat, &chat), Index::Friend, &person("Ann"), true, || NOW).await;
    let kicked = kicked.unwrap();
    assert_eq!((kicked.closed.len(), kicked.ended.len()), (1, 0));
    assert_eq!(chat.keys(), ["B#Ann/#"]);
    unban(&chat, &name).await.unwrap();
    assert_eq!(chat.keys(), [""; 0]);
}

#[tokio::test]
async fn an_error_of_a_kick_says_how_many_were_closed() {
    let chat = FakeChat::default();
    chat.connect("U#Ann", "a=", NOW - 60);
    chat.connect("U#Ann", "b=", NOW - 60);
    chat.failing
        .borrow_mut()
        .insert("b=".into(), ErrorKind::Denied);
    let outcome = kick((&chat, &chat), Index::Friend, &person("Ann"), false, || NOW).await;
    let so_far = outcome.unwrap_err().so_far.unwrap();
    assert_eq!(so_far, "one connection was closed");
}

fn records(variables: serde_json::Value) -> Records {
    let function = serde_json::json!({
        "Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": variables}},
    });
    let template = serde_json::json!({"Resources": {
        "ConnectFunction": function.clone(), "DirectFunction": function,
    }});
    Records::from_deployed(&Template::new(template)).unwrap()
}

#[test]
fn the_operator_s_envelope_has_a_sender_that_no_user_can_be() {
    let routes = r#"{"say":{"text":"t","envelope":true}}"#;
    let with = records(serde_json::json!({ "ROUTES": routes }));
    let post = message(&with, &person("Ann"), "hi", NOW * 1000 + 5).unwrap();
    let Envelope::Message(Message {
        route,
        from,
        to,
        room,
        text,
        at,
        ..
    }) = serde_json::from_str(&post).unwrap()
    else {
        panic!("{post}");
    };
    assert_eq!((route.as_ref(), text.as_ref()), ("say", "hi"));
    assert_eq!((to.as_deref(), room.as_deref()), (Some("Ann"), None));
    assert_eq!(at, "2026-01-01T00:00:00.005Z");
    let from = from.unwrap();
    assert_eq!(from, OPERATOR);
    assert!(chat_protocol::name::check(&from).is_err());
}

#[test]
fn without_envelopes_the_text_is_posted_as_it_is_and_has_a_limit() {
    let without = records(serde_json::json!({}));
    let text = "x".repeat(131_072);
    let posted = |text: &str| message(&without, &person("Ann"), text, NOW);
    assert_eq!(posted(&text).unwrap(), text);
    assert_eq!(
        posted(&format!("{text}x")).unwrap_err().kind,
        ErrorKind::Usage
    );
    assert_eq!(posted("").unwrap_err().kind, ErrorKind::Usage);
}
