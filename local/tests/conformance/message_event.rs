//! Statements `message`: the event of a message route.

use std::collections::BTreeSet;

use crate::world::World;

#[tokio::test]
async fn message_1_no_headers_and_no_query_keys() {
    let world = World::chat().await;
    world
        .connect_to("/v1?a=1", "X-Tag: one\r\n")
        .await
        .send("x")
        .await;
    let received = world.puppets.event("default", 0).await;
    assert_eq!(
        received.keys(),
        ["body", "isBase64Encoded", "requestContext"]
    );
    assert_eq!(received.event["isBase64Encoded"], false);
    assert_eq!(received.context()["eventType"], "MESSAGE");
}

#[tokio::test]
async fn message_2_the_body_is_byte_for_byte_what_was_sent() {
    let world = World::chat().await;
    let mut client = world.connect().await;
    let texts = [
        "  {\"a\" :1}\n",
        "{broken",
        "ü \u{1F600} \\ \" \u{0} \u{2028}",
        "[1,2]",
    ];
    for (index, text) in texts.into_iter().enumerate() {
        client.send(text).await;
        assert_eq!(
            world.puppets.event("default", index).await.event["body"],
            text
        );
    }
    client.send("").await;
    let empty = world.puppets.event("default", texts.len()).await;
    assert_eq!(empty.keys(), ["isBase64Encoded", "requestContext"]);
}

#[tokio::test]
async fn message_3_message_ids_are_unique_and_the_connection_is_the_same() {
    let world = World::chat().await;
    let mut client = world.connect().await;
    let connect = world.puppets.event("connect", 0).await;
    let mut ids = BTreeSet::new();
    for index in 0..10 {
        client.send("x").await;
        let message = world.puppets.event("default", index).await;
        assert_eq!(
            message.context()["connectionId"],
            connect.context()["connectionId"]
        );
        assert_eq!(
            message.context()["connectedAt"],
            connect.context()["connectedAt"]
        );
        ids.insert(message.context()["messageId"].as_str().unwrap().to_owned());
        ids.insert(message.context()["requestId"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 20);
}

#[tokio::test]
async fn message_4_identity_and_authorizer_repeat_those_of_connect() {
    let world = World::start(|setup| setup.chat().authorizer(&[])).await;
    world.puppets.on("authorize", |_| {
        crate::authorisation::allow(&serde_json::json!({ "room": "green" }))
    });
    let mut client = world.connect_to("/v1", "User-Agent: browser/1\r\n").await;
    client.send("x").await;
    let connect = world.puppets.event("connect", 0).await;
    let message = world.puppets.event("default", 0).await;
    assert_eq!(message.context()["identity"], connect.context()["identity"]);
    assert_eq!(message.context()["identity"]["userAgent"], "browser/1");
    assert_eq!(
        message.context()["authorizer"],
        connect.context()["authorizer"]
    );
    assert_eq!(message.context()["authorizer"]["room"], "green");
}

#[tokio::test]
async fn message_5_the_route_key_is_default_when_nothing_matched() {
    let world = World::start(|setup| setup.chat().route("join", "join")).await;
    let mut client = world.connect().await;
    client.send(r#"{"action":"unknown"}"#).await;
    assert_eq!(
        world.puppets.event("default", 0).await.context()["routeKey"],
        "$default"
    );
    client.send(r#"{"action":"join"}"#).await;
    assert_eq!(
        world.puppets.event("join", 0).await.context()["routeKey"],
        "join"
    );
}
