//! Tests of what the examples in the documentation do not show: faults, permissions, networks, and events.

use chat_lambdas::delivery::DeliveryError;
use chat_lambdas::event::SocketEvent;
use chat_lambdas::memory::Call;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fake::{Attempt, Client, ConnectOptions, FakeChat};
use crate::{
    Chat, ChatError, Decision, Error, Handshake, Message, Posts, Reply, Review, Verdict, allow,
};

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
    assert_eq!(reply(chat.send(&ann, "", to_room)), "[1100,1,0]");
    assert_eq!(reply(chat.send(&ann, "", to_others)), "[1099,0,0]");
    assert_eq!(chat.received(&ann), ["x"]);
    assert_eq!(chat.received(&members[1_099]), ["x", "x"]);
}

#[test]
fn a_post_that_is_refused_with_429_is_retried() {
    let (chat, members) = kitchen(3);
    chat.refuse(&members[1], 2, || DeliveryError::Throttled);
    assert_eq!(reply(chat.send(&members[0], "", to_room)), "[3,0,0]");
    assert_eq!(chat.received(&members[1]), ["x"]);
}

#[test]
fn a_receiver_that_refuses_does_not_stop_the_others() {
    let (chat, members) = kitchen(2);
    chat.refuse(&members[1], usize::MAX, || DeliveryError::TooLarge);
    for handler in [
        chat.send(&members[0], "", to_room),
        chat.send(&members[0], "", to_jerry),
    ] {
        assert_eq!(reply(handler), "[1,0,1]");
    }
    assert!(chat.logged().contains("larger than 128 KB"));
    chat.vanish(&members[0]);
    assert_eq!(reply(chat.send(&members[0], "", to_sender)), "[0,1,0]");
}

/// The error of a handler that may not post.
fn forbidden(send: impl Fn(&FakeChat, &Client) -> Result<Reply, Error>) -> String {
    let (chat, members) = kitchen(2);
    for member in &members {
        chat.refuse(member, usize::MAX, || DeliveryError::Forbidden);
    }
    let error = send(&chat, &members[0]).unwrap_err();
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
            "the handler may not post to connections; in chatctl.toml its route needs `permissions = [{grants}]`"
        )
    };
    let sender = forbidden(|chat, client| chat.send(client, "", to_sender));
    assert_eq!(sender, lacks(POST));
    let both = lacks(&format!("{POST}, {TABLE}"));
    assert_eq!(
        forbidden(|chat, client| chat.send(client, "", to_jerry)),
        both
    );
    assert_eq!(
        forbidden(|chat, client| chat.send(client, "", to_room)),
        both
    );
    assert_eq!(
        forbidden(|chat, client| chat.send(client, "", to_others)),
        both
    );
}

#[test]
fn an_error_names_the_setting_of_the_handler_s_own_kind() {
    async fn review(chat: &Chat, _: &Review) -> Result<Verdict, Error> {
        chat.post_to_person("Jerry", "x").await?;
        Ok(Verdict::Allow)
    }
    async fn decide(chat: &Chat, _: &Handshake) -> Result<Decision, Error> {
        chat.post_to_room("kitchen", "x").await?;
        Ok(allow("Ann"))
    }
    async fn ask(chat: &Chat, _: &Message) -> Result<Reply, Error> {
        Ok(chat.secret("KEY").await?.expose().into())
    }
    let (chat, members) = kitchen(1);
    chat.refuse(&members[0], usize::MAX, || DeliveryError::Forbidden);
    let reviewed = chat.review(&members[0], "hi", review).unwrap_err();
    let place = "in chatctl.toml its route needs `review-permissions = [{ actions";
    assert!(reviewed.to_string().contains(place), "{reviewed}");
    chat.try_connect(&Attempt::new(), decide).unwrap_err();
    let place = "in chatctl.toml [auth] needs `permissions = [{ actions";
    assert!(chat.logged().contains(place), "{}", chat.logged());
    let secret = chat.send(&members[0], "", ask).unwrap_err();
    let hint = "there is no secret `KEY`; the test needs `FakeChat::set_secret(\"KEY\", …)`";
    assert!(secret.to_string().starts_with(hint), "{secret}");
}

#[test]
fn a_failing_table_is_another_error_than_a_missing_permission() {
    let (chat, members) = kitchen(1);
    chat.break_down(Call::Members);
    chat.break_down(Call::ConnectionsOf);
    for outcome in [
        chat.send(&members[0], "", to_room),
        chat.send(&members[0], "", to_jerry),
    ] {
        let error = outcome.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(ChatError::Table(_))));
    }
}

#[test]
fn what_a_client_may_not_send_reaches_no_handler_and_no_review() {
    async fn decide(_: &Chat, _: &Handshake) -> Result<Decision, Error> {
        Ok(allow("Ann").with_rights(["read"]))
    }
    async fn review(_: &Chat, _: &Review) -> Result<Verdict, Error> {
        panic!("it is not asked");
    }
    let chat = FakeChat::new();
    let options = ConnectOptions::new().with_claims(json!({"can": ["read"]}));
    let readers = [
        chat.try_connect(&Attempt::new(), decide).unwrap(),
        chat.connect_with(options),
    ];
    for reader in readers {
        let reply = chat.send(&reader, r#"{"action":"say","ref":"1"}"#, to_sender);
        assert_eq!(reply.unwrap().text(), None);
        assert!(chat.review(&reader, "hi", review).is_err());
        let frames = chat.received(&reader);
        let frames = frames.iter().map(|it| serde_json::from_str(it).unwrap());
        let frames: Vec<Value> = frames.collect();
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert_eq!(frames[0]["error"], "NotAllowed", "{frames:?}");
        assert_eq!(frames[0]["route"], "say", "{frames:?}");
        assert_eq!(frames[1]["error"], "NotAllowed", "{frames:?}");
    }
}

#[tokio::test]
async fn a_handler_reaches_the_server_of_an_asynchronous_test() {
    async fn ask(_: &Chat, message: &Message) -> Result<Reply, Error> {
        let mut stream = TcpStream::connect(message.text()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        Ok(response.into())
    }
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = server.accept().await.unwrap();
        stream.write_all(b"hello").await.unwrap();
    });
    let asked = tokio::task::spawn_blocking(move || {
        let chat = FakeChat::new();
        let tom = chat.connect("Tom", "kitchen");
        reply(chat.send(&tom, &address, ask))
    });
    assert_eq!(asked.await.unwrap(), "hello");
}

fn read(event: Value) -> Result<Message, String> {
    let event: SocketEvent = serde_json::from_value(event).unwrap();
    Message::read(&event).map_err(|error| error.to_string())
}

#[test]
fn the_sender_is_the_authorizer_s_and_never_the_frame_s() {
    let event = |authorizer: Value| {
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
