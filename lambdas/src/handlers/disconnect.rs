//! `$disconnect`: removes the rows that `$connect` wrote.

use serde_json::json;

use super::{HandlerError, Invocation, ProxyResponse};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::session::{ConnectionId, Names, Session};
use crate::store::{ConnectionStore, Index, StoreError};

/// Removes the rows of exactly this connection; the user's other connections stay.
///
/// Returns 200, even for an unknown connection, and 500 if the table cannot be used; API Gateway ignores both. API
/// Gateway may not call this at all
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>):
/// then the next message finds the row gone, or it expires.
///
/// Needs `dynamodb:DeleteItem`, and `dynamodb:GetItem` if there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub async fn disconnect(
    event: &SocketEvent,
    store: &impl ConnectionStore,
    index: Index,
    invocation: &Invocation,
) -> Result<ProxyResponse, HandlerError> {
    let connection = event.disconnecting()?;
    let log = invocation.log.with("connectionId", connection.as_str());

    match forget(event, &connection, store, index, invocation.now).await {
        Ok(Known::Yes) => log.info("disconnected", []),
        Ok(Known::No) => log.info("unknown connection disconnected", []),
        Err(error) => {
            log.error(
                "connection not removed",
                [("reason", json!(reasons(&error)))],
            );
            return Ok(ProxyResponse::status(500));
        }
    }
    Ok(ProxyResponse::status(200))
}

enum Known {
    Yes,
    No,
}

async fn forget(
    event: &SocketEvent,
    connection: &ConnectionId,
    store: &impl ConnectionStore,
    index: Index,
    now: u64,
) -> Result<Known, StoreError> {
    // In a chat of friends, both names are required, so a context with only one of them is invalid. Rooms may record names
    // as well, for a limit.
    let names = if index == Index::Friend {
        Names::Required
    } else {
        Names::Optional
    };
    // A context without our fields proves nothing; then there is a record.
    if let Ok(Some(session)) = event.proven_session(names) {
        forget_rows(&session, connection, store, index).await?;
        return Ok(Known::Yes);
    }
    let Some(session) = store.session_of(connection, now).await? else {
        return Ok(Known::No);
    };
    // The record is removed last, so that a retry can still find the rows by it.
    forget_rows(&session, connection, store, index).await?;
    store.forget_session(connection).await?;
    Ok(Known::Yes)
}

/// Removes the rows by which others find `connection`.
pub(super) async fn forget_rows(
    session: &Session,
    connection: &ConnectionId,
    store: &impl ConnectionStore,
    index: Index,
) -> Result<(), StoreError> {
    let mut forgotten = Ok(());
    if let Some(name) = session.name.as_ref().filter(|_| index.has_friend()) {
        forgotten = store.forget(name, connection).await;
    }
    // A row that cannot be removed is no reason to keep the other.
    if index.has_room() {
        forgotten = forgotten.and(store.leave(&session.room, connection).await);
    }
    forgotten
}
