//! Posts to clients through API Gateway's management API.

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigatewaymanagement::primitives::Blob;

use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::session::ConnectionId;

/// API Gateway's `PostToConnection` and `DeleteConnection`, with short timeouts.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>.
#[derive(Debug, Clone)]
pub struct CallbackDelivery {
    client: Client,
}

impl CallbackDelivery {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Delivery for CallbackDelivery {
    async fn post(&self, connection: &ConnectionId, text: &str) -> Result<Posted, DeliveryError> {
        let post = self.client.post_to_connection();
        let outcome = post
            .connection_id(connection.as_str())
            .data(Blob::new(text))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(Posted::Delivered),
            Err(error) => judge(error),
        }
    }

    async fn end(&self, connection: &ConnectionId) -> Result<Posted, DeliveryError> {
        let deletion = self.client.delete_connection();
        match deletion.connection_id(connection.as_str()).send().await {
            Ok(_) => Ok(Posted::Delivered),
            Err(error) => judge(error),
        }
    }
}

/// Classifies by the HTTP status: a real 410 has an empty body, which not every client can parse.
fn judge<E>(error: SdkError<E>) -> Result<Posted, DeliveryError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let SdkError::TimeoutError(_) = error {
        return Err(DeliveryError::TimedOut);
    }
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    match status {
        Some(410) => Ok(Posted::Gone),
        Some(400) if is_unknown_id(&error) => Ok(Posted::Gone),
        Some(403) => Err(DeliveryError::Forbidden),
        Some(413) => Err(DeliveryError::TooLarge),
        Some(429) => Err(DeliveryError::Throttled),
        _ => Err(DeliveryError::Unavailable {
            source: error.into(),
        }),
    }
}

/// API Gateway responds with 400 to an id of another format, which can never be a connection's.
fn is_unknown_id(error: &impl ProvideErrorMetadata) -> bool {
    error
        .message()
        .is_some_and(|message| message.contains("Invalid connectionId"))
}
