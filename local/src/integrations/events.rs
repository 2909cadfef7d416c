//! The JSON events for functions. Pure.
//!
//! An event's fields depend on its type; absent ones are omitted, never null. See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>
//! for the meaning of each.

use serde::Serialize;
use serde_json::{Map, Value};

use super::incoming::{Incoming, IncomingKind};
use super::json_size::size_in_json;
use crate::http::head::Head;
use crate::moments;

/// The usual size of a message's event without the message; it may be larger.
const CONTEXT_BYTES: usize = 1024;

/// The event of a request for a function.
pub(crate) fn event(incoming: &Incoming<'_>) -> Vec<u8> {
    let event = Event::new(context(incoming), incoming.variables);
    match incoming.kind {
        IncomingKind::Connect(head) => {
            let headers = end_to_end(head, incoming);
            let query = head.query_pairs();
            bytes(&Event {
                headers: Some(last_values(&headers)),
                multi_value_headers: Some(all_values(&headers)),
                query_string_parameters: (!query.is_empty()).then(|| last_values(&query)),
                multi_value_query_string_parameters: (!query.is_empty())
                    .then(|| all_values(&query)),
                ..event
            })
        }
        IncomingKind::Message { ref body, .. } => message(event, body),
        IncomingKind::Disconnect(_) => {
            // Four fixed headers, as on AWS.
            let headers: Vec<_> = [
                ("Host", incoming.info.domain_name.as_str()),
                ("x-api-key", ""),
                ("X-Forwarded-For", ""),
                ("x-restapi", ""),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
            bytes(&Event {
                headers: Some(last_values(&headers)),
                multi_value_headers: Some(all_values(&headers)),
                ..event
            })
        }
    }
}

/// For an empty message the event has no body, as observed by a function on AWS
/// (<https://github.com/Kludex/mangum/issues/117>).
fn message<'a>(event: Event<'a>, body: &'a str) -> Vec<u8> {
    let event = Event {
        body: (!body.is_empty()).then_some(body),
        ..event
    };
    // One allocation, not one for each doubling of a large message.
    let mut bytes = Vec::with_capacity(size_in_json(body) + CONTEXT_BYTES);
    serde_json::to_writer(&mut bytes, &event).expect(SERIALISABLE);
    bytes
}

/// The event of a `REQUEST` authorizer for a handshake with `head`. Unlike that of `$connect`, it has every map, even
/// empty ones, and the headers of the upgrade itself. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.
pub(crate) fn authorize(incoming: &Incoming<'_>, head: &Head, method_arn: &str) -> Vec<u8> {
    let mut headers = forwarded(head, incoming);
    if head.header("content-length").is_none() {
        headers.push(("content-length".to_owned(), "0".to_owned()));
    }
    let query = head.query_pairs();
    bytes(&AuthorizerEvent {
        kind: "REQUEST",
        method_arn,
        headers: last_values(&headers),
        multi_value_headers: all_values(&headers),
        query_string_parameters: last_values(&query),
        multi_value_query_string_parameters: all_values(&query),
        stage_variables: incoming.variables,
        request_context: context(incoming),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_query_string_parameters: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    stage_variables: &'a Map<String, Value>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    is_base64_encoded: bool,
}

impl<'a> Event<'a> {
    fn new(request_context: Context<'a>, stage_variables: &'a Map<String, Value>) -> Self {
        Self {
            headers: None,
            multi_value_headers: None,
            query_string_parameters: None,
            multi_value_query_string_parameters: None,
            stage_variables,
            request_context,
            body: None,
            is_base64_encoded: false,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizerEvent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    method_arn: &'a str,
    headers: Map<String, Value>,
    multi_value_headers: Map<String, Value>,
    query_string_parameters: Map<String, Value>,
    multi_value_query_string_parameters: Map<String, Value>,
    stage_variables: &'a Map<String, Value>,
    request_context: Context<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context<'a> {
    route_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_status_code: Option<u16>,
    event_type: &'static str,
    extended_request_id: &'a str,
    request_time: String,
    message_direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'a str>,
    stage: &'a str,
    connected_at: i64,
    request_time_epoch: i64,
    identity: Identity<'a>,
    request_id: &'a str,
    domain_name: &'a str,
    connection_id: &'a str,
    api_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    source_ip: &'a str,
}

/// `requestContext` in events, `$context` in templates.
pub(super) fn context<'a>(incoming: &'a Incoming<'_>) -> Context<'a> {
    let Incoming {
        info,
        request,
        ref kind,
        ..
    } = *incoming;
    let (route_key, event_type) = match kind {
        IncomingKind::Connect(_) => ("$connect", "CONNECT"),
        IncomingKind::Message { route_key, .. } => (*route_key, "MESSAGE"),
        IncomingKind::Disconnect(_) => ("$disconnect", "DISCONNECT"),
    };
    let ended = match kind {
        IncomingKind::Disconnect(ended) => Some(*ended),
        IncomingKind::Connect(_) | IncomingKind::Message { .. } => None,
    };
    let message_id = match kind {
        IncomingKind::Message { message_id, .. } => Some(*message_id),
        IncomingKind::Connect(_) | IncomingKind::Disconnect(_) => None,
    };
    Context {
        route_key,
        authorizer: info.authorizer.as_ref(),
        message_id,
        disconnect_status_code: ended.map(|ended| ended.code),
        event_type,
        extended_request_id: &request.request_id,
        request_time: moments::common_log(request.at),
        message_direction: "IN",
        disconnect_reason: ended.map(|ended| &*ended.reason),
        stage: &info.stage,
        connected_at: info.connected_at,
        request_time_epoch: request.at.max(info.connected_at),
        identity: Identity {
            user_agent: info.user_agent.as_deref(),
            source_ip: &info.source_ip,
        },
        request_id: &request.request_id,
        domain_name: &info.domain_name,
        connection_id: &info.connection_id,
        api_id: &info.api_id,
    }
}

/// The client's headers with those that AWS's front end adds. They name `https` and 443, as on AWS.
fn forwarded(head: &Head, incoming: &Incoming<'_>) -> Vec<(String, String)> {
    let ours = [
        "X-Amzn-Trace-Id",
        "X-Forwarded-For",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
    ];
    let is_ours = |name: &str| ours.iter().any(|our| our.eq_ignore_ascii_case(name));
    let source_ip = &incoming.info.source_ip;
    let forwarded_for = match head.header(ours[1]) {
        Some(before) => format!("{before}, {source_ip}"),
        None => source_ip.clone(),
    };
    let values = [
        incoming.trace.to_owned(),
        forwarded_for,
        "443".to_owned(),
        "https".to_owned(),
    ];
    let client = head
        .headers
        .iter()
        .filter(|(name, _)| !is_ours(name))
        .cloned();
    client
        .chain(ours.map(str::to_owned).into_iter().zip(values))
        .collect()
}

/// Those of [`forwarded`] that reach an integration.
pub(super) fn end_to_end(head: &Head, incoming: &Incoming<'_>) -> Vec<(String, String)> {
    let mut headers = forwarded(head, incoming);
    headers.retain(|(name, _)| {
        let is_hop_by_hop = |known: &&str| known.eq_ignore_ascii_case(name);
        !["connection", "upgrade", "content-length"]
            .iter()
            .any(is_hop_by_hop)
    });
    headers
}

pub(super) fn last_values(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in pairs {
        map.insert(name.clone(), Value::from(value.as_str()));
    }
    map
}

fn all_values(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in pairs {
        match map.get_mut(name) {
            Some(Value::Array(values)) => values.push(Value::from(value.as_str())),
            _ => {
                map.insert(name.clone(), Value::from(vec![value.as_str()]));
            }
        }
    }
    map
}

fn bytes(event: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(event).expect(SERIALISABLE)
}

const SERIALISABLE: &str = "events hold strings, numbers and maps of them";

#[cfg(test)]
mod tests {
    use super::super::incoming::{ConnectionInfo, Ended, RequestInfo};
    use super::*;

    fn info() -> ConnectionInfo {
        ConnectionInfo {
            connection_id: "AAAAAAAAIAMCAAA=".to_owned(),
            connected_at: 1_767_225_600_000,
            stage: "v1".to_owned(),
            api_id: "a1b2c3d4e5".to_owned(),
            domain_name: "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com".to_owned(),
            source_ip: "127.0.0.1".to_owned(),
            user_agent: None,
            authorizer: None,
        }
    }

    fn text(kind: IncomingKind<'_>) -> String {
        let request = RequestInfo {
            request_id: "AAAAAAAAIAMFAAA=".to_owned(),
            at: 1_767_225_600_001,
        };
        let incoming = Incoming {
            info: &info(),
            variables: &Map::new(),
            request: &request,
            trace: "Root=1",
            kind,
        };
        String::from_utf8(event(&incoming)).unwrap()
    }

    #[test]
    fn a_message_event_is_exactly_this() {
        let event = text(IncomingKind::Message {
            route_key: "$default",
            message_id: "BBBBBBBBIAMCAAA=",
            body: "{\"a\":1}".into(),
        });
        expect_test::expect![[r#"{"requestContext":{"routeKey":"$default","messageId":"BBBBBBBBIAMCAAA=","eventType":"MESSAGE","extendedRequestId":"AAAAAAAAIAMFAAA=","requestTime":"01/Jan/2026:00:00:00 +0000","messageDirection":"IN","stage":"v1","connectedAt":1767225600000,"requestTimeEpoch":1767225600001,"identity":{"sourceIp":"127.0.0.1"},"requestId":"AAAAAAAAIAMFAAA=","domainName":"a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com","connectionId":"AAAAAAAAIAMCAAA=","apiId":"a1b2c3d4e5"},"body":"{\"a\":1}","isBase64Encoded":false}"#]]
            .assert_eq(&event);
    }

    #[test]
    fn a_disconnect_event_has_the_four_fixed_headers() {
        let ended = Ended {
            code: 1001,
            reason: String::new(),
        };
        let event = text(IncomingKind::Disconnect(&ended));
        let event: Value = serde_json::from_str(&event).unwrap();
        let names: Vec<&String> = event["headers"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["Host", "x-api-key", "X-Forwarded-For", "x-restapi"]);
        assert_eq!(event["requestContext"]["disconnectStatusCode"], 1001);
        assert_eq!(event["requestContext"]["disconnectReason"], "");
    }
}
