//! HTTP backends that fail, and invalid integrations.

use std::time::Duration;

use testing::ports::Closed;

use crate::backend::{Backend, Reply, mock, response, route, template, two_way, world_of};
use crate::world::{World, until};

const DEFAULT: &str = "$default";

#[tokio::test]
async fn a_backend_that_is_too_slow_is_a_timeout() {
    let backend = Backend::start().await;
    backend.on(|_| Reply {
        delay: Duration::from_secs(60),
        ..Reply::new(200, "late")
    });
    let world = world_of(&[
        backend.http("Slow", "HTTP_PROXY", "/", "      TimeoutInMillis: 50"),
        route("Send", DEFAULT, "Slow", ""),
    ])
    .await;
    let mut client = world.connect().await;
    client.gets_error("x", "Endpoint request timed out").await;
    let world = world_of(&[
        backend.http("Slow", "HTTP_PROXY", "/", "      TimeoutInMillis: 50"),
        route("Connect", "$connect", "Slow", ""),
    ])
    .await;
    assert_eq!(world.upgrade("/v1", "").await.status, 504);
}

#[tokio::test]
async fn a_backend_that_cannot_be_reached_is_an_error_frame_and_a_warning() {
    let backend = Backend::start().await;
    let gone = Closed::new();
    let text = template(&[
        backend.http("Gone", "HTTP_PROXY", "/", ""),
        route("Send", DEFAULT, "Gone", ""),
    ])
    .replace(
        &format!("127.0.0.1:{}", backend.port),
        &gone.address.to_string(),
    );
    let world = World::with_template(&text).await;
    let mut client = world.connect().await;
    client.gets_error("x", "Internal server error").await;
    let warning = world.warnings().concat();
    assert!(
        warning.contains("integration `Gone` of route `$default`"),
        "{warning}"
    );
    assert!(
        warning.contains("refused"),
        "the cause is reported: {warning}"
    );
}

#[tokio::test]
async fn an_https_backend_without_tls_is_an_error() {
    let backend = Backend::start().await;
    let text = template(&[
        backend.http("Plain", "HTTP_PROXY", "/", ""),
        route("Send", DEFAULT, "Plain", ""),
    ]);
    let world = World::with_template(&text.replace("http://127", "https://127")).await;
    let mut client = world.connect().await;
    client.gets_error("x", "Internal server error").await;
    let warning = world.warnings().concat();
    assert!(warning.contains("`https://127.0.0.1"), "{warning}");
    assert_eq!(backend.count(), 0);
}

#[tokio::test]
async fn a_response_of_more_than_ten_megabytes_is_an_error() {
    let backend = Backend::start().await;
    backend.on(|_| Reply::new(200, vec![b'x'; 10 * 1024 * 1024 + 1]));
    let world = world_of(&[
        backend.http("Large", "HTTP_PROXY", "/", ""),
        two_way("Ask", DEFAULT, "Large"),
    ])
    .await;
    let mut client = world.connect().await;
    client.gets_error("x", "Internal server error").await;
    assert!(world.warnings().concat().contains("larger than 10 MB"));
}

#[tokio::test]
async fn without_a_matching_response_connects_are_refused_and_messages_get_error_frames() {
    let backend = Backend::start().await;
    backend.on(|_| Reply::new(500, ""));
    let world = world_of(&[
        backend.http("Http", "HTTP", "/", ""),
        response("Http", "/200/", ""),
        route("Connect", "$connect", "Http", ""),
    ])
    .await;
    assert_eq!(world.upgrade("/v1", "").await.status, 500);
    let world = world_of(&[
        backend.http("Http", "HTTP", "/", ""),
        route("Send", DEFAULT, "Http", ""),
    ])
    .await;
    let mut client = world.connect().await;
    client.gets_error("x", "Internal server error").await;
    assert!(
        world
            .warnings()
            .concat()
            .contains("no AWS::ApiGatewayV2::IntegrationResponse matches the status 500")
    );
}

#[tokio::test]
async fn binary_bodies_are_converted_both_ways() {
    let backend = Backend::start().await;
    backend.on(|seen| {
        Reply::new(
            200,
            if seen.body == "hi" {
                vec![0xff, 0x00]
            } else {
                Vec::new()
            },
        )
    });
    let world = world_of(&[
        backend.http(
            "Http",
            "HTTP",
            "/",
            "      ContentHandlingStrategy: CONVERT_TO_BINARY",
        ),
        response(
            "Http",
            DEFAULT,
            "      ContentHandlingStrategy: CONVERT_TO_TEXT",
        ),
        two_way("Ask", DEFAULT, "Http"),
    ])
    .await;
    let mut client = world.connect().await;
    client.send("aGk=").await;
    assert_eq!(client.receive().await, "/wA=");
    client
        .gets_error("not base64!", "Internal server error")
        .await;
}

#[tokio::test]
async fn a_missing_stage_variable_in_an_address_is_reported() {
    let backend = Backend::start().await;
    let world = world_of(&[
        backend.http("Http", "HTTP_PROXY", "/${stageVariables.nowhere}", ""),
        route("Send", DEFAULT, "Http", ""),
    ])
    .await;
    let mut client = world.connect().await;
    client.gets_error("x", "Internal server error").await;
    until(async || {
        let reported = world
            .warnings()
            .concat()
            .contains("the stage has no variable `nowhere`");
        reported.then_some(())
    })
    .await;
    assert_eq!(backend.count(), 0);
}

#[tokio::test]
async fn errors_about_a_message_are_reported_without_its_text() {
    let gone = Closed::new();
    let backend = Backend::start().await;
    let in_the_address = "      RequestParameters:
        integration.request.querystring.text: route.request.body.text";
    let unreachable = backend.http("Gone", "HTTP_PROXY", "/", in_the_address);
    let world = world_of(&[
        unreachable.replace(&format!("127.0.0.1:{}", backend.port), &gone.address.to_string()),
        mock("Passing", ""),
        mock(
            "Pattern",
            "      RequestTemplates: { $default: \"$input.path('$.text').matches($input.path('$.text'))\" }",
        ),
        route("One", "gone", "Gone", ""),
        route("Two", "passing", "Passing", ""),
        route("Three", "pattern", "Pattern", ""),
    ])
    .await;
    let mut client = world.connect().await;
    for action in ["gone", "passing", "pattern"] {
        let text = format!(r#"{{"action":"{action}","text":"(?=secret)"}}"#);
        client.gets_error(&text, "Internal server error").await;
    }
    let warnings = world.warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(!warnings.concat().contains("secret"), "{warnings:?}");
}
