//! Invokes functions asynchronously: the one for large rooms, and the one that announces.

use std::sync::Arc;

use hyper::Method;

use super::failure::{CallError, text};
use super::http::HttpResponse;
use super::retries::Repetition;
use super::service::{Call, Service, segment};
use crate::dispatch::{Dispatch, DispatchError, ShardMessage};
use crate::presence::{AnnounceEvent, Announcer};
use crate::session::Room;

/// Lambda's `Invoke` of the type `Event`.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
#[derive(Debug, Clone)]
pub struct LambdaDispatch {
    service: Arc<Service>,
    function: String,
}

impl LambdaDispatch {
    pub(super) fn new(service: Service, function: String) -> Self {
        let service = Arc::new(service);
        Self { service, function }
    }
}

/// Invokes `function` with `payload`; `kind` is `Event` or `RequestResponse`, of which only the latter has a response to read.
pub(super) async fn invoke(
    service: &Service,
    function: &str,
    kind: &'static str,
    payload: Vec<u8>,
    repetition: Repetition,
) -> Result<HttpResponse, CallError> {
    let call = Call {
        method: Method::POST,
        path: format!("/2015-03-31/functions/{}/invocations", segment(function)),
        headers: vec![("x-amz-invocation-type", kind)],
        body: Some(("application/octet-stream", payload.into())),
        repetition,
    };
    service.send(&call).await
}

impl Dispatch for LambdaDispatch {
    async fn dispatch(&self, message: &ShardMessage) -> Result<String, DispatchError> {
        self.send(message.to_payload()).await
    }
}

impl Announcer for LambdaDispatch {
    async fn summon(&self, room: &Room) -> Result<String, DispatchError> {
        let room = room.clone();
        self.send(AnnounceEvent { room }.to_payload()).await
    }
}

impl LambdaDispatch {
    async fn send(&self, event: Vec<u8>) -> Result<String, DispatchError> {
        let repetition = Repetition::UnlessTaken;
        match invoke(&self.service, &self.function, "Event", event, repetition).await {
            Ok(taken) => {
                let id = text(&taken.head.headers, "x-amzn-requestid");
                Ok(id.unwrap_or_default().to_owned())
            }
            // Only the body is missing, which nothing is read from, and with it the id.
            Err(error) if matches!(error.status(), Some(200..=299)) => Ok(String::new()),
            Err(error) if error.was_not_accepted() => Err(DispatchError::Refused {
                source: error.into(),
            }),
            Err(error) => Err(DispatchError::Unknown {
                source: error.into(),
            }),
        }
    }
}
