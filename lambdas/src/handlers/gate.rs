//! What keeps a frame from its handler: a token that has expired, or that does not allow to send.

use chat_protocol::Mode;
use chat_protocol::auth::SEND;
use serde_json::json;

use super::sender::notify;
use super::{Answer, HandlerError, Invocation};
use crate::delivery::{Delivery, Posted};
use crate::envelope::reference_of;
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::protocol::FrameError;
use crate::routes::Routes;

/// Refuses a frame of a connection whose token has expired, or does not allow to send; `None` lets it pass.
///
/// The sender receives an error frame. After the token has expired the connection is ended, too. So is one that was opened
/// before the stack asked for tokens: nothing proves its name.
///
/// Needs, in a mode with tokens, `execute-api:ManageConnections` (`POST` and `DELETE`).
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub async fn refusal(
    event: &SocketEvent,
    (mode, routes): (Mode, &Routes),
    delivery: &impl Delivery,
    invocation: &Invocation,
) -> Result<Option<Answer>, HandlerError> {
    if !mode.needs_token() {
        return Ok(None);
    }
    let (connection, frame) = event.message()?;
    let proof = event.proof();
    let refusal = match &proof {
        Some(proof) if proof.expires_at > invocation.now => match proof.can(SEND) {
            true => return Ok(None),
            false => FrameError::NotAllowed,
        },
        _ => FrameError::TokenExpired,
    };
    let log = invocation
        .log
        .with("connectionId", connection.as_str())
        .with("route", event.route());
    log.info("frame refused", [("error", json!(refusal.code()))]);
    let reference = reference_of(frame, routes.rule(event.route()));
    let reference = reference.ok().flatten();
    let notice = refusal.frame(event.route(), reference.as_deref());
    notify(&connection, &notice, delivery, &log).await;
    if refusal == FrameError::TokenExpired {
        match delivery.end(&connection).await {
            Ok(Posted::Delivered | Posted::Gone) => {}
            Err(error) => log.warn("connection not ended", [("reason", json!(reasons(&error)))]),
        }
    }
    Ok(Some(Answer::status(403)))
}
