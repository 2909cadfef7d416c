//! What handlers ask of the way back to a client.

use std::error::Error;

use crate::session::ConnectionId;

/// The way back to clients: API Gateway's `PostToConnection`.
///
/// Never to be used while the receiver's own `$connect` runs: the connection
/// does not exist before that has answered
/// (<https://repost.aws/knowledge-center/410-gone-api-gateway>).
pub trait Delivery {
    /// Posts `text` to `connection` as one message, unchanged.
    ///
    /// # Errors
    /// [`DeliveryError`] when the connection may exist but the text was not, or perhaps not, accepted.
    fn post(
        &self,
        connection: &ConnectionId,
        text: &str,
    ) -> impl Future<Output = Result<Posted, DeliveryError>> + Send;

    /// Ends `connection`, by API Gateway's `DeleteConnection`. The client sees a normal closure.
    ///
    /// # Errors
    /// [`DeliveryError`] when the connection may still be open.
    fn end(
        &self,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<Posted, DeliveryError>> + Send;
}

/// How a post was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// The gateway took it. That the client reads it is not promised.
    Delivered,
    /// There is no such connection, or not yet. An answer, not an error: somebody has left.
    Gone,
}

/// Why a post was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// 429, after some repetitions.
    #[error("too many requests for this account, or the client reads too slowly (429)")]
    Throttled,
    /// 413.
    #[error("the message is larger than 128 KB (413)")]
    TooLarge,
    /// 403.
    #[error(
        "not permitted (403): the role needs execute-api:ManageConnections on this API and stage, and the endpoint must end in the stage"
    )]
    Forbidden,
    /// No answer in time. The message may have arrived.
    #[error("no answer in time")]
    TimedOut,
    /// Anything else.
    #[error("the management API could not be used")]
    Unavailable {
        /// What it, or the way to it, reported.
        source: Box<dyn Error + Send + Sync>,
    },
}
