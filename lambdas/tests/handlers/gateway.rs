//! Events as API Gateway makes them, with fields that are not used.

use chat_lambdas::event::SocketEvent;
use serde_json::{Value, json};

pub(crate) const ARN: &str = "arn:aws:execute-api:eu-central-1:000000000000:a1b2c3d4e5/v1/$connect";

/// When events are received, in milliseconds since the epoch.
const MOMENT: u64 = 1_767_225_600_001;

/// The names in a client's handshake: its own and its friend's.
pub(crate) type Names<'a> = (Option<&'a str>, Option<&'a str>);

/// The names and the room.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Claims<'a> {
    pub(crate) from: Option<&'a str>,
    pub(crate) to: Option<&'a str>,
    pub(crate) room: Option<&'a str>,
}

impl<'a> From<Names<'a>> for Claims<'a> {
    fn from((from, to): Names<'a>) -> Self {
        Self {
            from,
            to,
            room: None,
        }
    }
}

/// The claims of a client that only names a room.
pub(crate) fn in_room(room: &str) -> Claims<'_> {
    Claims {
        room: Some(room),
        ..Claims::default()
    }
}

pub(crate) fn authorizer<'a>(connection: &str, claims: impl Into<Claims<'a>>) -> SocketEvent {
    authorizer_with(connection, claims, &[], &[])
}

/// The same with more headers, and with parameters in the query string.
pub(crate) fn authorizer_with<'a>(
    connection: &str,
    claims: impl Into<Claims<'a>>,
    headers: &[(&str, &str)],
    parameters: &[(&str, &str)],
) -> SocketEvent {
    let mut event = handshake(connection, claims.into());
    event["type"] = json!("REQUEST");
    for (name, value) in headers {
        event["headers"][*name] = json!(value);
        event["multiValueHeaders"][*name] = json!([value]);
    }
    event["methodArn"] = json!(ARN);
    event["headers"]["Upgrade"] = json!("websocket");
    event["queryStringParameters"] = json!({});
    for (name, value) in parameters {
        event["queryStringParameters"][*name] = json!(value);
        event["multiValueQueryStringParameters"][*name] = json!([value]);
    }
    event["stageVariables"] = json!({});
    parsed(&event)
}

pub(crate) fn connect<'a>(
    connection: &str,
    claims: impl Into<Claims<'a>>,
    context: Option<&Value>,
) -> SocketEvent {
    parsed(&with_context(handshake(connection, claims.into()), context))
}

/// A CONNECT of Tom, who talks to Jerry, with more headers.
pub(crate) fn connect_with(headers: &[(&str, &str)], context: &Value) -> SocketEvent {
    let claims = (Some("Tom"), Some("Jerry")).into();
    let mut event = handshake("c", claims);
    for (name, value) in headers {
        event["headers"][*name] = json!(value);
    }
    parsed(&with_context(event, Some(context)))
}

pub(crate) fn message(connection: &str, text: &str, context: Option<&Value>) -> SocketEvent {
    routed("$default", connection, text, context)
}

/// A message on the route with the key `route`.
pub(crate) fn routed(
    route: &str,
    connection: &str,
    text: &str,
    context: Option<&Value>,
) -> SocketEvent {
    routed_at(MOMENT, route, connection, text, context)
}

/// The same, received at `moment`, in milliseconds since the epoch.
pub(crate) fn routed_at(
    moment: u64,
    route: &str,
    connection: &str,
    text: &str,
    context: Option<&Value>,
) -> SocketEvent {
    let mut event = json!({
        "requestContext": request_context(connection, "MESSAGE", route),
        "body": text,
        "isBase64Encoded": false,
    });
    event["requestContext"]["requestTimeEpoch"] = json!(moment);
    event["requestContext"]["messageId"] = json!("BFaT_cALIAMCKug=");
    parsed(&with_context(event, context))
}

pub(crate) fn disconnect(connection: &str, context: Option<&Value>) -> SocketEvent {
    let mut event = json!({
        "headers": {"Host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", "x-api-key": "",
            "X-Forwarded-For": "", "x-restapi": ""},
        "requestContext": request_context(connection, "DISCONNECT", "$disconnect"),
        "isBase64Encoded": false,
    });
    event["requestContext"]["disconnectStatusCode"] = json!(1005);
    event["requestContext"]["disconnectReason"] = json!("Client-side close frame status not set");
    parsed(&with_context(event, context))
}

/// An authorizer's context in later events.
pub(crate) fn context(name: &str, friend: &str) -> Value {
    json!({"principalId": name, "name": name, "friend": friend})
}

/// The context of a client in a room without names.
pub(crate) fn room_context(room: &str) -> Value {
    json!({"principalId": "#anonymous", "room": room})
}

fn handshake(connection: &str, claims: Claims<'_>) -> Value {
    let mut headers = json!({
        "Host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
        "X-Amzn-Trace-Id": "Root=1-00000000-000000000000000000000000",
        "X-Forwarded-For": "203.0.113.7",
    });
    for (header, value) in [
        ("msgfrom", claims.from),
        ("msgto", claims.to),
        ("msgroom", claims.room),
    ] {
        if let Some(value) = value {
            headers[header] = json!(value);
        }
    }
    json!({
        "headers": headers,
        "multiValueHeaders": {"Host": ["a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"]},
        "requestContext": request_context(connection, "CONNECT", "$connect"),
        "isBase64Encoded": false,
    })
}

fn request_context(connection: &str, event_type: &str, route: &str) -> Value {
    json!({
        "routeKey": route,
        "eventType": event_type,
        "extendedRequestId": "AAAAAAAAAAAMFAA=",
        "requestId": "AAAAAAAAAAAMFAA=",
        "requestTime": "01/Jan/2026:00:00:00 +0000",
        "requestTimeEpoch": MOMENT,
        "messageDirection": "IN",
        "stage": "v1",
        "connectedAt": 1_767_225_600_000_u64,
        "identity": {"sourceIp": "203.0.113.7"},
        "domainName": "chat.example.com",
        "connectionId": connection,
        "apiId": "a1b2c3d4e5",
    })
}

fn with_context(mut event: Value, context: Option<&Value>) -> Value {
    if let Some(context) = context {
        event["requestContext"]["authorizer"] = context.clone();
    }
    event
}

fn parsed(event: &Value) -> SocketEvent {
    serde_json::from_str(&event.to_string()).expect("an event of the documented shape")
}
