//! `$connect`: records a new connection.

use serde_json::json;

use super::{Answer, HandlerError, Invocation};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::session::{InvalidSession, Name, Names, Session};
use crate::store::{ConnectionStore, Index, Presence, StoreError};

/// Records the new connection under its user's name, or in its room, or both, according to `index`.
///
/// The session is the authorizer's. Without an authorizer it is the handshake's claim, and is also recorded under the
/// connection, because later events do not repeat it.
///
/// Returns 200; 400 with the reason if a name is missing or invalid; 500 if the table cannot be written. It posts
/// nothing, because the connection only exists after it has responded.
///
/// Needs `dynamodb:PutItem`.
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
    Ok(Answer::status(200))
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
