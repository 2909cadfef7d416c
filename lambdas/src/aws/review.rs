//! Asks review functions, and waits for their answers.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde::Deserialize;

use crate::review::{ReviewError, Reviewers};

/// Lambda's `Invoke` of the type `RequestResponse`.
///
/// A failed function is a response with the status 200 and the header `X-Amz-Function-Error`; its payload has the kind.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
#[derive(Debug, Clone)]
pub struct LambdaReviewers {
    client: Client,
}

impl LambdaReviewers {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Reviewers for LambdaReviewers {
    async fn ask(&self, function: &str, question: Vec<u8>) -> Result<Vec<u8>, ReviewError> {
        let invoke = self.client.invoke();
        let outcome = invoke
            .function_name(function)
            .invocation_type(InvocationType::RequestResponse)
            .payload(Blob::new(question))
            .send()
            .await;
        let answer = outcome.map_err(|error| ReviewError::NotInvoked {
            source: error.into(),
        })?;
        let is_failed = answer.function_error().is_some();
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        match is_failed {
            false => Ok(payload),
            true => Err(ReviewError::Failed {
                kind: kind(&payload),
            }),
        }
    }
}

/// The kind of a failure, without the function's own words.
fn kind(payload: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure {
        error_type: String,
    }
    let failure = serde_json::from_slice::<Failure>(payload);
    failure.map_or_else(
        |_| "no kind".to_owned(),
        |failure| failure.error_type.chars().take(100).collect(),
    )
}
