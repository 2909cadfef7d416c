//! Statements `handshake`: from the upgrade request to the 101, or to a refusal.

use std::time::Duration;

use serde_json::json;

use crate::puppets::Act;
use crate::setup::Setup;
use crate::world::{World, until, within};

#[tokio::test]
async fn handshake_1_upgrade_succeeds_with_and_without_a_trailing_slash() {
    let world = World::chat().await;
    for target in ["/v1", "/v1/", "/v1?a=b", "/v1/?a=b"] {
        assert_eq!(world.upgrade(target, "").await.status, 101, "{target}");
    }
}

#[tokio::test]
async fn handshake_2_unknown_stage_root_and_longer_paths_are_refused_with_403() {
    let world = World::chat().await;
    for target in ["/v2", "/", "/v1/more", "/v1//", "/V1", "/v1/@connections"] {
        let answer = world.upgrade(target, "").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (403, r#"{"message":"Forbidden"}"#),
            "{target}"
        );
        assert_eq!(
            answer.header("x-amzn-ErrorType"),
            Some("ForbiddenException"),
            "{target}"
        );
    }
    assert_eq!(world.puppets.count("connect"), 0);
}

#[tokio::test]
async fn a_stage_without_deployment_refuses_with_403() {
    let undeployed = |stack: &mut chatctl_local::unstable::stack::Stack| {
        stack.api.stages.get_mut("v1").unwrap().deployed = None;
    };
    let world = World::start(|setup| setup.chat().edit(undeployed)).await;
    assert_eq!(world.upgrade("/v1", "").await.status, 403);
}

#[tokio::test]
async fn handshake_3_no_101_before_the_function_has_answered() {
    let world = World::chat().await;
    let decide = world.puppets.later("connect", Act::unexpected);
    let upgrade = world.upgrade("/v1", "");
    tokio::pin!(upgrade);
    tokio::select! {
        answer = &mut upgrade => panic!("the gateway responded by itself: {answer:?}"),
        _ = world.puppets.event("connect", 0) => {}
    }
    assert_eq!(world.stack.status().connections, 0);
    // Nor while others are served.
    for _ in 0..3 {
        tokio::select! {
            answer = &mut upgrade => panic!("the gateway responded by itself: {answer:?}"),
            _ = world.request("GET", "/v1", "", b"") => {}
        }
    }
    decide.send(Act::ok()).unwrap();
    assert_eq!(upgrade.await.status, 101);
}

#[tokio::test]
async fn handshake_4_the_functions_status_refuses_with_the_same_number_and_an_empty_body() {
    let world = World::chat().await;
    for status in [400, 401, 403, 404, 500, 503] {
        world.puppets.on("connect", move |_| {
            Act::json(&json!({ "statusCode": status, "body": "not shown" }))
        });
        let answer = world.upgrade("/v1", "").await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
    }
    for status in [201, 204, 299] {
        world.puppets.on("connect", move |_| Act::status(status));
        assert_eq!(world.upgrade("/v1", "").await.status, 101, "{status}");
    }
}

#[tokio::test]
async fn handshake_5_connect_function_error_refuses_with_502() {
    let world = World::chat().await;
    world.puppets.on("connect", |_| Act::Fail("Boom", "bang"));
    assert_eq!(world.upgrade("/v1", "").await.status, 502);
    world.puppets.on("connect", |_| Act::Exit(1));
    assert_eq!(world.upgrade("/v1", "").await.status, 502);
}

#[tokio::test]
async fn handshake_6_connect_malformed_answer_refuses_with_502() {
    let world = World::chat().await;
    for answer in [
        "\"ok\"",
        "[]",
        "{}",
        r#"{"statusCode":200,"connectionId":"x"}"#,
        r#"{"statusCode":200,"body":{}}"#,
    ] {
        world
            .puppets
            .on("connect", move |_| Act::Answer(answer.to_owned()));
        assert_eq!(world.upgrade("/v1", "").await.status, 502, "{answer}");
    }
}

#[tokio::test]
async fn handshake_7_connect_slower_than_the_integration_timeout_refuses_with_504() {
    let (world, manual) = World::by_hand(Setup::chat).await;
    let _never = world.puppets.later("connect", Act::unexpected);
    let upgrade = world.upgrade("/v1", "");
    tokio::pin!(upgrade);
    tokio::select! {
        answer = &mut upgrade => panic!("the gateway responded by itself: {answer:?}"),
        _ = world.puppets.event("connect", 0) => {}
    }
    manual.advance(Duration::from_secs(29));
    let answer = upgrade.await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (504, r#"{"message":"Endpoint request timed out"}"#)
    );
    assert_eq!(world.stack.status().connections, 0);
}

#[tokio::test]
async fn handshake_8_without_a_connect_route_the_upgrade_succeeds_and_no_function_runs() {
    let world = World::start(|setup| setup.route("$default", "default")).await;
    let mut client = world.connect().await;
    assert_eq!(world.stack.status().functions[0].invocations, 0);
    client.send("hello").await;
    world.puppets.event("default", 0).await;
}

#[tokio::test]
async fn handshake_9_the_subprotocol_is_the_functions_choice() {
    let world = World::chat().await;
    let offer = "Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n";
    let answer = world.upgrade("/v1", offer).await;
    assert_eq!(
        (answer.status, answer.header("Sec-WebSocket-Protocol")),
        (101, None)
    );
    let event = world.puppets.event("connect", 0).await.event;
    assert_eq!(
        event["headers"]["Sec-WebSocket-Protocol"],
        "chat.v2, chat.v1"
    );
    world.puppets.on("connect", |_| {
        Act::json(&json!({ "statusCode": 200, "headers": { "Sec-WebSocket-Protocol": "chat.v1" } }))
    });
    let answer = world.upgrade("/v1", offer).await;
    assert_eq!(answer.header("Sec-WebSocket-Protocol"), Some("chat.v1"));
}

#[tokio::test]
async fn handshake_10_no_extension_is_negotiated() {
    let world = World::chat().await;
    let answer = world
        .upgrade("/v1", "Sec-WebSocket-Extensions: permessage-deflate\r\n")
        .await;
    assert_eq!(
        (answer.status, answer.header("Sec-WebSocket-Extensions")),
        (101, None)
    );
    let accept = answer.header("Sec-WebSocket-Accept");
    assert_eq!(
        accept,
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "the example of RFC 6455"
    );
}

#[tokio::test]
async fn handshake_11_a_refused_connection_never_produces_a_disconnect() {
    let world = World::chat().await;
    world.puppets.on("connect", |_| Act::status(403));
    assert_eq!(world.upgrade("/v1", "").await.status, 403);
    world.puppets.on("connect", |_| Act::Fail("Boom", "bang"));
    assert_eq!(world.upgrade("/v1", "").await.status, 502);
    world.puppets.on("connect", |_| Act::ok());
    let client = world.connect().await;
    let accepted = world.connection_id(2).await;
    client.close(None).await;
    let disconnect = world.puppets.event("disconnect", 0).await;
    assert_eq!(disconnect.context()["connectionId"], accepted);
    assert_eq!(world.puppets.count("disconnect"), 1);
}

#[tokio::test]
async fn a_plain_get_of_the_stage_is_answered_with_upgrade_required() {
    let world = World::chat().await;
    let answer = world.request("GET", "/v1", "", b"").await;
    assert_eq!(
        (answer.status, answer.header("upgrade")),
        (426, Some("websocket"))
    );
    assert_eq!(
        world.request("GET", "/elsewhere", "", b"").await.status,
        403
    );
    assert_eq!(world.request("POST", "/v1", "", b"{}").await.status, 403);
}

#[tokio::test]
async fn an_invalid_websocket_handshake_runs_no_function() {
    let world = World::chat().await;
    let port = world.stack.port();
    let head = |more: &str| {
        format!(
            "GET /v1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{more}\r\n"
        )
    };
    let no_version = within(crate::world::exchange(port, &head(""), b"")).await;
    assert_eq!(
        (
            no_version.status,
            no_version.header("Sec-WebSocket-Version")
        ),
        (426, Some("13"))
    );
    let short_key = head("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n");
    assert_eq!(
        within(crate::world::exchange(port, &short_key, b""))
            .await
            .status,
        400
    );
    let long = format!("X-Long: {}\r\n", "x".repeat(11 * 1024));
    assert_eq!(world.upgrade("/v1", &long).await.status, 431);
    assert_eq!(world.puppets.count("connect"), 0);
}

#[tokio::test]
async fn without_invoke_permission_the_gateway_refuses_with_500_and_names_the_permission() {
    let world = World::start(|setup| setup.chat().edit(|stack| stack.permissions.clear())).await;
    assert_eq!(world.upgrade("/v1", "").await.status, 500);
    let warnings =
        until(async || Some(world.warnings()).filter(|warnings| !warnings.is_empty())).await;
    assert!(
        warnings[0].contains(":a1b2c3d4e5/v1/$connect"),
        "{warnings:?}"
    );
    assert!(warnings[0].contains("function:connect"), "{warnings:?}");
    assert_eq!(world.puppets.count("connect"), 0);
}

#[tokio::test]
async fn a_url_of_more_than_4096_characters_is_refused() {
    let world = World::chat().await;
    let long = |length: usize| format!("/v1?token={}", "x".repeat(length));
    assert_eq!(world.upgrade(&long(4000), "").await.status, 101);
    assert_eq!(world.upgrade(&long(4096), "").await.status, 414);
    let warning = world.warnings().concat();
    assert!(warning.contains("4096"), "{warning}");
    assert_eq!(world.puppets.count("connect"), 1);
}
