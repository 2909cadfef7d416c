//! A message to one friend, on all of the friend's devices.

use serde_json::json;

use super::sender::{speaker, tell};
use super::{Answer, HandlerError, Invocation};
use crate::delivery::Delivery;
use crate::event::SocketEvent;
use crate::fan_out::send_to_person;
use crate::protocol::{FRIEND_NOT_REACHABLE, text_of};
use crate::routes::Routes;
use crate::session::Names;
use crate::store::ConnectionStore;

/// Posts a message, unchanged, to every device of the sender's friend; if none takes it, tells the sender.
///
/// Answers 200 when the message or the notice was dealt with; 403, having posted
/// nothing, when nobody knows whose connection this is; and 400 when the frame
/// does not have what its route needs, which the sender is told. A one-way route
/// shows none of these to the client.
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem`, `execute-api:ManageConnections`
/// (`POST` only), and `dynamodb:GetItem` where there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] when the sender or the friend could not be looked up.
pub async fn direct(
    event: &SocketEvent,
    store: &impl ConnectionStore,
    delivery: &impl Delivery,
    routes: &Routes,
    invocation: &Invocation,
) -> Result<Answer, HandlerError> {
    let (connection, frame) = event.message()?;
    let log = invocation
        .log
        .with("connectionId", connection.as_str())
        .with("route", event.route());

    let session = speaker(event, &connection, Names::Required, store, invocation.now).await?;
    let Some(friend) = session.and_then(|session| session.friend) else {
        log.warn("message of an unknown connection dropped", []);
        return Ok(Answer::status(403));
    };
    let text = match text_of(frame, routes.of(event.route())) {
        Ok(text) => text,
        Err(refusal) => {
            log.info("frame refused", [("error", json!(refusal.code()))]);
            tell(&connection, &refusal.frame(event.route()), delivery, &log).await;
            return Ok(Answer::status(400));
        }
    };
    let ways = (store, delivery);
    let outcome = send_to_person(&text, &friend, ways, invocation.now, &log).await?;
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
    if outcome.delivered == 0 {
        tell(&connection, FRIEND_NOT_REACHABLE, delivery, &log).await;
    }
    Ok(Answer::status(200))
}
