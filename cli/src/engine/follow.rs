//! Follows a stack's events until it settles. The only place that polls a stack.

use std::collections::HashSet;

use super::event::{DeployEvent, Reporter};
use super::refusal::{Refusal, TargetError};
use super::target::{Description, Operation, Stacks};
use crate::stack::progress::{STACK_TYPE, StackEvent};

/// How often in a row a target may fail to answer before following it ends.
const PATIENCE: u32 = 10;

/// How often a stack may be described as settled without an event that says so. Descriptions run ahead of, or
/// behind, what was just started: right after a change set is executed, the status may still be the old one.
const LAG: u32 = 20;

/// How an operation ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settled {
    /// `None` when the stack is gone.
    pub(super) description: Option<Description>,
    /// Every event, once, oldest first.
    pub(super) events: Vec<StackEvent>,
}

/// Reports every event of `operation` once, until its stack settles.
///
/// The stack is described before its events are read, so that the last events are not missed. A target that
/// cannot be reached for a while is asked again.
///
/// # Errors
/// [`TargetError`] when the target refuses to answer, or cannot be reached for long.
pub(super) async fn follow(
    stacks: &impl Stacks,
    operation: &Operation,
    reporter: &mut impl Reporter,
) -> Result<Settled, TargetError> {
    let mut seen = HashSet::new();
    let mut events: Vec<StackEvent> = Vec::new();
    let (mut quiet, mut failures, mut lag) = (0, 0, 0);
    loop {
        let answer = match stacks.describe(&operation.stack).await {
            Ok(description) => stacks.events(operation).await.map(|new| (description, new)),
            Err(error) => Err(error),
        };
        let (description, so_far) = match answer {
            Ok(answer) => answer,
            Err(error) if error.refusal == Refusal::Unreachable && failures < PATIENCE => {
                failures += 1;
                stacks.pause(failures).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        failures = 0;
        quiet += 1;
        for event in so_far {
            if seen.insert(event.id.clone()) {
                quiet = 0;
                reporter.report(&DeployEvent::Stack(event.clone()));
                events.push(event);
            }
        }
        let Some(described) = &description else {
            return Ok(Settled {
                description,
                events,
            });
        };
        if described.status.is_settled() {
            if events.iter().any(settles) || lag == LAG {
                return Ok(Settled {
                    description,
                    events,
                });
            }
            lag += 1;
        }
        stacks.pause(quiet).await;
    }
}

/// Whether the event says that its stack has settled.
fn settles(event: &StackEvent) -> bool {
    event.resource_type == STACK_TYPE
        && super::status::StackStatus::parse(&event.status).is_settled()
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeStacks, Transcript};
    use super::*;

    async fn followed(script: &str) -> (Settled, String) {
        let stacks = FakeStacks::scripted(script);
        let operation = stacks.operation();
        let mut transcript = Transcript::default();
        let settled = follow(&stacks, &operation, &mut transcript).await.unwrap();
        (settled, transcript.lines)
    }

    #[tokio::test]
    async fn the_old_status_right_after_the_start_is_not_taken_for_the_end() {
        let (settled, lines) = followed(
            "status UPDATE_COMPLETE\n- poll -\nchat UPDATE_IN_PROGRESS\nA UPDATE_COMPLETE\n- poll -\nchat UPDATE_COMPLETE",
        )
        .await;
        assert_eq!(
            lines,
            "chat UPDATE_IN_PROGRESS\nA UPDATE_COMPLETE\nchat UPDATE_COMPLETE\n"
        );
        assert_eq!(settled.events.len(), 3);
    }

    #[tokio::test]
    async fn two_events_with_the_same_status_are_both_reported_and_one_event_only_once() {
        let (_, lines) = followed(
            "A CREATE_IN_PROGRESS\n- poll -\nA CREATE_IN_PROGRESS Resource creation Initiated\n- poll -\nchat CREATE_COMPLETE",
        )
        .await;
        assert_eq!(
            lines,
            "A CREATE_IN_PROGRESS\nA CREATE_IN_PROGRESS\nchat CREATE_COMPLETE\n"
        );
    }

    #[tokio::test]
    async fn a_target_that_cannot_be_reached_for_a_while_is_asked_again() {
        let (settled, _) = followed(
            "A CREATE_IN_PROGRESS\n- poll -\nthrottled\n- poll -\nthrottled\n- poll -\nchat CREATE_COMPLETE",
        )
        .await;
        assert_eq!(
            settled.description.unwrap().status.word(),
            "CREATE_COMPLETE"
        );
    }

    #[tokio::test]
    async fn credentials_that_expire_meanwhile_end_the_following() {
        let stacks = FakeStacks::scripted("A CREATE_IN_PROGRESS\n- poll -\nexpired");
        let error = follow(&stacks, &stacks.operation(), &mut Transcript::default())
            .await
            .unwrap_err();
        assert_eq!(error.refusal, Refusal::Denied);
    }

    #[tokio::test]
    async fn a_status_from_a_newer_cloudformation_is_waited_out() {
        let (settled, lines) =
            followed("chat FROM_THE_FUTURE\nA ALSO_NEW\n- poll -\nchat CREATE_COMPLETE").await;
        assert_eq!(
            settled.description.unwrap().status.word(),
            "CREATE_COMPLETE"
        );
        assert_eq!(
            lines,
            "chat FROM_THE_FUTURE\nA ALSO_NEW\nchat CREATE_COMPLETE\n"
        );
    }
}
