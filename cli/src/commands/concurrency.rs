//! How many functions the account may run at a time: new accounts begin with 10, which a chat notices.

use std::fmt::Display;

use chatctl_deploy::aws::LambdaFunctions;
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::{ErrorKind, limits, silence};

/// Below this a chat of a few people who talk at the same time may be refused messages.
const COMFORTABLE: u32 = 50;

/// Asks Lambda. A missing or denied answer does not keep a deployment back.
pub(super) async fn check(functions: &LambdaFunctions) -> Check {
    let asking = tokio::time::timeout(limits::ASIDE.time(), functions.concurrency());
    let found = match asking.await {
        Ok(answer) => answer.map_err(|error| error.kind),
        Err(_elapsed) => {
            // No answer is expected any more.
            silence::answered();
            Err(ErrorKind::Unreachable)
        }
    };
    told(found)
}

fn told(found: Result<Option<u32>, ErrorKind>) -> Check {
    let found = match found {
        Ok(Some(most)) => {
            return Check::aside(
                "concurrency",
                format!("{most} functions at a time"),
                (most < COMFORTABLE).then(|| caution(most)),
            );
        }
        Ok(None) => "Lambda does not say how many functions run at a time",
        Err(ErrorKind::Denied) => {
            "how many functions run at a time is not known; the permission lambda:GetAccountSettings would tell"
        }
        Err(_) => "how many functions run at a time is not known: Lambda did not tell",
    };
    Check::aside("concurrency", found.to_owned(), None)
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>
fn caution(most: impl Display) -> String {
    format!(
        "this account runs {most} functions at a time in this Region, where {COMFORTABLE} or more are advisable: every message, \
         connect and disconnect takes one while it lasts, a message to a room of more than 1,000 takes five for some \
         seconds, and what finds none is refused; Service Quotas raises \"Concurrent executions\" of Lambda"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_with_room_for_fewer_than_fifty_functions_is_warned_of() {
        let cautioned = |most| told(Ok(Some(most))).caution.is_some();
        assert_eq!(
            [10, 49, 50, 1000].map(cautioned),
            [true, true, false, false]
        );
        let check = told(Ok(Some(10)));
        assert_eq!(check.outcome.unwrap(), "10 functions at a time");
        assert!(
            check
                .caution
                .unwrap()
                .starts_with("this account runs 10 functions at a time")
        );
    }

    #[test]
    fn what_lambda_does_not_tell_is_no_error_and_no_warning() {
        for silent in [
            Ok(None),
            Err(ErrorKind::Denied),
            Err(ErrorKind::Unreachable),
        ] {
            let check = told(silent);
            assert!(check.outcome.is_ok() && check.caution.is_none());
        }
        let denied = told(Err(ErrorKind::Denied)).outcome.unwrap();
        assert!(denied.contains("lambda:GetAccountSettings"), "{denied}");
    }
}
