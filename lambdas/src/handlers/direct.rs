//! The handler for messages to one friend, on all of the friend's devices.

use serde_json::json;

use super::sender::{notify, sender_session};
use super::{Answer, HandlerError, Invocation};
use crate::delivery::Delivery;
use crate::event::SocketEvent;
use crate::fan_out::send_to_person;
use crate::protocol::{FRIEND_NOT_REACHABLE, text_of};
use crate::routes::Routes;
use crate::session::Names;
use crate::store::ConnectionStore;

/// Posts a message, unchanged, to every device of the sender's friend. If no post is accepted, the sender gets a
/// notice.
///
/// Returns 200 if the message or the notice was processed; 403 without any post if the connection is unknown; and 400
/// if the frame does not match its route's rule, with a notice to the sender. A one-way route shows none of these to
/// the client.
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem`, `execute-api:ManageConnections` (`POST` only), and `dynamodb:GetItem`
/// if there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the sender or the friend could not be looked up.
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

    let session =
        sender_session(event, &connection, Names::Required, store, invocation.now).await?;
    let Some(friend) = session.and_then(|session| session.friend) else {
        log.warn("message of an unknown connection dropped", []);
        return Ok(Answer::status(403));
    };
    let text = match text_of(frame, routes.rule(event.route())) {
        Ok(text) => text,
        Err(error) => {
            log.info("frame refused", [("error", json!(error.code()))]);
            notify(&connection, &error.frame(event.route()), delivery, &log).await;
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
        notify(&connection, FRIEND_NOT_REACHABLE, delivery, &log).await;
    }
    Ok(Answer::status(200))
}
