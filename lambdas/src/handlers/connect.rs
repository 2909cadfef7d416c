//! `$connect`: records a new connection.

use chat_protocol::auth::SUBPROTOCOL;
use serde_json::json;

use super::{Answer, HandlerError, Invocation, ban};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::session::{InvalidSession, Name, Names, Session};
use crate::store::{ConnectionStore, Index, Presence, StoreError};

/// Records the new connection under its user's name, or in its room, or both, according to `index`.
///
/// The session is the authorizer's. Without an authorizer it is the handshake's claim, and is also recorded under the
/// connection, because later events do not repeat it.
///
/// Returns 200; 400 with the reason if a name is missing or invalid; 403 with the reason if the operator has banned the
/// name; 500 if the table cannot be written. It posts
/// nothing, because the connection only exists after it has responded.
///
/// Needs `dynamodb:GetItem` and `dynamodb:PutItem`.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub async fn connect(
    event: &SocketEvent,
    store: &impl ConnectionStore,
    (names, index): (Names, Index),
    invocation: &Invocation,
) -> Result<Answer, HandlerError> {
    let connection = event.connecting()?;
    let log = invocation.log.with("connectionId", connection.as_str());

    let (session, origin) = match identify(event, names) {
        Ok(identified) => identified,
        Err(error) => {
            let reason = reasons(&error);
            log.warn("connection refused", [("reason", json!(reason))]);
            return Ok(Answer::because(400, reason));
        }
    };
    if let Some(refusal) = ban::refusal(&session, store, &log, invocation.now).await {
        return Ok(refusal);
    }
    let presence = Presence {
        session,
        connection,
        connected_at: invocation.now,
    };
    if let Err(error) = record(&presence, origin, index, store).await {
        log.error(
            "connection not recorded",
            [("reason", json!(reasons(&error)))],
        );
        return Ok(Answer::status(500));
    }
    log.info("connected", []);
    log.debug(
        "session",
        [
            (
                "name",
                json!(presence.session.name.as_ref().map(Name::as_str)),
            ),
            (
                "friend",
                json!(presence.session.friend.as_ref().map(Name::as_str)),
            ),
            ("room", json!(presence.session.room.as_str())),
        ],
    );
    let accepted = Answer::status(200);
    Ok(match event.offers_subprotocol() {
        // A browser ends a connection whose server selects none of its offers.
        true => accepted.selecting(SUBPROTOCOL),
        false => accepted,
    })
}

/// [`connect`] where a token must prove who a connection is: what the handshake itself claims counts for nothing.
///
/// Answers 401 where no authorizer has proven it, which API Gateway lets happen only when the route has none.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub async fn connect_proven(
    event: &SocketEvent,
    store: &impl ConnectionStore,
    policy: (Names, Index),
    invocation: &Invocation,
) -> Result<Answer, HandlerError> {
    let connection = event.connecting()?;
    if event.proof().is_none() || !matches!(event.proven_session(policy.0), Ok(Some(_))) {
        let log = invocation.log.with("connectionId", connection.as_str());
        let reason = json!("no authorizer has proven who it is");
        log.warn("connection refused", [("reason", reason)]);
        return Ok(Answer::status(401));
    }
    connect(event, store, policy, invocation).await
}

/// The source of a session, which decides whether later events repeat it.
#[derive(Clone, Copy)]
enum Origin {
    Authorizer,
    Handshake,
}

fn identify(event: &SocketEvent, names: Names) -> Result<(Session, Origin), InvalidSession> {
    match event.proven_session(names)? {
        Some(session) => Ok((session, Origin::Authorizer)),
        None => Ok((event.claimed_session(names)?, Origin::Handshake)),
    }
}

async fn record(
    presence: &Presence,
    origin: Origin,
    index: Index,
    store: &impl ConnectionStore,
) -> Result<(), StoreError> {
    // The rows by which others find the connection come last, because a post may follow at once. If the second of two
    // fails, the connection is refused and the first stays: the next message finds it gone, or it expires.
    if let Origin::Handshake = origin {
        store.remember_session(presence).await?;
    }
    if index.has_friend() {
        store.remember(presence).await?;
    }
    if index.has_room() {
        store.join(presence).await?;
    }
    Ok(())
}
