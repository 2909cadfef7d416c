//! Posts to clients through API Gateway's management API.

use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;

use super::failure::{CallError, ErrorResponse};
use super::retries::Repetition;
use super::service::{Call, Service, segment};
use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::session::ConnectionId;

/// API Gateway's `PostToConnection` and `DeleteConnection`, with short timeouts.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>.
#[derive(Debug, Clone)]
pub struct CallbackDelivery {
    service: Arc<Service>,
}

impl CallbackDelivery {
    pub(super) fn new(service: Service) -> Self {
        let service = Arc::new(service);
        Self { service }
    }

    async fn send(
        &self,
        method: Method,
        connection: &ConnectionId,
        body: Option<(&'static str, Bytes)>,
    ) -> Result<Posted, DeliveryError> {
        let call = Call {
            method,
            path: format!("/@connections/{}", segment(connection.as_str())),
            headers: Vec::new(),
            body,
            repetition: Repetition::UnlessTaken,
        };
        match self.service.send(&call).await {
            Ok(_) => Ok(Posted::Delivered),
            Err(error) => judge(error),
        }
    }
}

impl Delivery for CallbackDelivery {
    async fn post(&self, connection: &ConnectionId, text: &str) -> Result<Posted, DeliveryError> {
        let text = Bytes::copy_from_slice(text.as_bytes());
        let body = Some(("application/octet-stream", text));
        self.send(Method::POST, connection, body).await
    }

    async fn end(&self, connection: &ConnectionId) -> Result<Posted, DeliveryError> {
        self.send(Method::DELETE, connection, None).await
    }
}

/// Classifies by the HTTP status: a real 410 has an empty body, and no other is read.
fn judge(error: CallError) -> Result<Posted, DeliveryError> {
    if error.is_timeout() {
        return Err(DeliveryError::TimedOut);
    }
    match error.status() {
        // Only the body is missing.
        Some(200..=299) => Ok(Posted::Delivered),
        Some(410) => Ok(Posted::Gone),
        Some(400) if error.error_response().is_some_and(is_unknown_id) => Ok(Posted::Gone),
        Some(403) => Err(DeliveryError::Forbidden),
        Some(413) => Err(DeliveryError::TooLarge),
        Some(429) => Err(DeliveryError::Throttled),
        _ => Err(DeliveryError::Unavailable {
            source: error.into(),
        }),
    }
}

/// API Gateway responds with 400 to an id of another format, which can never be a connection's.
fn is_unknown_id(error_response: &ErrorResponse) -> bool {
    let message = error_response.message.as_ref();
    message.is_some_and(|message| message.contains("Invalid connectionId"))
}
