//! Lambda: the code of functions, and its replacement.

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{Architecture, LastUpdateStatus, State};
use base64::Engine as _;

use super::error::refused;
use super::requests::Named;
use crate::engine::{Asset, FunctionCode, Functions, TargetError, Unready};

/// Deployed functions of one Region.
#[derive(Debug)]
pub struct LambdaFunctions {
    client: Client,
}

impl LambdaFunctions {
    pub(super) fn new(config: &SdkConfig) -> Self {
        let config = aws_sdk_lambda::config::Builder::from(config).interceptor(Named);
        Self {
            client: Client::from_conf(config.build()),
        }
    }
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
        let answer = self.client.get_account_settings().send().await;
        let answer = answer.map_err(|error| {
            let attempt = "read the account's limit of concurrent functions";
            refused("lambda:GetAccountSettings", attempt, error)
        })?;
        Ok(answer.account_limit.and_then(|limit| {
            let free = limit.unreserved_concurrent_executions;
            let all = limit.concurrent_executions;
            let free = free.filter(|free| *free < all).unwrap_or(all);
            let (all, free) = (u32::try_from(all).ok()?, u32::try_from(free).ok()?);
            // The SDK returns zero for a missing field; with zero, no function could run at all.
            (free > 0).then_some(Concurrency { all, free })
        }))
    }
}

impl Functions for LambdaFunctions {
    async fn code(&self, function: &str) -> Result<FunctionCode, TargetError> {
        let answer = self
            .client
            .get_function_configuration()
            .function_name(function)
            .send()
            .await
            .map_err(|error| {
                let attempt = format!("read the code's digest of function {function}");
                refused("lambda:GetFunctionConfiguration", attempt, error)
            })?;
        let reason = answer.state_reason.or(answer.last_update_status_reason);
        Ok(FunctionCode {
            digest: hexadecimal(answer.code_sha256.as_deref().unwrap_or_default()),
            trouble: trouble(answer.state, answer.last_update_status, reason),
        })
    }

    async fn replace_code(&self, function: &str, asset: &Asset) -> Result<(), TargetError> {
        self.client
            .update_function_code()
            .function_name(function)
            .s3_bucket(&asset.bucket)
            .s3_key(&asset.key)
            .architectures(Architecture::from(asset.architecture))
            .send()
            .await
            .map_err(|error| {
                let attempt = format!("update the code of function {function}");
                refused("lambda:UpdateFunctionCode", attempt, error)
            })?;
        Ok(())
    }
}

/// A function can be invoked while it is `Active`. The first invocation of an `Inactive` function, which has been
/// unused for long, fails and activates it. An update must have ended
/// (<https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>).
fn trouble(
    state: Option<State>,
    update: Option<LastUpdateStatus>,
    reason: Option<String>,
) -> Option<Unready> {
    let said = |word: &str| match &reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    };
    match state {
        Some(State::Failed) => return Some(Unready::Broken(said("Failed"))),
        None | Some(State::Active | State::Inactive) => {}
        Some(other) => return Some(Unready::NotYet(said(other.as_str()))),
    }
    match update {
        Some(LastUpdateStatus::Failed) => Some(Unready::Broken(said("the update failed"))),
        None | Some(LastUpdateStatus::Successful) => None,
        Some(other) => Some(Unready::NotYet(said(other.as_str()))),
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
        assert_eq!(ready(State::Active, LastUpdateStatus::Successful), None);
        assert!(matches!(
            ready(State::Pending, LastUpdateStatus::Successful),
            Some(Unready::NotYet(_))
        ));
        assert!(matches!(
            ready(State::Active, LastUpdateStatus::InProgress),
            Some(Unready::NotYet(_))
        ));
        assert!(matches!(
            ready(State::Active, LastUpdateStatus::Failed),
            Some(Unready::Broken(_))
        ));
        let unknown = State::from("FromTheFuture");
        assert_eq!(
            ready(unknown, LastUpdateStatus::Successful),
            Some(Unready::NotYet("FromTheFuture".into()))
        );
    }

    #[test]
    fn digests_are_compared_in_one_notation() {
        assert_eq!(hexadecimal("q80="), "abcd");
        assert_eq!(hexadecimal("cfn-deployed"), "");
    }
}
