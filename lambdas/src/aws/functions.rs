//! Invokes functions asynchronously: the one for large rooms, and the one that announces.

use std::error::Error as _;
use std::io::ErrorKind;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::operation::RequestId as _;
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;

use crate::dispatch::{Dispatch, DispatchError, ShardMessage};
use crate::presence::{Announcer, Summons};
use crate::session::Room;

/// Lambda's `Invoke` of the type `Event`.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
#[derive(Debug, Clone)]
pub struct LambdaDispatch {
    client: Client,
    function: String,
}

impl LambdaDispatch {
    pub(super) const fn new(client: Client, function: String) -> Self {
        Self { client, function }
    }
}

impl Dispatch for LambdaDispatch {
    async fn dispatch(&self, message: &ShardMessage) -> Result<String, DispatchError> {
        self.send(message.to_payload()).await
    }
}

impl Announcer for LambdaDispatch {
    async fn summon(&self, room: &Room) -> Result<String, DispatchError> {
        let room = room.clone();
        self.send(Summons { room }.to_payload()).await
    }
}

impl LambdaDispatch {
    async fn send(&self, event: Vec<u8>) -> Result<String, DispatchError> {
        let invoke = self.client.invoke();
        let outcome = invoke
            .function_name(&self.function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(event))
            .send()
            .await;
        match outcome {
            Ok(taken) => Ok(taken.request_id().unwrap_or_default().to_owned()),
            Err(error) if was_not_accepted(&error) => Err(DispatchError::Refused {
                source: error.into(),
            }),
            Err(error) => Err(DispatchError::Unknown {
                source: error.into(),
            }),
        }
    }
}

/// Whether Lambda certainly did not accept the invocation: it responded with an error, or the request was never sent.
fn was_not_accepted(error: &SdkError<InvokeError>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) | SdkError::ServiceError(_) => true,
        SdkError::DispatchFailure(_) => {
            let mut cause = error.source();
            while let Some(error) = cause {
                let io = error.downcast_ref::<std::io::Error>();
                if io.is_some_and(|io| io.kind() == ErrorKind::ConnectionRefused) {
                    return true;
                }
                cause = error.source();
            }
            false
        }
        _ => false,
    }
}
