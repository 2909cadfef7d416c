//! Statements `answers`: what the client receives for a function's response.

use std::time::Duration;

use serde_json::{Value, json};

use crate::puppets::Act;
use crate::world::{Client, World, until};

/// Requests a frame from the gateway itself, to prove that no other frame came before it.
async fn nothing_but(client: &mut Client, expected: &str) {
    client.send(r#"{"action":"echo"}"#).await;
    assert_eq!(client.receive().await, expected);
}

async fn world() -> (World, Client) {
    let world = World::start(|setup| setup.chat().two_way("echo", "echo")).await;
    world.puppets.on("echo", |_| {
        Act::json(&json!({ "statusCode": 200, "body": "echo" }))
    });
    let client = world.connect().await;
    (world, client)
}

#[tokio::test]
async fn answers_1_a_one_way_route_sends_nothing_for_a_valid_answer() {
    let (world, mut client) = world().await;
    for (index, status) in [200, 404, 500].into_iter().enumerate() {
        world.puppets.on("default", move |_| {
            Act::json(&json!({ "statusCode": status, "body": "unseen" }))
        });
        client.send("x").await;
        world.puppets.event("default", index).await;
        world.settled().await;
        nothing_but(&mut client, "echo").await;
    }
}

#[tokio::test]
async fn answers_2_a_two_way_route_sends_the_body_whatever_the_status() {
    let (world, mut client) = world().await;
    for status in [200, 500] {
        let body = format!("body of {status}");
        let answer = json!({ "statusCode": status, "body": body, "headers": { "X": "y" } });
        world.puppets.on("echo", move |_| Act::json(&answer));
        client.send(r#"{"action":"echo"}"#).await;
        assert_eq!(client.receive().await, body);
    }
}

#[tokio::test]
async fn answers_3_half_of_a_two_way_route_is_one_way() {
    let world = World::from_template("two_way.yaml", "Function").await;
    world.puppets.on("echo", |received| {
        let text = received.event["body"].as_str().unwrap();
        Act::json(&json!({ "statusCode": 200, "body": text }))
    });
    let mut client = world.connect().await;
    for (index, key) in ["expression", "response"].into_iter().enumerate() {
        client.send(&json!({ "action": key }).to_string()).await;
        world.puppets.event("echo", index).await;
    }
    world.settled().await;
    client.send(r#"{"action":"both"}"#).await;
    assert_eq!(
        client.receive().await,
        r#"{"action":"both"}"#,
        "the first frame is that of the two-way route"
    );
}

#[tokio::test]
async fn answers_4_a_function_error_sends_an_error_frame_and_the_socket_stays_open() {
    let (world, mut client) = world().await;
    world.puppets.on("default", |_| Act::Fail("Boom", "bang"));
    client.send("x").await;
    let frame: Value = serde_json::from_str(&client.receive().await).unwrap();
    let context = world.puppets.event("default", 0).await.context().clone();
    assert_eq!(frame["message"], "Internal server error");
    assert_eq!(frame["connectionId"], context["connectionId"]);
    assert_eq!(frame["requestId"], context["requestId"]);
    nothing_but(&mut client, "echo").await;
}

#[tokio::test]
async fn answers_5_an_unknown_member_in_the_answer_sends_the_same_frame() {
    let (world, mut client) = world().await;
    world.puppets.on("default", |_| {
        Act::json(&json!({ "statusCode": 200, "ConnectionId": "x", "Data": "y" }))
    });
    client.send("x").await;
    let context = world.puppets.event("default", 0).await.context().clone();
    let expected = format!(
        r#"{{"message": "Internal server error", "connectionId":{}, "requestId":{}}}"#,
        context["connectionId"], context["requestId"]
    );
    assert_eq!(client.receive().await, expected);
    nothing_but(&mut client, "echo").await;
}

#[tokio::test]
async fn answers_6_a_timeout_sends_its_frame_and_the_function_can_still_post() {
    let timeout = Duration::from_secs(5);
    let (world, manual) =
        World::by_hand(|setup| setup.chat().integration_timeout("$default", timeout)).await;
    let finish = world.puppets.later("default", Act::ok);
    let mut client = world.connect().await;
    client.send("x").await;
    world.puppets.event("default", 0).await;
    manual.advance(timeout);
    assert!(
        client
            .receive()
            .await
            .starts_with(r#"{"message": "Endpoint request timed out""#)
    );
    let key = world
        .puppets
        .variables()
        .iter()
        .find(|one| one["_HANDLER"] == "default-handler")
        .unwrap()
        .clone();
    let path = format!("/v1/@connections/{}", world.connection_id(0).await);
    assert_eq!(
        world
            .manage(&key["AWS_ACCESS_KEY_ID"], "POST", &path, b"late")
            .await
            .status,
        200
    );
    assert_eq!(client.receive().await, "late");
    finish.send(Act::ok()).unwrap();
    world.settled().await;
    let function = world
        .stack
        .status()
        .functions
        .into_iter()
        .find(|one| one.name == "default")
        .unwrap();
    assert_eq!(
        (function.invocations, function.errors),
        (1, 0),
        "it ended without an error, after the timeout"
    );
}

#[tokio::test]
async fn answers_7_frame_texts_are_byte_exact() {
    let (world, manual) =
        World::by_hand(|setup| setup.route("$connect", "connect").route("slow", "slow")).await;
    let mut client = world.connect().await;
    let connection = world.connection_id(0).await;
    let _never = world.puppets.later("slow", || Act::Exit(1));
    let expected = |message: &str, request: &str| {
        format!(
            r#"{{"message": "{message}", "connectionId":"{connection}", "requestId":"{request}"}}"#
        )
    };
    for (index, message) in ["Endpoint request timed out", "Internal server error"]
        .into_iter()
        .enumerate()
    {
        client.send(r#"{"action":"slow"}"#).await;
        let context = world.puppets.event("slow", index).await.context().clone();
        if index == 0 {
            manual.advance(Duration::from_secs(29));
        }
        let request = context["requestId"].as_str().unwrap();
        assert_eq!(client.receive().await, expected(message, request));
    }
    // No function runs for this one, so only the frame itself has its request id.
    client.send("x").await;
    let frame = client.receive().await;
    let parsed: Value = serde_json::from_str(&frame).unwrap();
    let request = parsed["requestId"].as_str().unwrap();
    assert_eq!(request.len(), 16, "{frame}");
    assert_eq!(frame, expected("Forbidden", request));
}

#[tokio::test]
async fn answers_8_the_gateway_does_not_wait_for_the_first_of_two_messages() {
    let (world, mut client) = world().await;
    let now = || Act::json(&json!({ "statusCode": 200, "body": "second" }));
    let finish = world.puppets.later("echo", now);
    client.send(r#"{"action":"echo"}"#).await;
    client.send(r#"{"action":"echo"}"#).await;
    assert_eq!(client.receive().await, "second");
    finish
        .send(Act::json(&json!({ "statusCode": 200, "body": "first" })))
        .unwrap();
    assert_eq!(client.receive().await, "first");
}

#[tokio::test]
async fn an_empty_response_is_accepted_with_a_warning() {
    let (world, mut client) = world().await;
    world
        .puppets
        .on("default", |_| Act::Answer("null".to_owned()));
    client.send("x").await;
    let warnings =
        until(async || Some(world.warnings()).filter(|warnings| !warnings.is_empty())).await;
    assert!(warnings[0].contains("$default"), "{warnings:?}");
    nothing_but(&mut client, "echo").await;
}

#[tokio::test]
async fn a_route_that_the_gateway_may_not_invoke_sends_an_error_frame_and_a_warning() {
    let world = World::start(|setup| {
        setup.chat().edit(|stack| {
            stack
                .permissions
                .retain(|permission| permission.logical_id != "defaultPermission")
        })
    })
    .await;
    let mut client = world.connect().await;
    client.gets_error("x", "Internal server error").await;
    assert!(
        world
            .warnings()
            .iter()
            .any(|warning| warning.contains("/v1/$default")),
        "{:?}",
        world.warnings()
    );
    assert_eq!(world.puppets.count("default"), 0);
}

#[tokio::test]
async fn an_invalid_response_is_explained_in_a_warning() {
    let (world, mut client) = world().await;
    for (answer, expected) in [
        (r#"{"statusCode":200,"foo":1}"#, "it has `foo`"),
        (
            r#"{"statusCode":200,"body":{"a":1}}"#,
            "its body is an object",
        ),
        (r#""text""#, "it is a string"),
    ] {
        world
            .puppets
            .on("default", move |_| Act::Answer(answer.to_owned()));
        client.gets_error("x", "Internal server error").await;
        let warning = world.warnings().pop().unwrap();
        assert!(
            warning.contains("`$default`") && warning.contains(expected),
            "{warning}"
        );
    }
    world
        .puppets
        .on("default", |_| Act::Fail("TypeError", "boom"));
    client.gets_error("x", "Internal server error").await;
    let warning = world.warnings().pop().unwrap();
    assert!(warning.contains("TypeError: boom"), "{warning}");
}
