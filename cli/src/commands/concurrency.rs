//! How many functions the account may run at a time: new accounts begin with 10, which a chat notices.

use std::fmt::Display;

use chatctl_deploy::aws::{Concurrency, LambdaFunctions};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::{ErrorKind, TargetError, limits, silence};
use chatctl_deploy::stack::few::few;

/// Below this a chat of a few people who talk at the same time may be refused messages.
const COMFORTABLE: u32 = 50;

/// Asks Lambda whether there is room for the functions of `settings`, whose stack `is_new` or not. A missing or denied answer
/// does not keep a deployment back.
pub(super) async fn check(functions: &LambdaFunctions, settings: &Settings, is_new: bool) -> Check {
    let asking = tokio::time::timeout(limits::ASIDE.time(), functions.concurrency());
    let found = match asking.await {
        Ok(answer) => answer.map_err(|error| error.kind),
        Err(_elapsed) => {
            // No answer is expected any more.
            silence::request_ended();
            Err(ErrorKind::Unreachable)
        }
    };
    if let Ok(Some(concurrency)) = found
        && let Some(error) = lacking(concurrency, &reserved(settings), is_new)
    {
        return Check::new("concurrency", Err(error));
    }
    reported(found.map(|found| found.map(|it| it.free)))
}

/// The functions of the user's that have some reserved for themselves, and how many.
fn reserved(settings: &Settings) -> Vec<(String, u32)> {
    let functions = settings.functions_of_the_user();
    let reserved = functions.filter_map(|(name, handler)| {
        let most = handler.reserved_concurrency?.0;
        (most > 0).then(|| (format!("`{name}`"), most))
    });
    reserved.collect()
}

/// Why Lambda would refuse to reserve this. It keeps a part for the functions that reserve nothing: 100
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>), and in small accounts 10, as its refusals
/// say. A stack that is there may have reserved its part already.
fn lacking(
    concurrency: Concurrency,
    reserved: &[(String, u32)],
    is_new: bool,
) -> Option<TargetError> {
    let Concurrency { all, free } = concurrency;
    let kept = if all < 1_000 { 10 } else { 100 };
    let left = if is_new { free } else { all }.saturating_sub(kept);
    let wanted: u64 = reserved.iter().map(|(_, most)| u64::from(*most)).sum();
    if wanted <= u64::from(left) {
        return None;
    }
    let names: Vec<_> = reserved.iter().map(|(name, _)| name).collect();
    let message = format!(
        "`reserved-concurrency` of {} comes to {wanted}, and at most {left} can be reserved in this account and Region: it runs \
         {all} functions at a time, {} of them reserved already, and Lambda keeps {kept} for all others",
        few(&names),
        all - free
    );
    Some(TargetError::new(ErrorKind::Usage, message).with_hint(
        "reserve less, or leave the key out; Service Quotas raises \"Concurrent executions\" of Lambda",
    ))
}

fn reported(found: Result<Option<u32>, ErrorKind>) -> Check {
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
        let cautioned = |most| reported(Ok(Some(most))).caution.is_some();
        assert_eq!(
            [10, 49, 50, 1000].map(cautioned),
            [true, true, false, false]
        );
        let check = reported(Ok(Some(10)));
        assert_eq!(check.outcome.unwrap(), "10 functions at a time");
        assert!(
            check
                .caution
                .unwrap()
                .starts_with("this account runs 10 functions at a time")
        );
    }

    #[test]
    fn what_cannot_be_reserved_in_the_account_is_refused_before_anything_is_touched() {
        let of = |all, free, wanted: &[u32], is_new| {
            let functions = wanted.iter().map(|most| ("`roll`".to_owned(), *most));
            let functions: Vec<_> = functions.collect();
            lacking(Concurrency { all, free }, &functions, is_new).map(|error| error.message)
        };
        for (all, free, wanted, is_new) in [
            (10, 10, &[] as &[u32], true),
            (1_000, 1_000, &[900], true),
            (1_000, 1_000, &[450, 450], false),
            // This stack's own may be among what is reserved.
            (1_000, 200, &[800], false),
            (50, 50, &[40], true),
        ] {
            assert_eq!(
                of(all, free, wanted, is_new),
                None,
                "{all} {free} {wanted:?}"
            );
        }
        for (all, free, wanted, is_new, left) in [
            (10, 10, &[1_u32] as &[u32], true, 0),
            (10, 10, &[1], false, 0),
            (1_000, 1_000, &[901], true, 900),
            (1_000, 1_000, &[500, 401], false, 900),
            (1_000, 200, &[101], true, 100),
            (1_000, 60, &[1], true, 0),
            (1_000, 1_000, &[1_000_000, u32::MAX], true, 900),
        ] {
            let message = of(all, free, wanted, is_new).expect("must be refused");
            assert!(
                message.contains(&format!("at most {left} can be reserved")),
                "{message}"
            );
            assert!(
                message.starts_with("`reserved-concurrency` of `roll`"),
                "{message}"
            );
        }
    }

    #[test]
    fn only_functions_of_the_user_that_reserve_something_count() {
        let text = "[auth]\nhandler = \"door\"\nreserved-concurrency = 3\n[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n\
                    reserved-concurrency = 0\n[[routes]]\nkey = \"look\"\nhandler = \"look\"\n";
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
        let settings = Settings::load(folder.path(), Default::default()).unwrap();
        assert_eq!(reserved(&settings), [("`[auth]`".to_owned(), 3)]);
    }

    #[test]
    fn what_lambda_does_not_tell_is_no_error_and_no_warning() {
        for silent in [
            Ok(None),
            Err(ErrorKind::Denied),
            Err(ErrorKind::Unreachable),
        ] {
            let check = reported(silent);
            assert!(check.outcome.is_ok() && check.caution.is_none());
        }
        let denied = reported(Err(ErrorKind::Denied)).outcome.unwrap();
        assert!(denied.contains("lambda:GetAccountSettings"), "{denied}");
    }
}
