//! Statements `connections`: the @connections API.

use aws_sdk_apigatewaymanagement::Client as Sdk;
use aws_sdk_apigatewaymanagement::config::{
    BehaviorVersion, Credentials, Region, retry::RetryConfig,
};
use aws_sdk_apigatewaymanagement::error::ProvideErrorMetadata;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use chatctl_local::{Limits, Options};
use serde_json::{Value, json};

use crate::puppets::Act;
use crate::setup::Setup;
use crate::world::{Client, World, until};

/// A valid id that never existed.
const UNKNOWN: &str = "AAAAAAAAIAMCAAA=";

async fn connected() -> (World, Client, String) {
    let world = World::chat().await;
    let client = world.connect().await;
    let id = world.connection_id(0).await;
    (world, client, id)
}

#[tokio::test]
async fn connections_1_post_answers_200_with_an_empty_body_and_arrives_unchanged() {
    let (world, mut client, id) = connected().await;
    for text in ["hello", " {\"a\":1}\r\n", "ü \u{1F600} \u{0}"] {
        let answer = world.operate("POST", &id, text.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(client.receive().await, text);
    }
}

#[tokio::test]
async fn connections_2_get_describes_the_connection_in_camel_case_and_delete_answers_204() {
    let world = World::chat().await;
    let mut client = world.connect_to("/v1", "User-Agent: browser/1\r\n").await;
    let id = world.connection_id(0).await;
    let answer = world.operate("GET", &id, b"").await;
    assert_eq!(answer.status, 200);
    let before: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        before["identity"],
        json!({ "sourceIp": "127.0.0.1", "userAgent": "browser/1" })
    );
    let connected_at = before["connectedAt"].as_str().unwrap();
    let format = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    );
    let parsed = time::PrimitiveDateTime::parse(connected_at, format)
        .unwrap()
        .assume_utc();
    let event = world.puppets.event("connect", 0).await;
    assert_eq!(
        parsed.unix_timestamp_nanos() / 1_000_000,
        event.context()["connectedAt"].as_i64().unwrap().into()
    );
    // A message changes the time of the last activity; the strings sort like the times.
    until(async || {
        client.send("x").await;
        let now: Value = serde_json::from_str(&world.operate("GET", &id, b"").await.body).unwrap();
        (now["lastActiveAt"].as_str() > before["lastActiveAt"].as_str()).then_some(())
    })
    .await;
    // So does a post.
    let before: Value = serde_json::from_str(&world.operate("GET", &id, b"").await.body).unwrap();
    until(async || {
        world.operate("POST", &id, b"y").await;
        client.receive().await;
        let now: Value = serde_json::from_str(&world.operate("GET", &id, b"").await.body).unwrap();
        (now["lastActiveAt"].as_str() > before["lastActiveAt"].as_str()).then_some(())
    })
    .await;
    let answer = world.operate("DELETE", &id, b"").await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(client.close_code().await, 1000);
    let _other = world.connect().await;
    let id = world.connection_id(1).await;
    let body: Value = serde_json::from_str(&world.operate("GET", &id, b"").await.body).unwrap();
    assert_eq!(body["identity"]["userAgent"], Value::Null);
}

#[tokio::test]
async fn connections_3_at_and_equals_may_be_raw_or_encoded() {
    let (world, mut client, id) = connected().await;
    let encoded = id.replace('=', "%3D");
    for path in [
        format!("/v1/@connections/{id}"),
        format!("/v1/@connections/{encoded}"),
        format!("/v1/%40connections/{encoded}"),
        format!("/v1/%40connections/{id}"),
    ] {
        assert_eq!(
            world
                .manage("AKIA", "POST", &path, path.as_bytes())
                .await
                .status,
            200,
            "{path}"
        );
        assert_eq!(client.receive().await, path);
    }
}

#[tokio::test]
async fn connections_4_closed_and_unknown_connections_are_gone() {
    let (world, client, id) = connected().await;
    client.close(None).await;
    world.puppets.event("disconnect", 0).await;
    for id in [id.as_str(), UNKNOWN] {
        for method in ["POST", "GET", "DELETE"] {
            let answer = world.operate(method, id, b"").await;
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (410, ""),
                "{method} {id}"
            );
            assert_eq!(answer.header("x-amzn-ErrorType"), Some("GoneException"));
        }
    }
}

#[tokio::test]
async fn a_connection_is_known_on_its_own_stage_only() {
    let second = |stack: &mut chatctl_local::unstable::stack::Stack| {
        let stage = stack.api.stages["v1"].clone();
        stack.api.stages.insert(
            "v2".to_owned(),
            chatctl_local::unstable::stack::Stage {
                name: "v2".to_owned(),
                ..stage
            },
        );
    };
    let world = World::start(|setup| setup.chat().edit(second)).await;
    let _client = world.connect().await;
    let id = world.connection_id(0).await;
    assert_eq!(
        world
            .manage("AKIA", "GET", &format!("/v1/@connections/{id}"), b"")
            .await
            .status,
        200
    );
    assert_eq!(
        world
            .manage("AKIA", "GET", &format!("/v2/@connections/{id}"), b"")
            .await
            .status,
        410
    );
    // A process serves both stages, and has one address in its environment.
    let posts = world.puppets.variables()[0]["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"].clone();
    let (_, stage) = posts.rsplit_once('/').unwrap();
    let mut other = world.connect_to("/v2", "").await;
    let ids = [id, world.connection_id(1).await];
    for id in &ids {
        let path = format!("/{stage}/@connections/{id}");
        assert_eq!(world.manage("AKIA", "POST", &path, b"hi").await.status, 200);
    }
    assert_eq!(other.receive().await, "hi");
}

#[tokio::test]
async fn connections_5_a_malformed_id_is_400_and_named() {
    let world = World::chat().await;
    for id in ["not-an-id", "3e8ef0c4-9a1c-4f3b-8a3f-6d8f4b1f0a11"] {
        for method in ["POST", "GET", "DELETE"] {
            let answer = world.operate(method, id, b"").await;
            assert_eq!(
                (answer.status, answer.header("x-amzn-ErrorType")),
                (400, Some("BadRequestException")),
                "{method}"
            );
            assert_eq!(
                answer.body,
                format!(r#"{{"message":"Invalid connectionId: {id}"}}"#)
            );
        }
    }
}

#[tokio::test]
async fn connections_6_a_missing_or_wrong_stage_is_403_forbidden() {
    let (world, _client, id) = connected().await;
    for path in [
        format!("/@connections/{id}"),
        format!("/v2/@connections/{id}"),
        format!("/v1/v1/@connections/{id}"),
    ] {
        let answer = world.manage("AKIA", "POST", &path, b"x").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (403, r#"{"message":"Forbidden"}"#),
            "{path}"
        );
    }
}

#[tokio::test]
async fn connections_7_131072_bytes_work_and_one_more_is_413() {
    let (world, mut client, id) = connected().await;
    let most = "x".repeat(131_072);
    assert_eq!(
        world.operate("POST", &id, most.as_bytes()).await.status,
        200
    );
    assert_eq!(client.receive().await, most);
    let answer = world
        .operate("POST", &id, format!("{most}x").as_bytes())
        .await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-ErrorType")),
        (413, Some("PayloadTooLargeException"))
    );
    assert_eq!(answer.body, r#"{"message":"Payload Too Large"}"#);
}

#[tokio::test]
async fn connections_8_a_post_during_the_targets_connect_is_410() {
    let world = World::chat().await;
    let accept = world.puppets.later("connect", Act::unexpected);
    let upgrade = async { world.upgrade("/v1", "").await.into_client().await };
    let post = async {
        let id = world.connection_id(0).await;
        assert_eq!(world.operate("POST", &id, b"too early").await.status, 410);
        accept.send(Act::ok()).unwrap();
        id
    };
    let (mut client, id) = tokio::join!(upgrade, post);
    assert_eq!(world.operate("POST", &id, b"in time").await.status, 200);
    assert_eq!(client.receive().await, "in time");
}

#[tokio::test]
async fn connections_9_a_client_that_reads_nothing_gives_429_and_gets_what_was_taken() {
    let unless_configured = Limits::default();
    assert_eq!(
        (
            unless_configured.client_queue,
            unless_configured.client_queue_bytes
        ),
        (256, 1024 * 1024)
    );
    let limits = Limits::default().with_client_queue(8);
    let world = World::limited_chat(limits).await;
    let mut client = world.connect().await;
    let id = world.connection_id(0).await;
    let mut taken = 0;
    let refused = loop {
        let text = format!("{taken:0>50000}");
        let answer = world.operate("POST", &id, text.as_bytes()).await;
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 2000, "no buffer can hold a hundred megabytes");
    };
    assert_eq!(
        (refused.status, refused.header("x-amzn-ErrorType")),
        (429, Some("LimitExceededException"))
    );
    for expected in 0..taken {
        assert_eq!(client.receive().await, format!("{expected:0>50000}"));
    }
    until(async || (world.operate("POST", &id, b"again").await.status == 200).then_some(())).await;
    assert_eq!(client.receive().await, "again");
}

#[tokio::test]
async fn an_unsigned_request_is_403_missing_authentication_token() {
    let (world, _client, id) = connected().await;
    let path = format!("/v1/@connections/{id}");
    let answer = world.request("POST", &path, "", b"x").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (403, r#"{"message":"Missing Authentication Token"}"#)
    );
    let in_query = format!(
        "{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101%2Fr%2Fs%2Faws4_request"
    );
    assert_eq!(world.request("GET", &in_query, "", b"").await.status, 200);
}

/// The AWS SDK with the API's endpoint at `path`.
fn sdk(world: &World, path: &str) -> Sdk {
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(format!("http://127.0.0.1:{}{path}", world.stack.port()))
        .credentials_provider(Credentials::new("AKIA", "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .build();
    Sdk::from_conf(config)
}

/// The error of a refused post by the SDK.
async fn refused(sdk: &Sdk, id: &str, size: usize) -> PostToConnectionError {
    let post = sdk.post_to_connection().connection_id(id);
    let sent = post.data(vec![b'x'; size].into()).send().await;
    sent.unwrap_err().into_service_error()
}

#[tokio::test]
async fn connections_10_the_sdk_parses_54_to_59_into_its_modelled_errors() {
    let limits = Limits::default().with_client_queue(8);
    let options = Options::default().with_limits(limits);
    let world = World::start_with(options, Setup::chat).await;
    let mut client = world.connect().await;
    let id = world.connection_id(0).await;
    let sdk = self::sdk(&world, "/v1");
    // First the successful calls.
    let post = sdk.post_to_connection().connection_id(&id);
    post.data(b"by sdk".to_vec().into()).send().await.unwrap();
    assert_eq!(client.receive().await, "by sdk");
    let described = sdk
        .get_connection()
        .connection_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(described.identity().unwrap().source_ip(), Some("127.0.0.1"));
    assert!(described.connected_at().is_some() && described.last_active_at().is_some());
    // 54: an unknown connection, and a closed one.
    assert!(refused(&sdk, UNKNOWN, 1).await.is_gone_exception());
    let closed = world.connect().await;
    let closed_id = world.connection_id(1).await;
    closed.close(None).await;
    world.puppets.event("disconnect", 0).await;
    assert!(refused(&sdk, &closed_id, 1).await.is_gone_exception());
    let get = sdk.get_connection().connection_id(&closed_id).send().await;
    assert!(get.unwrap_err().into_service_error().is_gone_exception());
    let delete = sdk.delete_connection().connection_id(UNKNOWN).send().await;
    assert!(delete.unwrap_err().into_service_error().is_gone_exception());
    // 55: the SDK has no such error type, but the code and the message arrive.
    let malformed = refused(&sdk, "x", 1).await;
    assert_eq!(malformed.code(), Some("BadRequestException"));
    assert_eq!(malformed.message(), Some("Invalid connectionId: x"));
    // 56: no stage, and another one.
    for path in ["", "/v2"] {
        let forbidden = refused(&self::sdk(&world, path), &id, 1).await;
        assert!(forbidden.is_forbidden_exception(), "{path}: {forbidden:?}");
    }
    // 57
    let too_large = refused(&sdk, &id, 131_073).await;
    assert!(too_large.is_payload_too_large_exception(), "{too_large:?}");
    // 58: during the target's own `$connect`.
    let accept = world.puppets.later("connect", Act::unexpected);
    let early = async {
        let id = world.connection_id(2).await;
        assert!(refused(&sdk, &id, 1).await.is_gone_exception());
        accept.send(Act::ok()).unwrap();
    };
    let (_opened, ()) = tokio::join!(world.connect(), early);
    // 59: a client that reads nothing.
    let full = loop {
        let post = sdk.post_to_connection().connection_id(&id);
        match post.data(vec![b'x'; 100_000].into()).send().await {
            Ok(_) => {}
            Err(error) => break error.into_service_error(),
        }
    };
    assert!(full.is_limit_exceeded_exception(), "{full:?}");
}
