//! Processes messages: route, function or integration, and response to the sender.

use serde_json::{Map, Value};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::connections::{Connection, PostError};
use super::deployed::LiveRoute;
use super::gateway::Gateway;
use super::{responses, throttle};
use crate::budget::Reservation;
use crate::ids;
use crate::integrations::IntegrationOutcome;
use crate::integrations::Target;
use crate::integrations::events::{self, ConnectionInfo, Ended, RequestInfo};
use crate::integrations::json_size::size_in_json;
use crate::integrations::{Exchange, validation};

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
    let stamp = RequestInfo::now();
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
                &stamp.request_id,
            ))
        }
        None => {
            gateway.traffic.client_error();
            Some(responses::error_frame(
                "Forbidden",
                &info.connection_id,
                &stamp.request_id,
            ))
        }
        Some(route) => {
            serve_message(
                gateway,
                info,
                &stage.variables,
                &route,
                (body, held),
                &stamp,
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
    (body, mut held): (Utf8Bytes, Reservation),
    stamp: &RequestInfo,
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
    let trace = ids::trace_root(stamp.at);
    let answered = if let Target::Integration(integration) = &route.target {
        let exchange = Exchange::message(
            info,
            &route.key,
            &message_id,
            &body,
            variables,
            stamp,
            &trace,
        );
        let integrations = &gateway.integrations;
        let (timeout, share) = (route.timeout, held.share());
        // Boxed like the check above: 64 messages of each connection may wait for a function, and each would keep room for
        // both, which are larger than all else.
        Box::pin(integrations.integrate(integration, timeout, &exchange, share)).await
    } else {
        // Quotes and control characters make the event larger than the message, the latter six times.
        let room = held.grow_when_free(size_in_json(&body));
        if gateway.clock.timeout(route.timeout, room).await.is_none() {
            IntegrationOutcome::TimedOut
        } else {
            let event = events::message(info, &route.key, &message_id, &body, variables, stamp);
            drop(body);
            gateway
                .integrations
                .invoke(&route.target, route.timeout, event, &trace, held)
                .await
        }
    };
    gateway.judge(&answered, route);
    responses::frame(
        &answered,
        route.two_way,
        &info.connection_id,
        &stamp.request_id,
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
    let stamp = RequestInfo::now();
    let trace = ids::trace_root(stamp.at);
    let (info, variables) = (&connection.info, &stage.variables);
    // Best effort: there is no client for the response, but faults are reported.
    let answered = if let Target::Integration(integration) = &route.target {
        let exchange = Exchange::disconnect(info, ended, variables, &stamp, &trace);
        gateway
            .integrations
            .integrate(integration, route.timeout, &exchange, connection.incoming())
            .await
    } else {
        let event = events::disconnect(info, ended, variables, &stamp);
        let held = connection.incoming().take_anyway(event.len());
        gateway
            .integrations
            .invoke(&route.target, route.timeout, event, &trace, held)
            .await
    };
    gateway.judge(&answered, route);
}
