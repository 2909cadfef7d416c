//! The @connections API: posts to a connection, describes it, closes it.
//!
//! See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>
//! and, for permissions,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html>.
//! Signatures are not verified, but a request without one is refused.

use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use serde_json::json;

use crate::budget::Share;
use crate::http::error::{HttpError, refuse};
use crate::http::response::{HttpResponse, with_body};
use crate::http::{BodyError, held_body};
use crate::iam::{Decision, credentials};
use crate::websocket::Gateway;
use crate::websocket::connections::{Connection, Ending, PostError};
use crate::websocket::deployed::Deployed;
use crate::{ids, moments};

/// A placeholder for the stage of the connection. A function that serves several stages has it in its endpoint
/// variable, because a process has one address for connections of any stage. No real stage has such a name.
pub(crate) const ANY_STAGE: &str = "@stage";

const ACTION: &str = "execute-api:ManageConnections";

/// Serves a request for connection `id` on `stage`, both decoded; `share` holds its body.
pub(crate) async fn handle(
    gateway: &Gateway,
    share: &Arc<Share>,
    deployed: &Deployed,
    (stage, id): (&str, &str),
    request: Request<Incoming>,
) -> HttpResponse {
    let method = request.method().clone();
    if ![Method::POST, Method::GET, Method::DELETE].contains(&method) {
        return refuse(HttpError::missing_token());
    }
    if let Err(error) = authorize(gateway, deployed, stage, id, &request) {
        return refuse(error);
    }
    if !ids::is_connection_id(id) {
        return refuse(HttpError::gateway(
            400,
            "BadRequestException",
            &format!("Invalid connectionId: {id}"),
        ));
    }
    if !gateway.account.admits_call() {
        return limit_exceeded();
    }
    let connection = gateway.connections.find(stage, id);
    if method == Method::POST {
        return post(gateway, share, connection.as_deref(), request).await;
    }
    match connection {
        None => gone(),
        Some(connection) if method == Method::GET => {
            let body = describe(&connection).to_string();
            with_body(
                Response::builder().header("Content-Type", "application/json"),
                body,
            )
        }
        Some(connection) => {
            // The connection is gone from now on, even while its close frame is being sent.
            gateway.connections.remove(id);
            connection.end(Ending::deleted());
            with_body(Response::builder().status(204), Bytes::new())
        }
    }
}

fn authorize(
    gateway: &Gateway,
    deployed: &Deployed,
    stage: &str,
    id: &str,
    request: &Request<Incoming>,
) -> Result<(), HttpError> {
    let method = request.method();
    let resource = deployed.arn(&format!("{stage}/{method}/@connections/{id}"));
    let denial = |decision: Decision, user: &str| {
        decision.denial_by_gateway(user, ACTION, &shown_resource(deployed, stage, method))
    };
    credentials::authorize(&gateway.credentials, request, (ACTION, &resource), denial)
}

/// As AWS shows it in a denial: the account is masked, the connection id is a literal `{connectionId}`.
fn shown_resource(deployed: &Deployed, stage: &str, method: &Method) -> String {
    let identity = &deployed.identity;
    let account = identity.account_id.get(8..).unwrap_or(&identity.account_id);
    format!(
        "arn:aws:execute-api:{}:********{account}:{}/{stage}/{method}/@connections/{{connectionId}}",
        identity.region, deployed.api_id
    )
}

async fn post(
    gateway: &Gateway,
    share: &Arc<Share>,
    connection: Option<&Connection>,
    request: Request<Incoming>,
) -> HttpResponse {
    // Read even when the connection is gone, because the caller may keep its HTTP connection.
    let body = held_body(request.into_body(), gateway.limits.message_bytes, share).await;
    let refused =
        |status, error_type, message| refuse(HttpError::gateway(status, error_type, message));
    let (payload, _held) = match body {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            return refused(413, "PayloadTooLargeException", "Payload Too Large");
        }
        Err(BodyError::Broken) => {
            return refused(400, "BadRequestException", "the request ended early");
        }
        Err(BodyError::TooSlow) => {
            return refused(
                408,
                "RequestTimeoutException",
                "the request did not arrive in time",
            );
        }
        Err(BodyError::NoRoom) => return limit_exceeded(),
    };
    let Some(connection) = connection else {
        return gone();
    };
    let payload = match std::str::from_utf8(&payload) {
        Ok(_) => payload,
        // A text frame must be UTF-8; otherwise the client would close the connection.
        Err(_) => {
            gateway.observer.warn(format!(
                "a post to connection `{}` is not valid UTF-8: the invalid bytes were replaced, because only text can be sent",
                connection.info.connection_id
            ));
            String::from_utf8_lossy(&payload).into_owned().into()
        }
    };
    match connection.post(payload) {
        Ok(()) => {
            gateway.traffic.sent();
            with_body(Response::builder(), Bytes::new())
        }
        Err(PostError::Gone) => gone(),
        Err(PostError::Full) => limit_exceeded(),
    }
}

/// One response for both causes, as on AWS.
fn limit_exceeded() -> HttpResponse {
    let message = "The client is sending more than the allowed number of requests per unit of time or the WebSocket client side buffer is full.";
    refuse(HttpError::gateway(429, "LimitExceededException", message))
}

fn describe(connection: &Connection) -> serde_json::Value {
    let info = &connection.info;
    json!({
        "connectedAt": moments::iso(info.connected_at),
        "identity": { "sourceIp": info.source_ip, "userAgent": info.user_agent },
        "lastActiveAt": moments::iso(connection.last_active_epoch()),
    })
}

/// The body is empty, as on AWS.
fn gone() -> HttpResponse {
    with_body(
        Response::builder()
            .status(410)
            .header("x-amzn-ErrorType", "GoneException"),
        Bytes::new(),
    )
}
