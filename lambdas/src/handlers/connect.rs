//! `$connect`: records a new connection.

use chat_protocol::auth::SUBPROTOCOL;
use futures_util::future::try_join_all;
use serde_json::json;

use super::disconnect::forget_rows;
use super::{HandlerError, Invocation, ProxyResponse, ban};
use crate::event::SocketEvent;
use crate::limits::Recording;
use crate::log::reasons;
use crate::session::{InvalidSession, Name, Names, Room, Session};
use crate::shard::Shard;
use crate::store::{ConnectionStore, Presence, Read, StoreError};

/// Records the new connection under its user's name, or in its room, or both, as `recording` says.
///
/// The session is the authorizer's. Without an authorizer it is the handshake's claim, and is also recorded under the
/// connection, because later events do not repeat it.
///
/// Returns 200; 400 with the reason if a name is missing or invalid; 403 with the reason if the operator has banned the
/// name; 429 with the reason if its name has as many connections, or its room as many members, as the limits allow; 500 if
/// the table cannot be used. It posts nothing, because the connection only exists after it has responded.
///
/// Needs `dynamodb:Query` (of bans, and with a limit of connections) and `dynamodb:PutItem`, and with a limit `dynamodb:DeleteItem`.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub async fn connect(
    event: &SocketEvent,
    store: &impl ConnectionStore,
    recording: impl Into<Recording>,
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let connection = event.connecting()?;
    let log = invocation.log.with("connectionId", connection.as_str());

    let recording = recording.into();
    let (session, origin) = match identify(event, recording.names) {
        Ok(identified) => identified,
        Err(error) => {
            let reason = reasons(&error);
            log.warn("connection refused", [("reason", json!(reason))]);
            return Ok(ProxyResponse::because(400, reason));
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
    match record(&presence, origin, recording, store).await {
        Ok(()) => {}
        Err(NotRecorded::Full(limit)) => {
            let reason = limit.to_string();
            log.warn("connection refused", [("reason", json!(reason))]);
            if let Err(error) = withdraw(&presence, origin, recording, store).await {
                let reason = json!(reasons(&error));
                log.error("refused connection not removed", [("reason", reason)]);
            }
            return Ok(ProxyResponse::because(429, reason));
        }
        Err(NotRecorded::Store(error)) => {
            log.error(
                "connection not recorded",
                [("reason", json!(reasons(&error)))],
            );
            return Ok(ProxyResponse::status(500));
        }
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
    let accepted = ProxyResponse::status(200);
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
    recording: impl Into<Recording>,
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let connection = event.connecting()?;
    let recording = recording.into();
    if event.proof().is_none() || !matches!(event.proven_session(recording.names), Ok(Some(_))) {
        let log = invocation.log.with("connectionId", connection.as_str());
        let reason = json!("no authorizer has proven who it is");
        log.warn("connection refused", [("reason", reason)]);
        return Ok(ProxyResponse::status(401));
    }
    connect(event, store, recording, invocation).await
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

/// Why a connection is not recorded.
enum NotRecorded {
    Full(Full),
    Store(StoreError),
}

/// The limit that a connection exceeds. It contains no name, so that it may be logged.
#[derive(Debug, thiserror::Error)]
enum Full {
    #[error("its name has {0} open connections, the most that `connections-per-name` allows")]
    Name(u32),
    #[error("its room has {0} members, the most that `room-size` allows")]
    Room(u32),
}

impl From<StoreError> for NotRecorded {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes the rows of `presence`, and counts them with those of others where there is a limit.
///
/// Counting follows writing, and includes rows that others have written meanwhile. So of two connections that compete for
/// the last place never both stay; it may be that neither does. What is counted are connections on record, no counter: one
/// that has ended without an event stops counting when a message finds it gone, or it expires.
async fn record(
    presence: &Presence,
    origin: Origin,
    recording: Recording,
    store: &impl ConnectionStore,
) -> Result<(), NotRecorded> {
    let Recording { index, limits, .. } = recording;
    // The rows by which others find the connection come last, because a post may follow at once. If the second of two
    // fails, the connection is refused and the first stays: the next message finds it gone, or it expires.
    if let Origin::Handshake = origin {
        store.remember_session(presence).await?;
    }
    let now = presence.connected_at;
    if index.has_friend() {
        store.remember(presence).await?;
        if let (Some(most), Some(name)) = (limits.connections_per_name, &presence.session.name) {
            let devices = store.connections_of(name, now, Read::Consistent).await?;
            if devices.len() > count(most) {
                return Err(NotRecorded::Full(Full::Name(most)));
            }
        }
    }
    if index.has_room() {
        store.join(presence).await?;
        if let Some(most) = limits.room_size
            && has_more_members(&presence.session.room, most, now, store).await?
        {
            return Err(NotRecorded::Full(Full::Room(most)));
        }
    }
    Ok(())
}

/// Whether `room` has more than `most` members. No shard is read further than that takes.
async fn has_more_members(
    room: &Room,
    most: u32,
    now: u64,
    store: &impl ConnectionStore,
) -> Result<bool, StoreError> {
    let counted = Shard::all().map(async |shard| {
        let (mut members, mut start) = (0, None);
        loop {
            let page = store.members(room, shard, now, start).await?;
            members += page.members.len();
            start = page.next;
            if start.is_none() || members > count(most) {
                return Ok(members);
            }
        }
    });
    let members: Vec<usize> = try_join_all(counted).await?;
    Ok(members.iter().sum::<usize>() > count(most))
}

fn count(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// Removes what [`record`] has written of a connection that is refused.
async fn withdraw(
    presence: &Presence,
    origin: Origin,
    recording: Recording,
    store: &impl ConnectionStore,
) -> Result<(), StoreError> {
    let connection = &presence.connection;
    let mut withdrawn = forget_rows(&presence.session, connection, store, recording.index).await;
    // A row that cannot be removed is no reason to keep the record.
    if let Origin::Handshake = origin {
        withdrawn = withdrawn.and(store.forget_session(connection).await);
    }
    withdrawn
}
