//! Statements `connect`: the event of `$connect`.

use crate::puppets::Received;
use crate::world::World;

async fn connected(target: &str, headers: &str) -> Received {
    let world = World::chat().await;
    world.connect_to(target, headers).await;
    world.puppets.event("connect", 0).await
}

#[tokio::test]
async fn connect_1_keys_are_exactly_these() {
    let always = [
        "headers",
        "isBase64Encoded",
        "multiValueHeaders",
        "requestContext",
    ];
    assert_eq!(connected("/v1", "").await.keys(), always);
    let query = ["multiValueQueryStringParameters", "queryStringParameters"];
    let with = |more: &[&'static str]| {
        let mut keys = [&always[..], more].concat();
        keys.sort_unstable();
        keys
    };
    assert_eq!(connected("/v1?a=1", "").await.keys(), with(&query));
    let world = World::start(|setup| {
        setup.chat().edit(|stack| {
            let stage = stack.api.stages.get_mut("v1").unwrap();
            stage
                .variables
                .insert("color".to_owned(), "blue".to_owned());
        })
    })
    .await;
    let mut client = world.connect().await;
    client.send("x").await;
    client.close(None).await;
    for (function, keys) in [
        ("connect", with(&["stageVariables"])),
        (
            "default",
            vec![
                "body",
                "isBase64Encoded",
                "requestContext",
                "stageVariables",
            ],
        ),
        ("disconnect", with(&["stageVariables"])),
    ] {
        let received = world.puppets.event(function, 0).await;
        assert_eq!(received.keys(), keys, "{function}");
        assert_eq!(
            received.event["stageVariables"],
            serde_json::json!({ "color": "blue" }),
            "{function}"
        );
    }
}

#[tokio::test]
async fn connect_2_no_body_no_message_id_no_disconnect_fields() {
    let received = connected("/v1", "").await;
    assert!(received.event.get("body").is_none());
    for field in ["messageId", "disconnectStatusCode", "disconnectReason"] {
        assert!(received.context().get(field).is_none(), "{field}");
    }
    let context = received.context();
    assert_eq!(
        (&context["routeKey"], &context["eventType"]),
        (&"$connect".into(), &"CONNECT".into())
    );
    assert_eq!(
        (&context["messageDirection"], &context["stage"]),
        (&"IN".into(), &"v1".into())
    );
    assert_eq!(context["apiId"], "a1b2c3d4e5");
    assert_eq!(
        context["domainName"],
        "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
    );
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
}

#[tokio::test]
async fn connect_3_connection_upgrade_and_content_length_are_not_in_headers() {
    let event = connected("/v1", "content-length: 0\r\nX-Tag: one\r\n")
        .await
        .event;
    assert_eq!(event["headers"]["X-Tag"], "one", "the others are kept");
    for map in ["headers", "multiValueHeaders"] {
        for (name, _) in event[map].as_object().unwrap() {
            assert!(
                !["connection", "upgrade", "content-length"]
                    .contains(&name.to_lowercase().as_str()),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn header_names_keep_the_case_that_the_client_typed() {
    let event = connected("/v1", "msgFrom: Tom\r\nx-API-key: k\r\n")
        .await
        .event;
    assert_eq!(event["headers"]["msgFrom"], "Tom");
    assert_eq!(event["headers"]["x-API-key"], "k");
}

#[tokio::test]
async fn connect_4_the_multi_maps_have_all_repeated_values_and_the_single_maps_the_last_one() {
    let event = connected("/v1?a=1&b=x&a=2", "X-Tag: one\r\nX-Tag: two\r\n")
        .await
        .event;
    assert_eq!(
        event["multiValueHeaders"]["X-Tag"],
        serde_json::json!(["one", "two"])
    );
    assert_eq!(event["headers"]["X-Tag"], "two");
    assert_eq!(
        event["multiValueQueryStringParameters"],
        serde_json::json!({ "a": ["1", "2"], "b": ["x"] })
    );
    assert_eq!(
        event["queryStringParameters"],
        serde_json::json!({ "a": "2", "b": "x" })
    );
    for (name, values) in event["multiValueHeaders"].as_object().unwrap() {
        assert!(values.is_array(), "{name}");
    }
}

#[tokio::test]
async fn connect_5_forwarding_and_trace_headers_are_present() {
    let event = connected("/v1", "X-Forwarded-Proto: ws\r\n").await.event;
    let headers = &event["headers"];
    assert_eq!(headers["X-Forwarded-For"], "127.0.0.1");
    assert_eq!(headers["X-Forwarded-Port"], "443");
    assert_eq!(headers["X-Forwarded-Proto"], "https");
    let trace = headers["X-Amzn-Trace-Id"].as_str().unwrap();
    let parts: Vec<&str> = trace.strip_prefix("Root=").unwrap().split('-').collect();
    assert_eq!(
        parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
        [1, 8, 24],
        "{trace}"
    );
}

#[tokio::test]
async fn connect_6_request_ids_agree_and_times_are_in_order() {
    let received = connected("/v1", "").await;
    let context = received.context();
    assert_eq!(context["requestId"], context["extendedRequestId"]);
    assert_ne!(context["requestId"], context["connectionId"]);
    let (at, connected) = (
        context["requestTimeEpoch"].as_i64().unwrap(),
        context["connectedAt"].as_i64().unwrap(),
    );
    assert!(at >= connected, "{context}");
    let text = context["requestTime"].as_str().unwrap();
    let format = time::macros::format_description!(
        "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000"
    );
    let parsed = time::PrimitiveDateTime::parse(text, format)
        .unwrap()
        .assume_utc();
    assert_eq!(parsed.unix_timestamp(), at / 1000);
}

#[tokio::test]
async fn connect_7_the_user_agent_is_there_only_when_the_client_sent_one() {
    let without = connected("/v1", "").await;
    assert!(without.context()["identity"].get("userAgent").is_none());
    let with = connected("/v1", "User-Agent: browser/1\r\n").await;
    assert_eq!(with.context()["identity"]["userAgent"], "browser/1");
}

#[tokio::test]
async fn connect_8_percent_encoded_query_values_arrive_decoded() {
    let event = connected("/v1?name=J%C3%BCrgen%20M&sign=%26%3D%2B", "")
        .await
        .event;
    assert_eq!(
        event["queryStringParameters"],
        serde_json::json!({ "name": "Jürgen M", "sign": "&=+" })
    );
}
