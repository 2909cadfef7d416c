//! Whether the caller has the permissions of `chatctl policy`, as far as IAM's simulation tells.

use chatctl_deploy::aws::{AwsTarget, Identity};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::permissions::{Comparison, Missing, compare};
use chatctl_deploy::engine::preflight::Check;
use chatctl_deploy::engine::{ErrorKind, TargetError, limits, silence};
use chatctl_deploy::stack::policy::{Subject, policies};

/// The most missing permissions that are named.
const MAX_NAMED: usize = 12;

/// Asks IAM. Whatever it says keeps no deployment back: a simulation does not see policies of resources and of sessions.
pub(super) async fn check(settings: &Settings, target: &AwsTarget, identity: &Identity) -> Check {
    let rules = &settings.aws.rules;
    let bucket = chatctl_deploy::aws::bucket_name(rules, &identity.account, &target.region);
    let subject = Subject {
        settings,
        region: &target.region,
        account: &identity.account,
        bucket: &bucket,
    };
    let role = rules.role_arn.as_ref().map(AsRef::as_ref);
    let policies = policies(&subject, role.is_some());
    let simulator = target.simulator();
    let comparing = compare(&simulator, &policies, &identity.arn, role);
    let compared = tokio::time::timeout(limits::ASIDE.time(), comparing).await;
    reported(compared.unwrap_or_else(|_elapsed| {
        // No response is expected any more.
        silence::request_ended();
        let message = "IAM did not answer in time";
        Err(TargetError::new(ErrorKind::Unreachable, message))
    }))
}

fn reported(compared: Result<Comparison, TargetError>) -> Check {
    let (found, caution) = match compared {
        Ok(Comparison::Judged { asked, missing }) if missing.is_empty() => (
            format!("IAM's simulation allows the {asked} actions of `chatctl policy`"),
            None,
        ),
        Ok(Comparison::Judged { asked, missing }) => (
            format!(
                "IAM's simulation denies {} of the {asked} actions of `chatctl policy`",
                missing.len()
            ),
            Some(lines(&missing)),
        ),
        Ok(Comparison::NotJudged) => (
            "this identity has no policies that could be compared with `chatctl policy`".to_owned(),
            None,
        ),
        Err(error) if error.kind == ErrorKind::Denied => (
            "not compared with `chatctl policy`; the permission iam:SimulatePrincipalPolicy would allow it".to_owned(),
            None,
        ),
        Err(error) => (
            format!("not compared with `chatctl policy`: {error}"),
            None,
        ),
    };
    Check::aside("permissions", found, caution)
}

/// A line for each missing permission.
fn lines(missing: &[Missing]) -> String {
    let line = |permission: &Missing| {
        let whose = if permission.is_of_role {
            "CloudFormation's role: "
        } else {
            ""
        };
        let why = if permission.is_explicit {
            "a policy denies it"
        } else {
            "no policy allows it"
        };
        format!("{whose}{} on {}: {why}", permission.action, permission.on)
    };
    let mut lines: Vec<_> = missing.iter().take(MAX_NAMED).map(line).collect();
    if let Some(more) = missing
        .len()
        .checked_sub(MAX_NAMED)
        .filter(|more| *more > 0)
    {
        lines.push(format!(
            "and {more} more; `chatctl policy` prints what is needed"
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn missing(number: usize) -> Missing {
        Missing {
            action: format!("s3:Action{number}"),
            on: "arn:aws:s3:::bucket".into(),
            is_explicit: number == 1,
            is_of_role: number == 2,
        }
    }

    #[test]
    fn each_missing_permission_has_a_line_that_says_why() {
        let check = reported(Ok(Comparison::Judged {
            asked: 70,
            missing: vec![missing(0), missing(1), missing(2)],
        }));
        assert_eq!(
            check.outcome.unwrap(),
            "IAM's simulation denies 3 of the 70 actions of `chatctl policy`"
        );
        expect![[r#"
            s3:Action0 on arn:aws:s3:::bucket: no policy allows it
            s3:Action1 on arn:aws:s3:::bucket: a policy denies it
            CloudFormation's role: s3:Action2 on arn:aws:s3:::bucket: no policy allows it"#]]
        .assert_eq(&check.caution.unwrap());
        let many = reported(Ok(Comparison::Judged {
            asked: 70,
            missing: (0..20).map(missing).collect(),
        }));
        let caution = many.caution.unwrap();
        assert_eq!(caution.lines().count(), MAX_NAMED + 1);
        assert!(caution.ends_with("and 8 more; `chatctl policy` prints what is needed"));
    }

    #[test]
    fn what_cannot_be_compared_is_said_and_is_no_problem() {
        let of = |kind| Err(TargetError::new(kind, "IAM refused"));
        let denied = reported(of(ErrorKind::Denied)).outcome.unwrap();
        assert!(denied.contains("iam:SimulatePrincipalPolicy"), "{denied}");
        let failed = reported(of(ErrorKind::Unreachable)).outcome.unwrap();
        assert!(failed.contains("IAM refused"), "{failed}");
        let root = reported(Ok(Comparison::NotJudged));
        assert!(root.outcome.is_ok() && root.caution.is_none());
    }
}
