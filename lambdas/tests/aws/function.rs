//! The binary as Lambda runs it: environment and events in, responses out.

use std::collections::HashSet;

use chat_lambdas::room::INLINE_RECEIVERS;
use chat_lambdas::session::{ConnectionId, Room, Session};
use chat_lambdas::store::{ConnectionStore as _, Presence};
use serde_json::{Value, json};

use crate::runtime::Function;
use crate::stub::{Reply, Stub};
use crate::table::{LocalTable, TABLE};

pub(crate) const CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "do-not-print"),
    ("AWS_SESSION_TOKEN", "do-not-print"),
];

#[tokio::test]
async fn the_authorizer_needs_neither_table_nor_credentials() {
    let mut function = Function::start("authorize", &[]).await;
    let (kind, policy) = function
        .invoke(&authorizer(json!({"MsgFrom": "Tom", "MsgTo": "Jerry"})))
        .await;
    assert_eq!(kind, "response");
    assert_eq!(policy["context"], json!({"name": "Tom", "friend": "Jerry"}));
}

#[tokio::test]
async fn a_refusal_has_the_message_for_which_api_gateway_responds_with_401() {
    let mut function = Function::start("authorize", &[]).await;
    for headers in [json!({}), json!({"msgfrom": "Tom", "msgto": "#"})] {
        let (kind, error) = function.invoke(&authorizer(headers)).await;
        assert_eq!(kind, "error");
        assert_eq!(error["errorMessage"], "Unauthorized");
    }
    let log = function.stop();
    assert!(log.contains("`msgfrom` is missing"), "{log}");
    assert!(log.contains("'#' is not allowed"), "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["requestId"], "11111111-2222-3333-4444-555555555555");
    }
}

#[tokio::test]
async fn an_invalid_event_is_an_error_and_the_function_keeps_running() {
    let mut function = Function::start("authorize", &[]).await;
    for event in ["[]", "7", r#"{"headers": 7}"#, "{}"] {
        assert_eq!(function.invoke(event).await.0, "error", "{event}");
    }
    let (kind, _) = function
        .invoke(&authorizer(json!({"msgfrom": "Tom", "msgto": "Jerry"})))
        .await;
    assert_eq!(kind, "response");
}

#[tokio::test]
async fn a_connection_is_recorded_posted_to_and_forgotten() {
    let table = LocalTable::start().await;
    let posts = Stub::start(Reply::With {
        status: 200,
        error_type: None,
        body: "",
    })
    .await;
    let mut variables = CREDENTIALS.to_vec();
    variables.extend([
        ("TABLE_NAME", TABLE),
        ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint.as_str()),
        ("CONNECTIONS_ENDPOINT", posts.endpoint.as_str()),
    ]);
    let ok = ("response".to_owned(), json!({"statusCode": 200}));

    let mut connect = Function::start("connect", &variables).await;
    assert_eq!(
        connect
            .invoke(&socket("CONNECT", "$connect", "jerry=", "Jerry", "Tom"))
            .await,
        ok
    );
    let mut direct = Function::start("direct", &variables).await;
    assert_eq!(
        direct
            .invoke(&socket("MESSAGE", "$default", "tom=", "Tom", "Jerry"))
            .await,
        ok
    );
    let mut disconnect = Function::start("disconnect", &variables).await;
    let farewell = socket("DISCONNECT", "$disconnect", "jerry=", "Jerry", "Tom");
    assert_eq!(disconnect.invoke(&farewell).await, ok);
    assert_eq!(
        direct
            .invoke(&socket("MESSAGE", "$default", "tom=", "Tom", "Jerry"))
            .await,
        ok
    );

    let seen = posts.requests();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(
        seen[0].contains("jerry%3D") && seen[0].ends_with("\r\n\r\nhi"),
        "{seen:?}"
    );
    assert!(
        seen[1].contains("tom%3D") && seen[1].ends_with(testing::conversations::NOTICE),
        "{seen:?}"
    );

    let log = [connect.stop(), direct.stop(), disconnect.stop()].concat();
    // One line each, but none for the message that was delivered.
    assert_eq!(log.lines().count(), 3, "{log}");
    for secret in ["Tom", "Jerry", "hi", "do-not-print"] {
        assert!(!log.contains(&format!("{secret}\"")), "{log}");
    }
}

#[tokio::test]
async fn the_service_s_variable_for_posts_overrides_all_others() {
    let table = LocalTable::start().await;
    let reply = Reply::With {
        status: 410,
        error_type: Some("GoneException"),
        body: "",
    };
    let (ignored, used) = (Stub::start(reply.clone()).await, Stub::start(reply).await);
    let mut variables = CREDENTIALS.to_vec();
    variables.extend([
        ("TABLE_NAME", TABLE),
        ("AWS_ENDPOINT_URL", table.endpoint.as_str()),
        ("CONNECTIONS_ENDPOINT", ignored.endpoint.as_str()),
        (
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
            used.endpoint.as_str(),
        ),
    ]);
    let mut direct = Function::start("direct", &variables).await;
    let (kind, _) = direct
        .invoke(&socket("MESSAGE", "$default", "t", "Tom", "Jerry"))
        .await;
    assert_eq!((kind.as_str(), used.requests().len()), ("response", 1));
    assert!(ignored.requests().is_empty());
}

#[tokio::test]
async fn a_small_room_is_served_by_one_function() {
    let (table, posts, functions) = (LocalTable::start().await, ok(200).await, ok(202).await);
    let variables = room_variables(&table, &posts, &functions);

    let mut connect = Function::start("connect", &variables).await;
    for connection in ["a=", "b="] {
        assert_eq!(
            connect
                .invoke(&in_hall("CONNECT", "$connect", connection))
                .await,
            done()
        );
    }
    let mut broadcast = Function::start("broadcast", &variables).await;
    assert_eq!(
        broadcast
            .invoke(&in_hall("MESSAGE", "onMessage", "a="))
            .await,
        done()
    );
    let mut disconnect = Function::start("disconnect", &variables).await;
    assert_eq!(
        disconnect
            .invoke(&in_hall("DISCONNECT", "$disconnect", "b="))
            .await,
        done()
    );
    assert_eq!(
        broadcast
            .invoke(&in_hall("MESSAGE", "onMessage", "a="))
            .await,
        done()
    );
    // A route without options takes the whole frame, and not to its sender, who is alone now.
    assert_eq!(
        broadcast
            .invoke(&in_hall("MESSAGE", "$default", "a="))
            .await,
        done()
    );

    let mut receivers: Vec<_> = posts.requests().iter().map(|post| receiver(post)).collect();
    receivers.sort();
    assert_eq!(receivers, ["a%3D", "a%3D", "b%3D"]);
    for post in posts.requests() {
        assert!(post.ends_with("\r\n\r\nHi, all"), "{post}");
    }
    assert!(functions.requests().is_empty());
    let log = [connect.stop(), broadcast.stop(), disconnect.stop()].concat();
    for secret in ["Hi, all", "hall", "do-not-print"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn a_large_room_is_handed_over_and_each_member_is_posted_to_once() {
    let (table, posts, functions) = (LocalTable::start().await, ok(200).await, ok(202).await);
    let variables = room_variables(&table, &posts, &functions);
    let members = INLINE_RECEIVERS + 1;
    for number in 0..members {
        let member = Presence {
            session: Session {
                room: Room::parse("hall").unwrap(),
                ..Session::default()
            },
            connection: ConnectionId::new(format!("{number:04}")),
            connected_at: 4_000_000_000,
        };
        table.store.join(&member).await.unwrap();
    }
    let mut broadcast = Function::start("broadcast", &variables).await;
    let message = in_hall("MESSAGE", "onMessage", "a=");
    assert_eq!(broadcast.invoke(&message).await, done());
    let invocations = functions.requests();
    assert_eq!(invocations.len(), 4);
    assert_eq!(posts.requests().len(), 1, "the sender is served at once");

    let mut deliver = Function::start("deliver", &variables).await;
    let mut delivered = 0;
    for invocation in invocations {
        let (head, payload) = invocation.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains("/functions/chat-Deliver/invocations"),
            "{head}"
        );
        let (kind, tally) = deliver.invoke(payload).await;
        assert_eq!(
            (kind.as_str(), &tally["cutShort"]),
            ("response", &json!(false))
        );
        delivered += tally["delivered"].as_u64().unwrap();
    }
    assert_eq!(delivered, members as u64);
    let receivers: HashSet<_> = posts.requests().iter().map(|post| receiver(post)).collect();
    let posted = members + 1;
    assert_eq!((receivers.len(), posts.requests().len()), (posted, posted));
    let log = [broadcast.stop(), deliver.stop()].concat();
    assert!(
        log.contains("shard served") && !log.contains("Hi, all"),
        "{log}"
    );
}

#[tokio::test]
async fn an_invalid_message_to_a_shard_is_an_error_and_the_function_keeps_running() {
    let (table, posts, functions) = (LocalTable::start().await, ok(200).await, ok(202).await);
    let variables = room_variables(&table, &posts, &functions);
    let mut deliver = Function::start("deliver", &variables).await;
    for event in ["{}", "[]", &in_hall("MESSAGE", "onMessage", "a=")] {
        assert_eq!(deliver.invoke(event).await.0, "error", "{event}");
    }
    let event = r#"{"room":"hall","shard":0,"textBase64":"","except":""}"#;
    assert_eq!(deliver.invoke(event).await.0, "response");
}

#[tokio::test]
async fn a_process_for_several_events_at_a_time_refuses_to_start() {
    let concurrency = [("AWS_LAMBDA_MAX_CONCURRENCY", "8")];
    let mut function = Function::start("authorize", &concurrency).await;
    let event = authorizer(json!({"msgfrom": "Tom", "msgto": "Jerry"}));
    assert_eq!(function.invoke(&event).await.0, "response");
    let log = function.stop();
    assert!(
        log.contains("events are handled one after another"),
        "{log}"
    );
}

pub(crate) async fn ok(status: u16) -> Stub {
    Stub::start(Reply::With {
        status,
        error_type: None,
        body: "",
    })
    .await
}

fn done() -> (String, Value) {
    ("response".to_owned(), json!({"statusCode": 200}))
}

/// The environments of all functions of a stack of rooms, combined.
fn room_variables<'a>(
    table: &'a LocalTable,
    posts: &'a Stub,
    functions: &'a Stub,
) -> Vec<(&'a str, &'a str)> {
    let mut variables = CREDENTIALS.to_vec();
    variables.extend([
        ("NAMES", "optional"),
        ("INDEX", "room"),
        ("TABLE_NAME", TABLE),
        ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint.as_str()),
        ("CONNECTIONS_ENDPOINT", posts.endpoint.as_str()),
        ("AWS_ENDPOINT_URL_LAMBDA", functions.endpoint.as_str()),
        ("DELIVER_FUNCTION", "chat-Deliver"),
        (
            "ROUTES",
            r#"{"onMessage":{"text":"message","includeSender":true,"maxTextBytes":32768}}"#,
        ),
    ]);
    variables
}

fn in_hall(event_type: &str, route: &str, connection: &str) -> String {
    json!({
        "requestContext": {
            "eventType": event_type,
            "routeKey": route,
            "connectionId": connection,
            "authorizer": {"principalId": "#anonymous", "room": "hall"},
        },
        "body": r#"{"action":"onMessage","message":"Hi, all"}"#,
    })
    .to_string()
}

/// The receiver of a post.
fn receiver(post: &str) -> String {
    let path = post.split(' ').nth(1).expect("a request line");
    let id = path.rsplit('/').next().expect("a path");
    id.to_owned()
}

fn authorizer(headers: Value) -> String {
    json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-central-1:000000000000:a1/v1/$connect",
        "headers": headers,
        "requestContext": {"eventType": "CONNECT", "routeKey": "$connect", "connectionId": "c"},
    })
    .to_string()
}

fn socket(event_type: &str, route: &str, connection: &str, name: &str, friend: &str) -> String {
    json!({
        "requestContext": {
            "eventType": event_type,
            "routeKey": route,
            "connectionId": connection,
            "authorizer": {"principalId": name, "name": name, "friend": friend},
        },
        "body": "hi",
        "isBase64Encoded": false,
    })
    .to_string()
}
