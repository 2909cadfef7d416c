//! Statements `integrations.1`, `.2`, `.4`, `.5`: HTTP backends, with templates and without.

use serde_json::{Value, json};

use crate::backend::{Backend, Reply, response, route, template, two_way, world_of};
use crate::world::World;

const DEFAULT: &str = "$default";

/// A request template for every message.
fn request_template(text: &str) -> String {
    let text = Value::from(text);
    format!(
        "      TemplateSelectionExpression: \\$default\n      RequestTemplates: {{ $default: {text} }}"
    )
}

#[tokio::test]
async fn integrations_1_a_template_sees_context_and_body_and_the_backend_gets_mapped_headers() {
    let backend = Backend::start().await;
    let properties = format!(
        "{}
      RequestParameters:
        integration.request.header.Connection-Id: context.connectionId
        integration.request.header.kind: route.request.body.deep.kind
        integration.request.header.room: stageVariables.room
        integration.request.header.fixed: \"'a literal'\"
        integration.request.header.missing: route.request.body.nothing
        integration.request.querystring.to: route.request.body.to
        integration.request.path.where: stageVariables.where",
        request_template(
            r#"{"id":"$context.connectionId","route":"$context.routeKey","all":$input.json('$'),"to":"$input.path('$.to')","raw":"$util.base64Encode($input.body)","room":"$stageVariables.room"}"#
        ),
    );
    let world = world_of(&[
        backend.http(
            "Http",
            "HTTP",
            "/{where}/${stageVariables.room}?x=1",
            &properties,
        ),
        response("Http", DEFAULT, ""),
        route("Send", "send", "Http", ""),
    ])
    .await;
    let mut client = world.connect().await;
    let message = json!({ "action": "send", "to": "a&b c", "deep": { "kind": "k" } }).to_string();
    client.send(&message).await;
    let seen = backend.request(0).await;
    let body = seen.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("POST", "/there/lobby?x=1&to=a%26b%20c")
    );
    assert_eq!(body["route"], "send");
    assert_eq!(body["all"].to_string(), message);
    assert_eq!(body["to"], "a&b c");
    assert_eq!(body["room"], "lobby");
    assert_eq!(seen.header("connection-id"), Some(id));
    assert_eq!(seen.header("kind"), Some("k"));
    assert_eq!(seen.header("room"), Some("lobby"));
    assert_eq!(seen.header("fixed"), Some("a literal"));
    assert_eq!(seen.header("missing"), None);
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(
        seen.header("sec-websocket-version"),
        None,
        "a message has no headers"
    );
    assert_eq!(
        world.operate("POST", id, b"from the backend").await.status,
        200
    );
    assert_eq!(
        client.receive().await,
        "from the backend",
        "one-way: nothing came before it"
    );
}

#[tokio::test]
async fn integrations_2_connect_forwards_websocket_headers_unless_overridden_and_400_refuses() {
    let backend = Backend::start().await;
    let resources = |overriding: &str| {
        template(&[
            backend.http("Http", "HTTP", "/connect", overriding),
            response("Http", DEFAULT, ""),
            route("Connect", "$connect", "Http", ""),
        ])
    };
    // Like web servers that take the header for a request to upgrade.
    backend.on(|seen| match seen.header("sec-websocket-version") {
        Some("13") => Reply::new(400, "no upgrade here"),
        _ => Reply::new(200, ""),
    });
    let world = World::with_template(&resources("")).await;
    let refused = world
        .upgrade("/v1", "X-Custom: kept\r\nUser-Agent: me\r\n")
        .await;
    assert_eq!(refused.status, 400);
    let seen = backend.request(0).await;
    assert!(seen.header("sec-websocket-key").is_some());
    assert_eq!(seen.header("x-custom"), Some("kept"));
    assert_eq!(seen.header("user-agent"), Some("me"));
    assert_eq!(seen.header("upgrade"), None);
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(
        seen.header("host"),
        Some(format!("127.0.0.1:{}", backend.port).as_str())
    );

    let overriding =
        "      RequestParameters: { integration.request.header.Sec-WebSocket-Version: \"'0'\" }";
    let world = World::with_template(&resources(overriding)).await;
    assert_eq!(world.upgrade("/v1", "").await.status, 101);
    assert_eq!(
        backend.request(1).await.header("sec-websocket-version"),
        Some("0")
    );
}

#[tokio::test]
async fn integrations_4_a_pattern_that_fits_the_status_is_chosen_over_the_default() {
    let backend = Backend::start().await;
    let template_of = |text: &str| format!("      ResponseTemplates: {{ $default: '{text}' }}");
    let world = world_of(&[
        backend.http("Http", "HTTP", "/", ""),
        response("Http", DEFAULT, &template_of("default $context.status")),
        response(
            "Http",
            r"/4\d\d/",
            &template_of("wrong: $input.path(\"$.why\")"),
        ),
        response("Http", "503", &template_of("busy")),
        two_way("Ask", DEFAULT, "Http"),
    ])
    .await;
    let mut client = world.connect().await;
    for (status, expected) in [
        (200, "default 200"),
        (404, "wrong: gone"),
        (503, "busy"),
        (500, "default 500"),
    ] {
        backend.on(move |_| Reply::new(status, r#"{"why":"gone"}"#));
        client.send("x").await;
        assert_eq!(client.receive().await, expected);
    }
}

#[tokio::test]
async fn integrations_5_escaped_text_is_valid_json_for_any_text() {
    let backend = Backend::start().await;
    let template_text = r#"{"text":"$util.escapeJavaScript($input.body).replaceAll("\\'","'")"}"#;
    let world = world_of(&[
        backend.http("Http", "HTTP", "/", &request_template(template_text)),
        response("Http", DEFAULT, ""),
        route("Send", DEFAULT, "Http", ""),
    ])
    .await;
    let mut client = world.connect().await;
    let texts = [
        "it's \"so\"\nand\tso",
        r"back\slash \' / $x #if",
        "é🦀\u{1}",
        "''\"\"\\\\",
    ];
    for (index, text) in texts.into_iter().enumerate() {
        client.send(text).await;
        assert_eq!(backend.request(index).await.json()["text"], text);
    }
}

#[tokio::test]
async fn parameters_of_the_handshake_reach_the_template_as_json() {
    let backend = Backend::start().await;
    let template_text = r##"#set($all = $input.params())
{"id": "$context.connectionId", "params": {#foreach($type in $all.keySet())#set($some = $all.get($type))
"$type": {#foreach($name in $some.keySet())"$name": "$util.escapeJavaScript($some.get($name)).replaceAll("\\'","'")"#if($foreach.hasNext), #end#end}#if($foreach.hasNext), #end#end}}"##;
    let declared =
        "      RequestParameters: { route.request.querystring.token: { Required: true } }";
    let properties = format!(
        "{}\n      RequestParameters: {{ integration.request.header.token: route.request.querystring.token }}",
        request_template(template_text)
    );
    let world = world_of(&[
        backend.http("Http", "HTTP", "/", &properties),
        response("Http", DEFAULT, ""),
        route("Connect", "$connect", "Http", declared),
    ])
    .await;
    let missing = world.upgrade("/v1", "").await;
    assert_eq!(missing.status, 400);
    assert_eq!(
        missing.body,
        r#"{"message":"Missing required request parameters: [token]"}"#
    );
    assert_eq!(backend.count(), 0);
    world
        .connect_to("/v1?token=se%20cret&who=it's", "X-Who: \"Tom\"\r\n")
        .await;
    let seen = backend.request(0).await;
    assert_eq!(seen.header("token"), Some("se cret"));
    assert_eq!(seen.path, "/", "HTTP only forwards mapped query parameters");
    let params = &seen.json()["params"];
    assert_eq!(
        params["querystring"],
        json!({ "token": "se cret", "who": "it's" })
    );
    assert_eq!(params["header"]["X-Who"], "\"Tom\"");
    assert_eq!(params["path"], json!({}));
}

#[tokio::test]
async fn http_proxy_passes_the_message_on_and_its_response_back() {
    let backend = Backend::start().await;
    let world = world_of(&[
        backend.http("Proxy", "HTTP_PROXY", "/all", ""),
        route("Connect", "$connect", "Proxy", ""),
        two_way("Ask", DEFAULT, "Proxy"),
        route("Tell", "tell", "Proxy", ""),
        route("Disconnect", "$disconnect", "Proxy", ""),
    ])
    .await;
    backend.on(|_| Reply {
        headers: vec![("Sec-WebSocket-Protocol", "chat")],
        ..Reply::new(200, "")
    });
    let accepted = world
        .upgrade("/v1?a=1", "Sec-WebSocket-Protocol: chat\r\n")
        .await;
    assert_eq!(
        (accepted.status, accepted.header("sec-websocket-protocol")),
        (101, Some("chat"))
    );
    assert_eq!(backend.request(0).await.path, "/all?a=1");
    let mut client = accepted.into_client().await;
    // A redirect is not followed: it is the response.
    backend.on(|seen| Reply {
        headers: vec![("Location", "/elsewhere")],
        ..Reply::new(302, seen.body.clone())
    });
    client.send(r#"{"action":"tell"}"#).await;
    backend.request(1).await;
    client.send("not json").await;
    assert_eq!(client.receive().await, "not json");
    client.close(None).await;
    assert_eq!(backend.request(3).await.body, "");
    backend.on(|_| Reply::new(403, "no"));
    assert_eq!(world.upgrade("/v1", "").await.status, 403);
}

#[tokio::test]
async fn one_connection_to_the_backend_serves_one_message_after_another() {
    let backend = Backend::start().await;
    let world = world_of(&[
        backend.http("Proxy", "HTTP_PROXY", "/", ""),
        two_way("Ask", DEFAULT, "Proxy"),
    ])
    .await;
    let mut client = world.connect().await;
    for _ in 0..5 {
        client.send("x").await;
        assert_eq!(client.receive().await, "{}");
    }
    assert_eq!(backend.request(4).await.connection, 0);
}
