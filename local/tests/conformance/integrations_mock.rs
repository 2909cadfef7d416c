//! Statements `integrations.3` and `.6`: MOCK integrations, template selection, models, and refused templates.

use std::error::Error;

use chatctl_local::{LocalStack, Options, StackRequest};
use serde_json::{Value, json};

use crate::backend::{Backend, mock, response, route, template, two_way, world_of};
use crate::world::{World, recorder, until};

const DEFAULT: &str = "$default";
const OK: &str = "      RequestTemplates: { application/json: '{\"statusCode\":200}' }";

fn templates(text: &str) -> String {
    let text = Value::from(text);
    format!("      ResponseTemplates: {{ $default: {text} }}")
}

#[tokio::test]
async fn integrations_3_a_mock_accepts_connects_and_returns_its_response_template() {
    let world = world_of(&[
        mock("Mock", OK),
        response(
            "Mock",
            DEFAULT,
            &templates(r#"{"success":true,"you":"$context.connectionId"}"#),
        ),
        route("Connect", "$connect", "Mock", ""),
        two_way("Ask", DEFAULT, "Mock"),
        route("Tell", "tell", "Mock", ""),
        route("Disconnect", "$disconnect", "Mock", ""),
    ])
    .await;
    let mut client = world.connect().await;
    client.send(r#"{"action":"tell"}"#).await;
    client.send("x").await;
    let frame: Value = serde_json::from_str(&client.receive().await).unwrap();
    assert_eq!(frame["success"], true);
    let id = frame["you"].as_str().unwrap();
    assert_eq!(world.operate("POST", id, b"hi").await.status, 200);
    assert_eq!(
        client.receive().await,
        "hi",
        "the one-way route sent nothing"
    );
}

#[tokio::test]
async fn the_status_of_a_mock_decides_about_the_handshake() {
    for (status, expected) in [
        ("200", 101),
        ("\"204\"", 101),
        ("403", 403),
        ("500", 500),
        ("\"no\"", 500),
        ("204 ", 101),
    ] {
        let properties =
            format!("      RequestTemplates: {{ $default: '{{\"statusCode\":{status}}}' }}");
        let world = world_of(&[
            mock("Mock", &properties),
            response("Mock", DEFAULT, ""),
            route("Connect", "$connect", "Mock", ""),
        ])
        .await;
        assert_eq!(world.upgrade("/v1", "").await.status, expected, "{status}");
    }
}

#[tokio::test]
async fn response_parameters_choose_the_subprotocol() {
    let parameters =
        "      ResponseParameters: { method.response.header.Sec-WebSocket-Protocol: \"'chat'\" }";
    let world = world_of(&[
        mock("Mock", OK),
        response("Mock", DEFAULT, parameters),
        route("Connect", "$connect", "Mock", ""),
    ])
    .await;
    let accepted = world
        .upgrade("/v1", "Sec-WebSocket-Protocol: chat\r\n")
        .await;
    assert_eq!(accepted.header("sec-websocket-protocol"), Some("chat"));
}

#[tokio::test]
async fn templates_are_selected_by_the_message() {
    let requests = "      TemplateSelectionExpression: ${request.body.kind}
      RequestTemplates: { a: '{\"statusCode\":201}', $default: '{\"statusCode\":202}' }";
    let responses =
        "      TemplateSelectionExpression: ${request.body.kind}-${integration.response.statuscode}
      ResponseTemplates: { a-201: one, $default: $context.status }";
    let world = world_of(&[
        mock("Mock", requests),
        response("Mock", DEFAULT, responses),
        two_way("Ask", DEFAULT, "Mock"),
    ])
    .await;
    let mut client = world.connect().await;
    for (message, expected) in [
        (r#"{"kind":"a"}"#, "one"),
        (r#"{"kind":"b"}"#, "202"),
        ("x", "202"),
    ] {
        client.send(message).await;
        assert_eq!(client.receive().await, expected);
    }
}

#[tokio::test]
async fn a_selected_key_without_a_template_is_warned_of_once() {
    let requests = "      TemplateSelectionExpression: ${request.body.kind}
      RequestTemplates: { a: '{\"statusCode\":200}' }";
    let responses = "      TemplateSelectionExpression: ${request.body.kind}
      ResponseTemplates: { a: one }";
    let world = world_of(&[
        mock("Mock", requests),
        response("Mock", DEFAULT, responses),
        two_way("Ask", DEFAULT, "Mock"),
    ])
    .await;
    let mut client = world.connect().await;
    client.send(r#"{"kind":"a"}"#).await;
    assert_eq!(client.receive().await, "one");
    assert_eq!(world.warnings(), Vec::<String>::new());
    for _ in 0..2 {
        client.send(r#"{"kind":"secret","statusCode":200}"#).await;
        until(async || (world.warnings().len() >= 2).then_some(())).await;
    }
    client.send(r#"{"kind":"a"}"#).await;
    assert_eq!(client.receive().await, "one");
    let warnings = world.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for warning in warnings {
        let reported = "`${request.body.kind}` of `Mock";
        let why = "yields a key without a template, and there is no template $default";
        assert!(
            warning.contains(reported) && warning.contains(why),
            "{warning}"
        );
        assert!(!warning.contains("secret"), "{warning}");
    }
}

#[tokio::test]
async fn messages_without_a_template_are_refused_if_passthrough_is_off() {
    for (properties, passes) in [
        ("      PassthroughBehavior: NEVER", false),
        ("      PassthroughBehavior: WHEN_NO_TEMPLATES", true),
        (
            "      PassthroughBehavior: WHEN_NO_TEMPLATES\n      RequestTemplates: { text/plain: x }",
            false,
        ),
        (
            "      PassthroughBehavior: WHEN_NO_MATCH\n      RequestTemplates: { text/plain: x }",
            true,
        ),
        ("", true),
    ] {
        let world = world_of(&[
            mock("Mock", properties),
            response("Mock", DEFAULT, &templates("ok")),
            two_way("Ask", DEFAULT, "Mock"),
        ])
        .await;
        let mut client = world.connect().await;
        client.send(r#"{"statusCode":200}"#).await;
        let frame = client.receive().await;
        if passes {
            assert_eq!(frame, "ok", "{properties}");
        } else {
            assert!(
                frame.starts_with(r#"{"message": "Unsupported Media Type", "connectionId":""#),
                "{properties}: {frame}"
            );
        }
    }
    let world = world_of(&[
        mock("Mock", "      PassthroughBehavior: NEVER"),
        response("Mock", DEFAULT, ""),
        route("Connect", "$connect", "Mock", ""),
    ])
    .await;
    assert_eq!(world.upgrade("/v1", "").await.status, 415);
}

#[tokio::test]
async fn an_invalid_template_is_an_error_frame_and_a_warning_with_its_place() {
    let world = world_of(&[
        mock(
            "Mock",
            "      RequestTemplates: { $default: \"{\\n  $util.frob('x')}\" }",
        ),
        response("Mock", DEFAULT, ""),
        route("Send", DEFAULT, "Mock", ""),
    ])
    .await;
    let mut client = world.connect().await;
    client.gets_error("x", "Internal server error").await;
    let warning = world.warnings().concat();
    assert!(
        warning.contains("integration `Mock` of route `$default` failed: request template `$default`, line 2, column 9: `$util` has no function `frob`"),
        "{warning}"
    );
}

#[tokio::test]
async fn a_message_that_its_model_forbids_never_reaches_the_backend() {
    let backend = Backend::start().await;
    let model = "
  Model:
    Type: AWS::ApiGatewayV2::Model
    Properties:
      ApiId: !Ref Api
      Name: message
      ContentType: application/json
      Schema:
        $schema: http://json-schema.org/draft-04/schema#
        type: object
        required: [text]
        properties: { text: { type: string, maxLength: 5 } }
";
    let validated = "      ModelSelectionExpression: $request.body.kind
      RequestModels: { said: message }";
    let world = world_of(&[
        backend.http("Proxy", "HTTP_PROXY", "/", ""),
        model.to_owned(),
        route("Say", DEFAULT, "Proxy", validated),
    ])
    .await;
    let mut client = world.connect().await;
    for bad in [
        r#"{"kind":"said"}"#,
        r#"{"kind":"said","text":"too long"}"#,
        r#"{"kind":"other","text":"a"}"#,
        "x",
    ] {
        client.send(bad).await;
        let frame = client.receive().await;
        let value: Value = serde_json::from_str(&frame).unwrap();
        let (connection, message) = (
            value["connectionId"].as_str().unwrap(),
            value["messageId"].as_str().unwrap(),
        );
        let expected = format!(
            r#"{{"message": "Bad request body", "connectionId":"{connection}", "messageId":"{message}"}}"#
        );
        assert_eq!(frame, expected, "{bad}");
    }
    client.send(r#"{"kind":"said","text":"fine"}"#).await;
    assert_eq!(
        backend.request(0).await.json(),
        json!({ "kind": "said", "text": "fine" })
    );
    assert_eq!(backend.count(), 1);
    assert!(world.warnings().concat().contains("$ lacks \"text\""));
}

#[tokio::test]
async fn integrations_6_a_timeout_outside_of_its_bounds_is_a_template_error() {
    for timeout in ["49", "29001"] {
        let text = template(&[mock("Mock", &format!("      TimeoutInMillis: {timeout}"))]);
        let request = StackRequest::new("test", text);
        let started = LocalStack::start(request, Options::default(), recorder().0).await;
        let error = started.unwrap_err();
        let problem = error.source().unwrap().to_string();
        let expected = format!(
            "Resources.Mock.Properties.TimeoutInMillis: must be a whole number from 50 to 29000, but is `{timeout}`"
        );
        assert!(problem.contains(&expected), "{problem}");
    }
    for timeout in ["50", "29000"] {
        world_of(&[mock("Mock", &format!("      TimeoutInMillis: {timeout}"))]).await;
    }
}

#[tokio::test]
async fn an_update_replaces_templates_while_connections_stay() {
    let text = |answer: &str| {
        template(&[
            mock("Mock", OK),
            response("Mock", DEFAULT, &templates(answer)),
            two_way("Ask", DEFAULT, "Mock"),
        ])
    };
    let world = World::with_template(&text("before")).await;
    let mut client = world.connect().await;
    client.send("x").await;
    assert_eq!(client.receive().await, "before");
    let request = StackRequest::new("test", text("after"));
    world.stack.update(request).await.unwrap();
    until(async || {
        client.send("x").await;
        (client.receive().await == "after").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_endless_template_ends_and_delays_no_other_client() {
    let endless = "#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $i + $j)#end#end";
    let world = world_of(&[
        mock("Slow", OK),
        response("Slow", DEFAULT, &templates(endless)),
        mock("Quick", OK),
        response("Quick", DEFAULT, &templates("quick")),
        two_way("ToSlow", "slow", "Slow"),
        two_way("ToQuick", DEFAULT, "Quick"),
    ])
    .await;
    let (mut slow, mut quick) = (world.connect().await, world.connect().await);
    slow.send(r#"{"action":"slow"}"#).await;
    quick.send("x").await;
    let first = tokio::select! {
        biased;
        answer = slow.receive() => answer,
        answer = quick.receive() => answer,
    };
    assert_eq!(first, "quick");
    assert!(slow.receive().await.contains("Internal server error"));
    let warning = world.warnings().concat();
    assert!(warning.contains("more than two million steps"), "{warning}");
}

#[tokio::test]
async fn regular_expressions_are_charged_for_their_work() {
    let hostile =
        "#set($a = $input.body)#foreach($i in [1..1000])$a.matches('((a?){200}){20}b')#end";
    let world = world_of(&[
        mock("Mock", OK),
        response("Mock", DEFAULT, &templates(hostile)),
        two_way("Ask", DEFAULT, "Mock"),
    ])
    .await;
    let mut client = world.connect().await;
    let reported = "Internal server error";
    client.gets_error(&"a".repeat(32_000), reported).await;
    let warning = world.warnings().concat();
    assert!(warning.contains("more than two million steps"), "{warning}");
}
