//! Asks review functions, and waits for their answers.

use std::sync::Arc;

use serde::Deserialize;

use super::functions::invoke;
use super::retries::Repetition;
use super::service::Service;
use crate::review::{ReviewError, Reviewers};

/// Lambda's `Invoke` of the type `RequestResponse`.
///
/// A failed function is a response with the status 200 and the header `X-Amz-Function-Error`; its payload has the kind.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
#[derive(Debug, Clone)]
pub struct LambdaReviewers {
    service: Arc<Service>,
}

impl LambdaReviewers {
    pub(super) fn new(service: Service) -> Self {
        let service = Arc::new(service);
        Self { service }
    }
}

impl Reviewers for LambdaReviewers {
    async fn ask(&self, function: &str, question: Vec<u8>) -> Result<Vec<u8>, ReviewError> {
        // The verdict is in the body, and a review that is asked twice is no message twice.
        let again = Repetition::Free;
        let asking = invoke(&self.service, function, "RequestResponse", question, again);
        let answer = asking.await.map_err(|error| ReviewError::NotInvoked {
            source: error.into(),
        })?;
        let is_failed = answer.head.headers.contains_key("x-amz-function-error");
        let payload = Vec::from(answer.body);
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
