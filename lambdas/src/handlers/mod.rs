//! The handlers: one public function for each, over [`ConnectionStore`](crate::store::ConnectionStore),
//! [`Delivery`](crate::delivery::Delivery) and [`Dispatch`](crate::dispatch::Dispatch).
//!
//! An expected outcome is a [`ProxyResponse`]. A [`HandlerError`] makes the invocation fail, which API Gateway shows to the
//! client: 502 for a handshake, 500 if it is the authorizer's, the frame `{"message": "Internal server error", …}` for a message.

mod announce;
mod authorize;
mod ban;
mod broadcast;
mod connect;
mod decide;
mod delete;
mod deliver;
mod direct;
mod disconnect;
mod gate;
mod history;
mod keep;
mod kick;
mod policy;
mod prove;
mod requests;
mod sender;
mod who;

pub use announce::{Announcements, announce};
pub use authorize::{Admission, authorize};
pub use broadcast::broadcast;
pub use connect::{connect, connect_proven};
pub use decide::{Allowed, Decision, decided, not_admitted};
pub use delete::delete;
pub use deliver::deliver;
pub use direct::direct;
pub use disconnect::disconnect;
pub use gate::{Gate, excess, refusal};
pub use history::history;
pub use kick::kick;
pub use policy::Policy;
pub use prove::prove;
pub use requests::rule_of_requests;
pub use who::who;

use serde::Serialize;

use crate::event::UnexpectedEvent;
pub use crate::invocation::Invocation;
use crate::store::StoreError;

/// The response of a proxy integration. API Gateway rejects a response with any unknown field.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyResponse {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

/// The headers that the client of a handshake receives. There is one that API Gateway passes on
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Headers {
    #[serde(rename = "Sec-WebSocket-Protocol")]
    subprotocol: &'static str,
}

impl ProxyResponse {
    /// A response with only a status. On `$connect`, any status but 2xx refuses the connection with that status.
    #[must_use]
    pub const fn status(status_code: u16) -> Self {
        Self {
            status_code,
            headers: None,
            body: None,
        }
    }

    /// The same response, which selects `subprotocol` of those that the client offers.
    #[must_use]
    pub fn selecting(self, subprotocol: &'static str) -> Self {
        Self {
            headers: Some(Headers { subprotocol }),
            ..self
        }
    }

    /// A response with a body: a reason, or the reply of a route with `reply = true`.
    #[must_use]
    pub fn because(status_code: u16, reason: impl Into<String>) -> Self {
        Self {
            status_code,
            headers: None,
            body: Some(reason.into()),
        }
    }

    /// The status.
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        self.status_code
    }
}

/// Why an invocation fails.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The one error that API Gateway interprets: an authorizer that fails with exactly this message refuses with 401.
    ///
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.
    #[error("Unauthorized")]
    Unauthorized,
    /// The event is for another handler.
    #[error(transparent)]
    UnexpectedEvent(#[from] UnexpectedEvent),
    /// The receivers could not be looked up. The sender receives an error frame, because the message is lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to check tokens with; the handshake is refused with 500.
    #[error("tokens cannot be checked")]
    Tokens(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another announcer holds the turn of the room.
    #[error("another announcer held the turn of the room until the time of this one was up")]
    Busy,
    /// A user's handler failed for a reason of its own.
    #[error(transparent)]
    Own(Box<dyn std::error::Error + Send + Sync>),
}
