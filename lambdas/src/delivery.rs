//! The trait through which handlers post to clients.

use std::error::Error;

use chat_protocol::limit::MAX_MESSAGE_BYTES;

use crate::session::ConnectionId;

/// Posts to clients: API Gateway's `PostToConnection`.
///
/// Do not post while the receiver's own `$connect` runs: the connection only exists after that has responded
/// (<https://repost.aws/knowledge-center/410-gone-api-gateway>).
pub trait Delivery {
    /// Posts `text` to `connection` as one message, unchanged.
    ///
    /// # Errors
    /// [`DeliveryError`] if the connection may exist but the message was not, or possibly not, accepted.
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

/// The response to a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// The gateway accepted it. Whether the client reads it is unknown.
    Delivered,
    /// There is no such connection, or not yet. An outcome, not an error: a client has left.
    Gone,
}

/// Why a post was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// 429, after some retries.
    #[error("too many requests for this account, or the client reads too slowly (429)")]
    Throttled,
    /// 413.
    #[error("the message is larger than {} KB (413)", MAX_MESSAGE_BYTES / 1024)]
    TooLarge,
    /// 403.
    #[error(
        "not permitted (403): the role needs execute-api:ManageConnections on this API and stage, and the endpoint must end in the stage"
    )]
    Forbidden,
    /// No response in time. The message may have arrived.
    #[error("no response in time")]
    TimedOut,
    /// Any other failure.
    #[error("the management API could not be used")]
    Unavailable {
        /// The cause that the API or the connection to it reported.
        source: Box<dyn Error + Send + Sync>,
    },
}
