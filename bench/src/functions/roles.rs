//! Events for the handlers, as API Gateway sends them, and replacements of the services that they use.

use std::net::SocketAddr;

use chat_protocol::auth::SCHEME;
use chat_protocol::{Field, Handler, variable};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::json;
use tokio::net::TcpListener;

use super::process::Role;
use crate::server::{Server, ServerError};

/// The authorizer: it sends no requests, so an invocation is one hop there and back.
pub(crate) fn authorize() -> Role {
    Role {
        handler: Handler::Authorize.name(),
        variables: Vec::new(),
        event: handshake(None).to_string().into(),
        answer: "\"Allow\"",
    }
}

/// The authorizer of a stack that asks for tokens, by these variables; each handshake brings `token`.
pub(super) fn prove(variables: Vec<(&'static str, String)>, token: &str) -> Role {
    Role {
        variables,
        event: handshake(Some(token)).to_string().into(),
        ..authorize()
    }
}

/// A message to a friend with one device: a read of the table at `services` and a post there.
pub(crate) fn direct(services: SocketAddr) -> Role {
    Role {
        handler: Handler::Direct.name(),
        variables: vec![
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            (variable::TABLE_NAME, "bench".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{services}")),
            (
                variable::CONNECTIONS_ENDPOINT,
                format!("http://{services}/v1"),
            ),
        ],
        event: message().to_string().into(),
        answer: "200",
    }
}

/// Responds to every read of the table with one device, and accepts every post.
pub(crate) fn services() -> Result<Server, ServerError> {
    Server::start(
        "stand-ins for table and gateway",
        |listener: TcpListener| {
            testing::http::serve(listener, |request, _connection| serve(request))
        },
    )
}

async fn serve(request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    let is_read = request.headers().contains_key("x-amz-target");
    request.into_body().collect().await?;
    let devices = r#"{"Count":1,"Items":[{"sk":{"S":"C#D0I9SdPJoAMCIkB="},"connected_at":{"N":"1"}}],"ScannedCount":1}"#;
    let answer = if is_read { devices } else { "" };
    Ok(Response::new(Full::new(Bytes::from_static(
        answer.as_bytes(),
    ))))
}

fn message() -> serde_json::Value {
    json!({
        "requestContext": {
            "routeKey": "$default",
            "authorizer": {"principalId": "Tom", "name": "Tom", "friend": "Jerry"},
            "messageId": "D0I9SfGRoAMCIkA=",
            "eventType": "MESSAGE",
            "extendedRequestId": "D0I9SGRGoAMFcwA=",
            "requestTime": "09/Feb/2026:22:10:08 +0000",
            "messageDirection": "IN",
            "stage": "v1",
            "connectedAt": 1_770_674_708_000_u64,
            "requestTimeEpoch": 1_770_674_708_000_u64,
            "identity": {"sourceIp": "127.0.0.1"},
            "requestId": "D0I9SGRGoAMFcwA=",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "connectionId": "D0I9SdPJoAMCIkA=",
            "apiId": "abcdefghij",
        },
        "body": "Shall we say at eight?",
        "isBase64Encoded": false,
    })
}

/// An authorizer's event of the usual size.
fn handshake(token: Option<&str>) -> serde_json::Value {
    let mut event = json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:us-east-1:000000000000:abcdefghij/v1/$connect",
        "headers": {
            "Host": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            "X-Amzn-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "X-Forwarded-For": "127.0.0.1",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
            Field::From.name(): "Tom",
            Field::To.name(): "Jerry",
        },
        "multiValueHeaders": {
            "Host": ["abcdefghij.execute-api.us-east-1.amazonaws.com"],
            Field::From.name(): ["Tom"],
            Field::To.name(): ["Jerry"],
        },
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "extendedRequestId": "D0I9SGRGoAMFcwA=",
            "requestTime": "09/Feb/2026:22:10:08 +0000",
            "messageDirection": "IN",
            "stage": "v1",
            "connectedAt": 1_770_674_708_000_u64,
            "requestTimeEpoch": 1_770_674_708_000_u64,
            "identity": {"sourceIp": "127.0.0.1"},
            "requestId": "D0I9SGRGoAMFcwA=",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "connectionId": "D0I9SdPJoAMCIkA=",
            "apiId": "abcdefghij",
        },
        "isBase64Encoded": false,
    });
    if let Some(token) = token {
        let bearer = format!("{SCHEME} {token}");
        event["multiValueHeaders"]["Authorization"] = json!([bearer]);
        event["headers"]["Authorization"] = json!(bearer);
    }
    event
}
