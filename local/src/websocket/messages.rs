//! Processes messages: route, function or integration, and response to the sender.

use serde_json::{Map, Value};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::connections::{Connection, PostError};
use super::deployed::LiveRoute;
use super::gateway::Gateway;
use super::{responses, throttle};
use crate::budget::Reservation;
use crate::ids;
use crate::integrations::incoming::{ConnectionInfo, Ended, Incoming, IncomingKind, RequestInfo};
use crate::integrations::validation;

/// Passes one message to its function, and the response, if any, to the sender.
///
/// `held` is the message's part of the budget, which its event takes over.
pub(super) async fn handle(
    gateway: &Gateway,
    connection: &Connection,
    body: Utf8Bytes,
    held: Reservation,
) {
    gateway.traffic.received();
    let info = &connection.info;
    let request = RequestInfo::now();
    let deployed = gateway.deployed();
    // An update has removed the stage; the connection is about to end.
    let Some(stage) = deployed.stage(&info.stage) else {
        return;
    };
    let route = deployed.route_of(stage, &body);
    let limit = route.as_ref().and_then(|route| route.throttle.as_ref());
    let admitted = gateway.account.admits_message(limit);
    let text = match route {
        _ if !admitted => {
            drop((body, held));
            gateway.traffic.throttled();
            Some(responses::error_frame(
                throttle::MESSAGE,
                &info.connection_id,
                &request.request_id,
            ))
        }
        None => {
            gateway.traffic.client_error();
            Some(responses::error_frame(
                "Forbidden",
                &info.connection_id,
                &request.request_id,
            ))
        }
        Some(route) => {
            serve_message(
                gateway,
                info,
                &stage.variables,
                &route,
                (body, held),
                &request,
            )
            .await
        }
    };
    if let Some(text) = text {
        respond(gateway, connection, text);
    }
    if !admitted {
        // The message keeps its place meanwhile, so that the client's next ones wait in the socket.
        connection.pace_refusals().await;
    }
}

fn respond(gateway: &Gateway, connection: &Connection, text: String) {
    if let Err(error) = connection.post(text.into()) {
        let why = match error {
            PostError::Full => "the client reads too slowly",
            PostError::Gone => "the connection is gone",
        };
        gateway.observer.warn(format!(
            "dropped a response to connection `{}`: {why}",
            connection.info.connection_id
        ));
    } else {
        gateway.traffic.sent();
    }
}

/// Passes a message to its route; returns the frame for its sender.
async fn serve_message(
    gateway: &Gateway,
    info: &ConnectionInfo,
    variables: &Map<String, Value>,
    route: &LiveRoute,
    (body, held): (Utf8Bytes, Reservation),
    request: &RequestInfo,
) -> Option<String> {
    let message_id = ids::message_id(&info.connection_id);
    if let Some(validator) = &route.validator
        && let Err(why) =
            Box::pin(validator.judge(&body, gateway.integrations.worker_threads())).await
    {
        gateway.traffic.client_error();
        let key = &route.key;
        gateway.observer.warn(format!(
            "a message for route `{key}` does not match its model: {why}"
        ));
        return Some(validation::bad_request_body(
            &info.connection_id,
            &message_id,
        ));
    }
    let trace = ids::trace_root(request.at);
    let incoming = Incoming {
        info,
        variables,
        request,
        trace: &trace,
        kind: IncomingKind::Message {
            route_key: &route.key,
            message_id: &message_id,
            body,
        },
    };
    let outcome = gateway
        .integrations
        .pass(&route.target, route.timeout, incoming, held)
        .await;
    gateway.judge(&outcome, route);
    responses::frame(
        &outcome,
        route.two_way,
        &info.connection_id,
        &request.request_id,
    )
}

/// Invokes `$disconnect` with the reason of the connection's end.
pub(super) async fn disconnect(gateway: &Gateway, connection: &Connection, ended: &Ended) {
    let deployed = gateway.deployed();
    let stage = deployed.stage(&connection.info.stage);
    let Some((stage, route)) =
        stage.and_then(|stage| stage.route("$disconnect").map(|route| (stage, route)))
    else {
        return;
    };
    let request = RequestInfo::now();
    let trace = ids::trace_root(request.at);
    let incoming = Incoming {
        info: &connection.info,
        variables: &stage.variables,
        request: &request,
        trace: &trace,
        kind: IncomingKind::Disconnect(ended),
    };
    let held = connection.incoming().take_anyway(0);
    // Best effort: there is no client for the response, but faults are reported.
    let outcome = gateway
        .integrations
        .pass(&route.target, route.timeout, incoming, held)
        .await;
    gateway.judge(&outcome, route);
}
