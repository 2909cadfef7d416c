//! A message to one friend, on all of the friend's devices.

use serde_json::json;

use super::{Answer, HandlerError, Invocation};
use crate::delivery::{Delivery, Posted};
use crate::event::SocketEvent;
use crate::fan_out::{FanOut, fan_out};
use crate::log::{Log, reasons};
use crate::protocol::FRIEND_NOT_REACHABLE;
use crate::session::{ConnectionId, Session};
use crate::store::{ConnectionStore, Read, StoreError};

/// Posts a message, unchanged, to every device of the sender's friend; if none takes it, tells the sender.
///
/// The first look at the table is the cheap one. Only when it reached nobody is
/// the table asked again, consistently, and whoever was not tried before is
/// tried then: a friend who has just connected, or reconnected, is found.
///
/// Answers 200 when the message or the notice was dealt with, and 403, having
/// posted nothing, when nobody knows whose connection this is. A one-way route
/// shows neither to the client.
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
    invocation: &Invocation,
) -> Result<Answer, HandlerError> {
    let (connection, text) = event.message()?;
    let log = invocation
        .log
        .with("connectionId", connection.as_str())
        .with("route", event.route());

    let Some(session) = speaker(event, &connection, store, invocation.now).await? else {
        log.warn("message of an unknown connection dropped", []);
        return Ok(Answer::status(403));
    };
    let outcome = send(text, &session, (store, delivery), invocation.now, &log).await?;
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
        notify(&connection, delivery, &log).await;
    }
    Ok(Answer::status(200))
}

async fn speaker(
    event: &SocketEvent,
    connection: &ConnectionId,
    store: &impl ConnectionStore,
    now: u64,
) -> Result<Option<Session>, StoreError> {
    // A context that names nobody proves nothing, and then there is a record, or no session.
    match event.proven_session() {
        Ok(Some(session)) => Ok(Some(session)),
        Ok(None) | Err(_) => store.session_of(connection, now).await,
    }
}

async fn send<S: ConnectionStore, D: Delivery>(
    text: &str,
    session: &Session,
    (store, delivery): (&S, &D),
    now: u64,
    log: &Log,
) -> Result<FanOut, StoreError> {
    let mut outcome = FanOut::default();
    for read in [Read::Eventual, Read::Consistent] {
        let mut devices = store.connections_of(&session.friend, now, read).await?;
        devices.retain(|device| !outcome.missed(&device.connection));
        let posts = fan_out(text, &session.friend, devices, now, (store, delivery), log).await;
        outcome.absorb(posts);
        if outcome.delivered > 0 {
            break;
        }
    }
    Ok(outcome)
}

async fn notify(sender: &ConnectionId, delivery: &impl Delivery, log: &Log) {
    match delivery.post(sender, FRIEND_NOT_REACHABLE).await {
        Ok(Posted::Delivered) => {}
        Ok(Posted::Gone) => log.debug("sender has left before the notice", []),
        Err(error) => log.warn("notice refused", [("reason", json!(reasons(&error)))]),
    }
}
