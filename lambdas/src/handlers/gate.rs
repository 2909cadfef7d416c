//! What keeps a frame from its handler: a token that has expired, or that does not allow to send; and too many frames.

use chat_protocol::Mode;
use chat_protocol::auth::SEND;
use serde_json::json;

use super::sender::notify;
use super::{Answer, HandlerError, Invocation};
use crate::delivery::{Delivery, Posted};
use crate::envelope::reference_of;
use crate::environment::{Environment, EnvironmentError};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::protocol::FrameError;
use crate::routes::Routes;
use crate::store::ConnectionStore;

/// What stands before every handler that receives messages.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    mode: Mode,
    messages_per_second: Option<u32>,
}

impl Gate {
    /// Reads what is asked of a frame from the function's environment.
    ///
    /// # Errors
    /// [`EnvironmentError`]: a misspelt value must not allow more.
    pub fn new(environment: Environment<'_>) -> Result<Self, EnvironmentError> {
        Ok(Self {
            mode: environment.mode()?,
            messages_per_second: environment.limits()?.messages_per_second,
        })
    }

    /// The answer to a frame that does not pass, by [`refusal`] or [`excess`]; `None` lets it pass. A frame that its sender may
    /// not send counts for no limit.
    ///
    /// # Errors
    /// Those of both.
    pub async fn refusal(
        &self,
        event: &SocketEvent,
        routes: &Routes,
        (store, delivery): (&impl ConnectionStore, &impl Delivery),
        invocation: &Invocation,
    ) -> Result<Option<Answer>, HandlerError> {
        if let Some(refused) = refusal(event, (self.mode, routes), delivery, invocation).await? {
            return Ok(Some(refused));
        }
        let ways = (store, delivery);
        excess(event, (self.messages_per_second, routes), ways, invocation).await
    }
}

/// Refuses a frame of a connection whose token has expired, or does not allow to send; `None` lets it pass.
///
/// The sender receives an error frame. After the token has expired the connection is ended, too. So is one that was opened
/// before the stack asked for tokens: nothing proves its name.
///
/// Needs, in a mode that proves names, `execute-api:ManageConnections` (`POST` and `DELETE`).
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]
pub async fn refusal(
    event: &SocketEvent,
    (mode, routes): (Mode, &Routes),
    delivery: &impl Delivery,
    invocation: &Invocation,
) -> Result<Option<Answer>, HandlerError> {
    if !mode.proves_names() {
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
    let notice = notice(&refusal, event.route(), frame, routes);
    notify(&connection, &notice, delivery, &log).await;
    if refusal == FrameError::TokenExpired {
        match delivery.end(&connection).await {
            Ok(Posted::Delivered | Posted::Gone) => {}
            Err(error) => log.warn("connection not ended", [("reason", json!(reasons(&error)))]),
        }
    }
    Ok(Some(Answer::status(403)))
}

/// Refuses a frame of a connection that has sent `most` in the same second; `None` lets it pass, as does no limit.
///
/// The sender receives an error frame, and the connection stays. The second is API Gateway's, so that functions whose clocks
/// differ count alike. A client that times its frames can send twice as many within a second that begins in one and ends in
/// the next.
///
/// Needs, with a limit, `dynamodb:UpdateItem` and `execute-api:ManageConnections` (`POST`).
///
/// # Errors
/// [`HandlerError::UnexpectedEvent`]; [`HandlerError::Store`] if the frame could not be counted. It is not passed on then.
pub async fn excess(
    event: &SocketEvent,
    (most, routes): (Option<u32>, &Routes),
    (store, delivery): (&impl ConnectionStore, &impl Delivery),
    invocation: &Invocation,
) -> Result<Option<Answer>, HandlerError> {
    let Some(most) = most else {
        return Ok(None);
    };
    let (connection, frame) = event.message()?;
    let received_at = event.received_at().map(|milliseconds| milliseconds / 1_000);
    let second = received_at.unwrap_or(invocation.now);
    if store.count_message(&connection, second, most).await? {
        return Ok(None);
    }
    let refusal = FrameError::TooManyMessages { most };
    let log = invocation
        .log
        .with("connectionId", connection.as_str())
        .with("route", event.route());
    // A flood would be a flood of log lines, which cost more than it does.
    log.debug("frame refused", [("error", json!(refusal.code()))]);
    let notice = notice(&refusal, event.route(), frame, routes);
    notify(&connection, &notice, delivery, &log).await;
    Ok(Some(Answer::status(429)))
}

/// The error frame about `frame`, with the reference that its sender gave it.
fn notice(refusal: &FrameError, route: Option<&str>, frame: &str, routes: &Routes) -> String {
    let reference = reference_of(frame, routes.rule(route));
    let reference = reference.ok().flatten();
    refusal.frame(route, reference.as_deref())
}
