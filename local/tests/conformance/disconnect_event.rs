//! Statements `disconnect`: the event of `$disconnect`, and when it is sent.

use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::puppets::{Act, Received};
use crate::world::World;

fn ended(received: &Received) -> (u64, &str) {
    let context = received.context();
    (
        context["disconnectStatusCode"].as_u64().unwrap(),
        context["disconnectReason"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn disconnect_1_headers_are_the_four_fixed_ones() {
    let world = World::chat().await;
    world
        .connect_to("/v1", "X-Tag: one\r\n")
        .await
        .close(None)
        .await;
    let received = world.puppets.event("disconnect", 0).await;
    assert_eq!(
        received.keys(),
        [
            "headers",
            "isBase64Encoded",
            "multiValueHeaders",
            "requestContext"
        ]
    );
    let host = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";
    let expected = json!({ "Host": host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" });
    assert_eq!(received.event["headers"], expected);
    let several =
        json!({ "Host": [host], "x-api-key": [""], "X-Forwarded-For": [""], "x-restapi": [""] });
    assert_eq!(received.event["multiValueHeaders"], several);
    assert_eq!(received.context()["eventType"], "DISCONNECT");
    assert_eq!(received.context()["routeKey"], "$disconnect");
}

#[tokio::test]
async fn disconnect_2_a_close_without_status_is_1005() {
    let world = World::chat().await;
    world.connect().await.close(None).await;
    let received = world.puppets.event("disconnect", 0).await;
    assert_eq!(
        ended(&received),
        (1005, "Client-side close frame status not set")
    );
}

#[tokio::test]
async fn disconnect_3_a_close_with_code_and_reason_keeps_them() {
    let world = World::chat().await;
    for (index, (code, reason)) in [(1001, ""), (4000, "bye bye"), (1000, "done")]
        .into_iter()
        .enumerate()
    {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        };
        world.connect().await.close(Some(frame)).await;
        assert_eq!(
            ended(&world.puppets.event("disconnect", index).await),
            (u64::from(code), reason)
        );
    }
}

#[tokio::test]
async fn a_lost_client_is_1006() {
    let world = World::chat().await;
    drop(world.connect().await);
    assert_eq!(ended(&world.puppets.event("disconnect", 0).await).0, 1006);
}

#[tokio::test]
async fn disconnect_4_delete_is_1000_and_connection_closed_normally() {
    let world = World::chat().await;
    let mut client = world.connect().await;
    let id = world.connection_id(0).await;
    assert_eq!(world.operate("DELETE", &id, b"").await.status, 204);
    let frame = client.closed().await.unwrap();
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1000, ""));
    let received = world.puppets.event("disconnect", 0).await;
    assert_eq!(ended(&received), (1000, "Connection Closed Normally"));
    assert_eq!(world.operate("DELETE", &id, b"").await.status, 410);
}

#[tokio::test]
async fn disconnect_5_the_event_comes_once_and_a_post_from_inside_it_gives_410() {
    let world = World::chat().await;
    let finish = world.puppets.later("disconnect", Act::unexpected);
    let client = world.connect().await;
    let id = world.connection_id(0).await;
    client.close(None).await;
    world.puppets.event("disconnect", 0).await;
    assert_eq!(world.operate("POST", &id, b"too late").await.status, 410);
    finish.send(Act::ok()).unwrap();
    // Another connection's event proves that the first one's is not sent again meanwhile.
    world.puppets.on("disconnect", |_| Act::ok());
    world.connect().await.close(None).await;
    assert_ne!(
        world.puppets.event("disconnect", 1).await.context()["connectionId"],
        id
    );
    assert_eq!(world.puppets.count("disconnect"), 2);
}

#[tokio::test]
async fn disconnect_6_a_failing_disconnect_function_has_no_visible_effect() {
    let world = World::chat().await;
    world
        .puppets
        .on("disconnect", |_| Act::Fail("Boom", "bang"));
    let mut other = world.connect().await;
    world.connect().await.close(None).await;
    world.puppets.event("disconnect", 0).await;
    let id = world.connection_id(0).await;
    assert_eq!(world.operate("POST", &id, b"still here").await.status, 200);
    assert_eq!(other.receive().await, "still here");
    world.connect().await.send("and others may come").await;
    world.puppets.event("default", 0).await;
}
