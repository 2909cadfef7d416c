//! Tests of faults, which a fake does not have by default.

use chat_lambdas::delivery::DeliveryError;
use chat_lambdas::event::SocketEvent;
use chat_lambdas::memory::Call;
use serde_json::json;

use crate::fake::{Client, FakeChat};
use crate::{Chat, ChatError, Error, Message, Posts, Reply};

async fn to_room(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    shown(chat.post_to_room(message.room(), "x").await?)
}

async fn to_others(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    shown(chat.post_to_others(message, "x").await?)
}

async fn to_jerry(chat: &Chat, _: &Message) -> Result<Reply, Error> {
    shown(chat.post_to_person("Jerry", "x").await?)
}

async fn to_sender(chat: &Chat, message: &Message) -> Result<Reply, Error> {
    shown(chat.post_to_sender(message, "x").await?)
}

fn shown(posts: Posts) -> Result<Reply, Error> {
    Ok(json!([posts.delivered, posts.gone, posts.refused]).into())
}

fn kitchen(members: usize) -> (FakeChat, Vec<Client>) {
    let chat = FakeChat::new();
    let members = (0..members)
        .map(|_| chat.connect("Jerry", "kitchen"))
        .collect();
    (chat, members)
}

fn reply(reply: Result<Reply, Error>) -> String {
    reply.unwrap().text().unwrap().to_owned()
}

#[test]
fn every_member_of_a_large_room_is_served_and_gone_ones_are_forgotten() {
    let (chat, members) = kitchen(1_100);
    chat.vanish(&members[7]);
    let ann = chat.connect("Ann", "kitchen");
    assert_eq!(reply(chat.says(&ann, "", to_room)), "[1100,1,0]");
    assert_eq!(reply(chat.says(&ann, "", to_others)), "[1099,0,0]");
    assert_eq!(chat.received(&ann), ["x"]);
    assert_eq!(chat.received(&members[1_099]), ["x", "x"]);
}

#[test]
fn a_post_that_is_refused_with_429_is_retried() {
    let (chat, members) = kitchen(3);
    chat.refuse(&members[1], 2, || DeliveryError::Throttled);
    assert_eq!(reply(chat.says(&members[0], "", to_room)), "[3,0,0]");
    assert_eq!(chat.received(&members[1]), ["x"]);
}

#[test]
fn a_receiver_that_refuses_does_not_stop_the_others() {
    let (chat, members) = kitchen(2);
    chat.refuse(&members[1], usize::MAX, || DeliveryError::TooLarge);
    for handler in [
        chat.says(&members[0], "", to_room),
        chat.says(&members[0], "", to_jerry),
    ] {
        assert_eq!(reply(handler), "[1,0,1]");
    }
    assert!(chat.logged().contains("larger than 128 KB"));
    chat.vanish(&members[0]);
    assert_eq!(reply(chat.says(&members[0], "", to_sender)), "[0,1,0]");
}

/// The error of a handler that may not post.
fn forbidden(says: impl Fn(&FakeChat, &Client) -> Result<Reply, Error>) -> String {
    let (chat, members) = kitchen(2);
    for member in &members {
        chat.refuse(member, usize::MAX, || DeliveryError::Forbidden);
    }
    let error = says(&chat, &members[0]).unwrap_err();
    assert!(matches!(
        error.downcast_ref(),
        Some(ChatError::NotPermitted { .. })
    ));
    error.to_string()
}

#[test]
fn without_the_permission_to_post_the_error_names_all_needed_permissions() {
    const POST: &str =
        r#"{ actions = ["execute-api:ManageConnections"], resources = ["connections"] }"#;
    const TABLE: &str =
        r#"{ actions = ["dynamodb:Query", "dynamodb:DeleteItem"], resources = ["table"] }"#;
    let lacks = |grants: &str| {
        format!(
            "the handler may not post to connections; in chatctl.toml its route needs `permissions = [{grants}]` (a review: `review-permissions`)"
        )
    };
    let sender = forbidden(|chat, client| chat.says(client, "", to_sender));
    assert_eq!(sender, lacks(POST));
    let both = lacks(&format!("{POST}, {TABLE}"));
    assert_eq!(
        forbidden(|chat, client| chat.says(client, "", to_jerry)),
        both
    );
    assert_eq!(
        forbidden(|chat, client| chat.says(client, "", to_room)),
        both
    );
    assert_eq!(
        forbidden(|chat, client| chat.says(client, "", to_others)),
        both
    );
}

#[test]
fn a_failing_table_is_another_error_than_a_missing_permission() {
    let (chat, members) = kitchen(1);
    chat.break_down(Call::Members);
    chat.break_down(Call::ConnectionsOf);
    for outcome in [
        chat.says(&members[0], "", to_room),
        chat.says(&members[0], "", to_jerry),
    ] {
        let error = outcome.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(ChatError::Table(_))));
    }
}

fn read(event: serde_json::Value) -> Result<Message, String> {
    let event: SocketEvent = serde_json::from_value(event).unwrap();
    Message::read(&event).map_err(|error| error.to_string())
}

#[test]
fn the_sender_is_the_authorizer_s_and_never_the_frame_s() {
    let event = |authorizer: serde_json::Value| {
        json!({
            "headers": {"msgfrom": "Mallory"},
            "body": r#"{"action":"roll","name":"Mallory"}"#,
            "requestContext": {
                "routeKey": "roll", "eventType": "MESSAGE", "connectionId": "c=", "authorizer": authorizer,
            },
        })
    };
    let proven = read(event(
        json!({"name": "Tom", "room": "kitchen", "principalId": "x"}),
    ))
    .unwrap();
    assert_eq!((proven.sender(), proven.room()), (Some("Tom"), "kitchen"));
    assert_eq!(
        (proven.route(), proven.connection_id()),
        (Some("roll"), "c=")
    );
    for unproven in [json!(null), json!({"name": "not/a/name"})] {
        let message = read(event(unproven)).unwrap();
        assert_eq!((message.sender(), message.friend()), (None, None));
        assert_eq!(message.room(), "everybody");
    }
}

#[test]
fn an_event_that_is_not_a_message_is_refused() {
    let connect = json!({"requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c="}});
    let refused = read(connect).unwrap_err();
    assert!(refused.starts_with("expected a MESSAGE event"), "{refused}");
}
