//! The handler for messages to one friend, on all of the friend's devices.

use chat_protocol::Receivers;
use serde_json::json;

use super::keep::outgoing;
use super::sender::{notify, refuse, sender_session};
use super::{HandlerError, Invocation, ProxyResponse};
use crate::delivery::Delivery;
use crate::event::SocketEvent;
use crate::fan_out::{send_kept_to_person, send_to_person};
use crate::history::History;
use crate::review::Rules;
use crate::session::Names;
use crate::store::ConnectionStore;

/// Posts a message to every device of the sender's friend: unchanged, or in an envelope if its route says so. If no post
/// is accepted, the sender gets a notice; with an envelope and a `ref`, it gets a receipt in any case.
///
/// On a route with history the message is written before the friend is looked up. One that cannot be written is refused.
///
/// Returns 200 if the message or the notice was processed; 403 without any post if the connection is unknown; and 400
/// if the frame does not match its route's rule, is refused by the route's review, or cannot be kept, with a notice to the sender. A one-way route shows none of these to
/// the client.
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem`, `execute-api:ManageConnections` (`POST` only), `dynamodb:PutItem` if a
/// route has history, `lambda:InvokeFunction` if a route has a review, and `dynamodb:GetItem` if there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the sender or the friend could not be looked up.
pub async fn direct(
    event: &SocketEvent,
    store: &(impl ConnectionStore + History),
    delivery: &impl Delivery,
    routes: &impl Rules,
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let (connection, frame) = event.message()?;
    let log = invocation
        .log
        .with("connectionId", connection.as_str())
        .with("route", event.route());

    let session =
        sender_session(event, &connection, Names::Required, store, invocation.now).await?;
    let Some((session, friend)) = session.and_then(|session| {
        let friend = session.friend.clone()?;
        Some((session, friend))
    }) else {
        log.warn("message of an unknown connection dropped", []);
        return Ok(ProxyResponse::status(403));
    };
    let rule = (routes.rule(event.route()), Receivers::Friend);
    let (given, services) = ((event, frame), (routes, store));
    let outgoing = match outgoing(given, rule, &session, services, invocation.now, &log).await {
        Ok(outgoing) => outgoing,
        Err(refused) => return Ok(refuse(&refused, event, &connection, delivery, &log).await),
    };
    let services = (store, delivery);
    let (post, now) = (&outgoing.post, invocation.now);
    let outcome = match rule.0.history {
        Some(_) => send_kept_to_person(post, &friend, services, now, &log).await?,
        None => send_to_person(post, &friend, services, now, &log).await?,
    };
    let counts = [
        ("delivered", json!(outcome.delivered)),
        ("gone", json!(outcome.gone.len())),
        ("refused", json!(outcome.refused.len())),
    ];
    if outcome.delivered > 0 && outcome.gone.is_empty() && outcome.refused.is_empty() {
        // Stored log lines would cost more than everything else that this function does.
        log.debug("message handled", counts);
    } else {
        log.info("message handled", counts);
    }
    let answer = outgoing.answer(Some(outcome.delivered), Receivers::Friend, event.route());
    if let Some(answer) = answer {
        notify(&connection, &answer, delivery, &log).await;
    }
    Ok(ProxyResponse::status(200))
}
