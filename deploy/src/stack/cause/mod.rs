//! Finds why a stack failed: one cause among many failed events, its meaning, and a remedy.

mod known;

use std::fmt;

use known::known;

use super::denial::Denial;
use super::progress::{STACK_TYPE, StackEvent};
use super::unavailable;

/// The failure that the others follow from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The failed resource.
    pub logical_id: String,
    /// Such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// For example `created`.
    pub verb: &'static str,
    /// The target's reason, without CloudFormation's wrapping.
    pub reason: String,
    /// What the reason means, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'static str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The number of resources that were only cancelled because of it.
    pub followers: usize,
}

/// Whether the event is a failure of its own, neither of the stack as a whole nor a mere cancellation.
pub(crate) fn is_cause(event: &StackEvent) -> bool {
    event.status.ends_with("_FAILED") && event.resource_type != STACK_TYPE && !is_cancelled(event)
}

/// Whether every failure among `events` is temporary, so that the same deployment is likely to succeed a moment later.
///
/// Unknown reasons, missing reasons, and failures that need a permission or a repair are not temporary.
pub(crate) fn passes_by_itself(events: &[StackEvent]) -> bool {
    let mut causes = events.iter().filter(|event| is_cause(event)).peekable();
    causes.peek().is_some()
        && causes.all(|event| {
            let reason = event.reason.as_deref().unwrap_or_default();
            !is_denied(reason)
                && known(reason, &event.resource_type).is_some_and(|known| known.passes)
        })
}

/// The first cause among `events`, oldest first, or the stack's own failure if no resource has one.
pub fn cause(events: &[StackEvent]) -> Option<Cause> {
    let first = events.iter().find(|event| is_cause(event)).or_else(|| {
        events
            .iter()
            .find(|event| event.status.ends_with("_FAILED") && !is_cancelled(event))
    })?;
    let reason = first.reason.as_deref().unwrap_or("no reason given");
    let (meaning, remedy) = explanation(reason, &first.resource_type).unzip();
    let reason = unwrapped(reason);
    let mut followers: Vec<_> = events
        .iter()
        .filter(|event| is_cancelled(event))
        .map(|event| &event.logical_id)
        .collect();
    followers.sort();
    followers.dedup();
    Some(Cause {
        logical_id: first.logical_id.clone(),
        resource_type: first.resource_type.clone(),
        verb: verb(&first.status),
        reason,
        meaning,
        remedy,
        followers: followers.len(),
    })
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            logical_id,
            resource_type,
            verb,
            ..
        } = self;
        // Indented, so that no line of the reason looks like one of those below.
        let reason = self.reason.replace('\n', "\n    | ");
        if resource_type == STACK_TYPE {
            write!(out, "the stack could not be {verb}: {reason}")?;
        } else {
            write!(
                out,
                "{logical_id} ({resource_type}) could not be {verb}: {reason}"
            )?;
        }
        if let Some(meaning) = self.meaning {
            write!(out, "\n  meaning: {meaning}")?;
        }
        match self.followers {
            0 => Ok(()),
            1 => out.write_str("\n  (one resource that was only cancelled is not shown)"),
            many => write!(
                out,
                "\n  ({many} resources that were only cancelled are not shown)"
            ),
        }
    }
}

/// Whether AWS denies the request, in any of its wordings.
fn is_denied(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let words = [
        "not authorized to",
        "explicit deny",
        "accessdenied",
        "access denied",
    ];
    words.iter().any(|word| reason.contains(word))
}

fn is_cancelled(event: &StackEvent) -> bool {
    event.status.ends_with("_FAILED")
        && event
            .reason
            .as_deref()
            .is_some_and(|reason| reason.to_lowercase().contains("cancelled"))
}

fn verb(status: &str) -> &'static str {
    match status.split('_').next() {
        Some("CREATE") => "created",
        Some("UPDATE") => "updated",
        Some("DELETE") => "deleted",
        Some("ROLLBACK") => "rolled back",
        Some("VALIDATION") => "accepted",
        _ => "put in place",
    }
}

/// Removes CloudFormation's wrapping: `Resource handler returned message: "…" (RequestToken: …, …)`.
fn unwrapped(reason: &str) -> String {
    let inner = reason
        .strip_prefix("Resource handler returned message: \"")
        .and_then(|rest| rest.rsplit_once("\" (RequestToken:"))
        .map_or(reason, |(inner, _)| inner);
    inner.trim().to_owned()
}

/// The meaning of a known reason for this stack, and a remedy.
fn explanation(reason: &str, resource_type: &str) -> Option<(&'static str, String)> {
    if let Some(denial) = Denial::parse(reason, "the action that AWS names") {
        return Some((denial.meaning(), denial.remedy()));
    }
    if let Some(known) = unavailable::explanation(reason) {
        return Some(known);
    }
    known(reason, resource_type).map(|known| (known.meaning, known.remedy.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(script: &str, expected: Expect) {
        let events: Vec<_> = script
            .lines()
            .map(|line| {
                let mut words = line.splitn(3, ' ');
                let logical_id = words.next().unwrap();
                StackEvent {
                    id: line.into(),
                    at: 0.0,
                    logical_id: logical_id.into(),
                    resource_type: if logical_id == "chat" {
                        STACK_TYPE.into()
                    } else {
                        "AWS::X::Y".into()
                    },
                    status: words.next().unwrap().into(),
                    reason: words.next().map(str::to_owned),
                }
            })
            .collect();
        let text = cause(&events).map_or("none".into(), |cause| {
            let remedy = cause
                .remedy
                .as_ref()
                .map_or(String::new(), |remedy| format!("\n  do: {remedy}"));
            format!("{cause}{remedy}")
        });
        expected.assert_eq(&text);
    }

    #[test]
    fn cancelled_followers_are_counted_and_not_shown() {
        check(
            "A CREATE_IN_PROGRESS\nB CREATE_FAILED Resource creation cancelled\nF CREATE_FAILED Resource handler returned message: \"Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.\" (RequestToken: 1, HandlerErrorCode: InvalidRequest)\nC CREATE_FAILED Resource creation cancelled\nchat ROLLBACK_IN_PROGRESS",
            expect![[r#"
                F (AWS::X::Y) could not be created: Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.
                  meaning: the zip with the handlers was gone from the bucket when Lambda fetched it
                  (2 resources that were only cancelled are not shown)
                  do: deploy again, which publishes it again"#]],
        );
    }

    #[test]
    fn a_missing_permission_is_named() {
        check(
            "R CREATE_FAILED API: iam:CreateRole User: arn:aws:iam::1:user/x is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/r",
            expect![[r#"
                R (AWS::X::Y) could not be created: API: iam:CreateRole User: arn:aws:iam::1:user/x is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/r
                  meaning: the deploying identity lacks this permission; CloudFormation uses the identity's permissions
                  do: have an administrator allow it iam:CreateRole, then deploy again"#]],
        );
    }

    #[test]
    fn the_denying_kind_of_policy_is_named_and_lines_of_a_reason_are_indented() {
        let events = [StackEvent {
            id: "1".into(),
            at: 0.0,
            logical_id: "R".into(),
            resource_type: "AWS::IAM::Role".into(),
            status: "CREATE_FAILED".into(),
            reason: Some(
                "User: u is not authorized to perform: iam:CreateRole on resource: r with an explicit deny in a \
                 service control policy\n  meaning: none"
                    .into(),
            ),
        }];
        expect![[r#"
            R (AWS::IAM::Role) could not be created: User: u is not authorized to perform: iam:CreateRole on resource: r with an explicit deny in a service control policy
                |   meaning: none
              meaning: a service control policy of the account's organization denies this, whatever other policies allow"#]]
        .assert_eq(&cause(&events).unwrap().to_string());
    }

    #[test]
    fn the_stacks_own_failure_counts_when_no_resource_has_one() {
        check(
            "chat ROLLBACK_FAILED The role is gone",
            expect!["the stack could not be rolled back: The role is gone"],
        );
        check("A CREATE_COMPLETE", expect!["none"]);
    }

    #[test]
    fn failures_are_temporary_only_if_each_of_them_is() {
        let passes = |reasons: &[Option<&str>]| {
            let events: Vec<_> = reasons
                .iter()
                .map(|reason| StackEvent {
                    id: String::new(),
                    at: 0.0,
                    logical_id: "R".into(),
                    resource_type: "AWS::ApiGatewayV2::Route".into(),
                    status: "CREATE_FAILED".into(),
                    reason: reason.map(str::to_owned),
                })
                .collect();
            passes_by_itself(&events)
        };
        let busy = Some("Unable to complete operation due to concurrent modification.");
        let cancelled = Some("Resource creation cancelled");
        assert!(passes(&[busy, cancelled, Some("Too Many Requests")]));
        assert!(!passes(&[busy, Some("name taken")]));
        assert!(!passes(&[busy, None]));
        assert!(!passes(&[cancelled]));
        assert!(!passes(&[]));
        for denied in [
            "Rate exceeded: User x is not authorized to perform: apigateway:POST on y",
            "Too Many Requests, with an explicit deny in a service control policy",
        ] {
            assert!(!passes(&[Some(denied)]), "{denied}");
        }
    }

    #[test]
    fn an_unknown_reason_is_shown_without_guessing() {
        check(
            "A UPDATE_FAILED strange",
            expect!["A (AWS::X::Y) could not be updated: strange"],
        );
    }
}
