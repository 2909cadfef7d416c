//! Follows a stack's events until it settles. The only place that polls.

use std::collections::HashSet;

use super::event::{DeployEvent, Reporter};
use super::target::{Description, Operation, Stacks, TargetError};
use crate::stack::progress::{STACK_TYPE, StackEvent};

/// How an operation ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settled {
    /// `None` when the stack is gone.
    pub(super) description: Option<Description>,
    /// The first failure that caused the others, if there was one.
    pub(super) first_failure: Option<String>,
}

/// Reports every event of `operation` once, until its stack settles.
///
/// The stack is described before its events are read, so that the last events are not missed.
pub(super) async fn follow(
    stacks: &impl Stacks,
    operation: &Operation,
    reporter: &mut impl Reporter,
) -> Result<Settled, TargetError> {
    let mut seen = HashSet::new();
    let mut first_failure = None;
    loop {
        let description = stacks.describe(&operation.stack).await?;
        for event in stacks.events(operation).await? {
            if seen.insert(event.id.clone()) {
                first_failure = first_failure.or_else(|| failure(&event));
                reporter.report(&DeployEvent::Stack(event));
            }
        }
        if description
            .as_ref()
            .is_none_or(|description| description.status.is_settled())
        {
            return Ok(Settled {
                description,
                first_failure,
            });
        }
        stacks.pause().await;
    }
}

/// The event's own failure; resources that were merely cancelled because of another one have none.
fn failure(event: &StackEvent) -> Option<String> {
    let reason = event.reason.as_deref().unwrap_or("no reason given");
    if event.resource_type == STACK_TYPE {
        // Where no resource is to blame, the stack itself says why it rolls back.
        return event
            .status
            .ends_with("ROLLBACK_IN_PROGRESS")
            .then(|| reason.to_owned());
    }
    let is_cause = event.status.ends_with("_FAILED") && !reason.contains("cancelled");
    is_cause.then(|| {
        format!(
            "{} could not be {}: {reason}",
            event.logical_id,
            verb(&event.status)
        )
    })
}

fn verb(status: &str) -> &'static str {
    match status.split('_').next() {
        Some("CREATE") => "created",
        Some("UPDATE") => "updated",
        Some("DELETE") => "deleted",
        _ => "settled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(status: &str, reason: &str) -> StackEvent {
        StackEvent {
            id: "1".into(),
            at: 0.0,
            logical_id: "Table".into(),
            resource_type: "AWS::DynamoDB::Table".into(),
            status: status.into(),
            reason: Some(reason.into()),
        }
    }

    #[test]
    fn a_stack_that_rolls_back_without_a_failed_resource_gives_its_own_reason() {
        let own = StackEvent {
            resource_type: STACK_TYPE.into(),
            ..event("ROLLBACK_IN_PROGRESS", "port 1 is taken")
        };
        assert_eq!(failure(&own).unwrap(), "port 1 is taken");
    }

    #[test]
    fn a_cancelled_resource_is_not_the_cause() {
        assert_eq!(
            failure(&event("CREATE_FAILED", "Resource creation cancelled")),
            None
        );
        assert_eq!(
            failure(&event("CREATE_FAILED", "name taken")).unwrap(),
            "Table could not be created: name taken"
        );
        assert_eq!(failure(&event("CREATE_COMPLETE", "")), None);
    }
}
