//! Lambda: the code of functions, and its replacement.

use aws_config::SdkConfig;
use base64::Engine as _;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::call::{self, Client, Request, encoded};
use super::error::refused;
use crate::engine::{Asset, FunctionCode, Functions, TargetError, Unready};

/// Deployed functions of one Region.
#[derive(Debug)]
pub struct LambdaFunctions {
    client: Client,
}

impl LambdaFunctions {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(&call::LAMBDA, config),
        }
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    account_limit: Option<Limit>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Limit {
    concurrent_executions: Option<u32>,
    unreserved_concurrent_executions: Option<u32>,
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    #[serde(rename = "CodeSha256")]
    digest: Option<String>,
    state: Option<String>,
    state_reason: Option<String>,
    last_update_status: Option<String>,
    last_update_status_reason: Option<String>,
}

/// The path of `function`'s `part`.
fn path(function: &str, part: &str) -> String {
    format!("/2015-03-31/functions/{}/{part}", encoded(function))
}

/// How many functions may run at a time in one Region of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// All.
    pub all: u32,
    /// Those that are not reserved for single functions.
    pub free: u32,
}

impl LambdaFunctions {
    /// The account's limits; `None` if Lambda does not return them.
    ///
    /// # Errors
    /// [`TargetError`] when Lambda cannot be asked.
    pub async fn concurrency(&self) -> Result<Option<Concurrency>, TargetError> {
        let asked = Request::new("GetAccountSettings", "GET", "/2016-08-19/account-settings");
        let answer = self.client.rest::<Settings>(asked).await;
        let answer = answer.map_err(|error| {
            let attempt = "read the account's limit of concurrent functions";
            refused("lambda:GetAccountSettings", attempt, error)
        })?;
        Ok(answer.account_limit.and_then(|limit| {
            let free = limit.unreserved_concurrent_executions;
            let all = limit.concurrent_executions?;
            let free = free.filter(|free| *free < all).unwrap_or(all);
            // With zero, no function could run at all.
            (free > 0).then_some(Concurrency { all, free })
        }))
    }
}

impl Functions for LambdaFunctions {
    async fn code(&self, function: &str) -> Result<FunctionCode, TargetError> {
        let path = path(function, "configuration");
        let asked = Request::new("GetFunctionConfiguration", "GET", path);
        let answer = self.client.rest::<Configuration>(asked).await;
        let answer = answer.map_err(|error| {
            let attempt = format!("read the code's digest of function {function}");
            refused("lambda:GetFunctionConfiguration", attempt, error)
        })?;
        let reason = answer.state_reason.or(answer.last_update_status_reason);
        Ok(FunctionCode {
            digest: hexadecimal(answer.digest.as_deref().unwrap_or_default()),
            trouble: trouble(
                answer.state.as_deref(),
                answer.last_update_status.as_deref(),
                reason,
            ),
        })
    }

    async fn replace_code(&self, function: &str, asset: &Asset) -> Result<(), TargetError> {
        let code = json!({
            "S3Bucket": asset.bucket,
            "S3Key": asset.key,
            "Architectures": [asset.architecture],
        });
        let asked = Request {
            content: Some(("application/json", code.to_string().into_bytes())),
            ..Request::new("UpdateFunctionCode", "PUT", path(function, "code"))
        };
        let updated = self.client.rest::<IgnoredAny>(asked).await;
        updated.map(drop).map_err(|error| {
            let attempt = format!("update the code of function {function}");
            refused("lambda:UpdateFunctionCode", attempt, error)
        })
    }
}

/// A function can be invoked while it is `Active`. The first invocation of an `Inactive` function, which has been
/// unused for long, fails and activates it. An update must have ended
/// (<https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>).
fn trouble(state: Option<&str>, update: Option<&str>, reason: Option<String>) -> Option<Unready> {
    let said = |word: &str| match &reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    };
    match state {
        Some("Failed") => return Some(Unready::Broken(said("Failed"))),
        None | Some("Active" | "Inactive") => {}
        Some(other) => return Some(Unready::NotYet(said(other))),
    }
    match update {
        Some("Failed") => Some(Unready::Broken(said("the update failed"))),
        None | Some("Successful") => None,
        Some(other) => Some(Unready::NotYet(said(other))),
    }
}

/// Lambda returns a SHA-256 in base64; assets are named in hexadecimal.
fn hexadecimal(base64: &str) -> String {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(base64)
        .unwrap_or_default();
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::stub::Stub;
    use super::*;
    use crate::engine::ErrorKind;

    #[tokio::test]
    async fn the_concurrency_has_an_unreserved_part_and_may_be_unknown() {
        let reported = async |status: u16, body: &str| {
            let stub = Stub::answering(vec![(status, body.to_owned())]).await;
            let limit = LambdaFunctions::new(&stub.config().await)
                .concurrency()
                .await;
            let asked = stub.asked();
            assert!(
                asked[0].starts_with("GET /2016-08-19/account-settings"),
                "{asked:?}"
            );
            limit.map_err(|error| error.kind)
        };
        let limits = r#"{"AccountLimit":{"ConcurrentExecutions":10}}"#;
        let both = |all, free| Ok(Some(Concurrency { all, free }));
        assert_eq!(reported(200, limits).await, both(10, 10));
        let limits =
            r#"{"AccountLimit":{"ConcurrentExecutions":1000,"UnreservedConcurrentExecutions":40}}"#;
        assert_eq!(reported(200, limits).await, both(1_000, 40));
        assert_eq!(reported(200, "{}").await, Ok(None));
        assert_eq!(reported(200, r#"{"AccountLimit":{}}"#).await, Ok(None));
        let denied = r#"{"code":"AccessDeniedException","message":"no"}"#;
        assert_eq!(reported(403, denied).await, Err(ErrorKind::Denied));
    }

    #[test]
    fn only_an_active_function_with_a_finished_update_is_ready() {
        let ready = |state, update| trouble(Some(state), Some(update), None);
        assert_eq!(ready("Active", "Successful"), None);
        assert!(matches!(
            ready("Pending", "Successful"),
            Some(Unready::NotYet(_))
        ));
        assert!(matches!(
            ready("Active", "InProgress"),
            Some(Unready::NotYet(_))
        ));
        assert!(matches!(
            ready("Active", "Failed"),
            Some(Unready::Broken(_))
        ));
        let unknown = "FromTheFuture";
        assert_eq!(
            ready(unknown, "Successful"),
            Some(Unready::NotYet("FromTheFuture".into()))
        );
    }

    #[test]
    fn digests_are_compared_in_one_notation() {
        assert_eq!(hexadecimal("q80="), "abcd");
        assert_eq!(hexadecimal("cfn-deployed"), "");
    }
}
