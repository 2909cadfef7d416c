//! What keeps a frame from its handler: a token that has expired, or that does not allow to send; and too many frames.

use chat_protocol::Mode;
use chat_protocol::auth::SEND;
use serde_json::json;

use super::sender::notify;
use super::{HandlerError, Invocation, ProxyResponse};
use crate::delivery::{Delivery, Posted};
use crate::envelope::reference_of;
use crate::environment::{Environment, EnvironmentError};
use crate::event::SocketEvent;
use crate::log::reasons;
use crate::protocol::FrameError;
use crate::routes::{Routes, Rule};
use crate::store::ConnectionStore;

/// What stands before every handler that receives messages.
#[derive(Debug, Clone)]
pub struct Gate {
    mode: Mode,
    messages_per_second: Option<u32>,
    routes: Routes,
    /// What a sender must be allowed, where names are proven.
    right: Option<&'static str>,
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
            routes: environment.routes()?,
            right: Some(SEND),
        })
    }

    /// One that only asks for the right to send, as `mode` says.
    #[must_use]
    pub fn for_mode(mode: Mode) -> Self {
        Self {
            mode,
            messages_per_second: None,
            routes: Routes::default(),
            right: Some(SEND),
        }
    }

    /// The same with this limit.
    #[must_use]
    pub const fn with_rate(mut self, messages_per_second: Option<u32>) -> Self {
        self.messages_per_second = messages_per_second;
        self
    }

    /// The same for frames that are requests: each has `rule`, and needs `right`.
    #[must_use]
    pub fn for_requests(self, rule: Rule, right: Option<&'static str>) -> Self {
        Self {
            routes: Routes::all(rule),
            right,
            ..self
        }
    }

    /// The rules of the function's routes.
    #[must_use]
    pub const fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The answer to a frame that does not pass, by [`refusal`] or [`excess`]; `None` lets it pass. A frame that its sender may
    /// not send counts for no limit.
    ///
    /// # Errors
    /// Those of both.
    pub async fn refusal(
        &self,
        event: &SocketEvent,
        (store, delivery): (&impl ConnectionStore, &impl Delivery),
        invocation: &Invocation,
    ) -> Result<Option<ProxyResponse>, HandlerError> {
        if let Some(refused) = refusal(event, self, delivery, invocation).await? {
            return Ok(Some(refused));
        }
        let services = (store, delivery);
        excess(event, self, services, invocation).await
    }

    /// The `ref` of `frame`, for the notice that it is refused.
    fn reference(&self, event: &SocketEvent, frame: &str) -> Option<String> {
        reference_of(frame, self.routes.rule(event.route())).ok()?
    }
}

/// Refuses a frame of a connection whose token has expired, or does not allow what `gate` asks for; `None` lets it pass.
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
    gate: &Gate,
    delivery: &impl Delivery,
    invocation: &Invocation,
) -> Result<Option<ProxyResponse>, HandlerError> {
    if !gate.mode.proves_names() {
        return Ok(None);
    }
    let (connection, frame) = event.message()?;
    let proof = event.proof();
    let refusal = match &proof {
        Some(proof) if proof.expires_at > invocation.now => match gate.right {
            Some(right) if !proof.can(right) => FrameError::NotAllowed { right },
            _ => return Ok(None),
        },
        _ => FrameError::TokenExpired,
    };
    let log = invocation
        .log
        .with("connectionId", connection.as_str())
        .with("route", event.route());
    log.info("frame refused", [("error", json!(refusal.code()))]);
    let reference = gate.reference(event, frame);
    let notice = refusal.frame(event.route(), reference.as_deref());
    notify(&connection, &notice, delivery, &log).await;
    if refusal == FrameError::TokenExpired {
        match delivery.end(&connection).await {
            Ok(Posted::Delivered | Posted::Gone) => {}
            Err(error) => log.warn("connection not ended", [("reason", json!(reasons(&error)))]),
        }
    }
    Ok(Some(ProxyResponse::status(403)))
}

/// Refuses a frame of a connection that has sent as many in the same second as `gate` lets pass; `None` lets it pass, as does no
/// limit.
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
    gate: &Gate,
    (store, delivery): (&impl ConnectionStore, &impl Delivery),
    invocation: &Invocation,
) -> Result<Option<ProxyResponse>, HandlerError> {
    let Some(most) = gate.messages_per_second else {
        return Ok(None);
    };
    let (connection, frame) = event.message()?;
    let second = event.received_at().unwrap_or(invocation.now);
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
    let reference = gate.reference(event, frame);
    let notice = refusal.frame(event.route(), reference.as_deref());
    notify(&connection, &notice, delivery, &log).await;
    Ok(Some(ProxyResponse::status(429)))
}
