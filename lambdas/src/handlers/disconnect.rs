//! `$disconnect`: takes back what `$connect` recorded.

use serde_json::json;

use super::{Answer, HandlerError, Invocation};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::session::ConnectionId;
use crate::store::{ConnectionStore, StoreError};

/// Removes the rows of exactly this connection; other connections of the same person stay.
///
/// Answers 200, also for a connection nobody knows, and 500 when the table
/// cannot be used; API Gateway ignores both. It does not promise to call this
/// at all (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>):
/// what stays behind is found gone by the next message, or expires.
///
/// Needs `dynamodb:DeleteItem`, and `dynamodb:GetItem` where there is no authorizer.
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub async fn disconnect(
    event: &SocketEvent,
    store: &impl ConnectionStore,
    invocation: &Invocation,
) -> Result<Answer, HandlerError> {
    let connection = event.disconnecting()?;
    let log = invocation.log.with("connectionId", connection.as_str());

    match forget(event, &connection, store, invocation.now).await {
        Ok(Known::Yes) => log.info("disconnected", []),
        Ok(Known::No) => log.info("unknown connection disconnected", []),
        Err(error) => {
            log.error(
                "connection not removed",
                [("reason", json!(reasons(&error)))],
            );
            return Ok(Answer::status(500));
        }
    }
    Ok(Answer::status(200))
}

enum Known {
    Yes,
    No,
}

async fn forget(
    event: &SocketEvent,
    connection: &ConnectionId,
    store: &impl ConnectionStore,
    now: u64,
) -> Result<Known, StoreError> {
    // A context that names nobody proves nothing, and then there is a record.
    if let Ok(Some(session)) = event.proven_session() {
        store.forget(&session.name, connection).await?;
        return Ok(Known::Yes);
    }
    let Some(session) = store.session_of(connection, now).await? else {
        return Ok(Known::No);
    };
    // The record goes last: with it, a repetition can still find the row.
    store.forget(&session.name, connection).await?;
    store.forget_session(connection).await?;
    Ok(Known::Yes)
}
