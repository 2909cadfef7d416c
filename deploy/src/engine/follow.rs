//! Follows a stack's events until it settles. The only place that polls a stack.

use std::collections::HashSet;
use std::time::Instant;

use super::event::{DeployEvent, Reporter};
use super::limits;
use super::target::{Description, Operation, Phase, Stacks};
use super::target_error::{ErrorKind, TargetError, in_full};
use crate::stack::progress::{STACK_TYPE, StackEvent};
use crate::stack::status::StackStatus;

/// How often in a row a target may fail to answer before following it ends.
const MAX_FAILURES: u32 = 10;

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
    /// Why some of them are missing.
    pub(super) unread: Option<String>,
    /// The target's last words about the stack.
    pub(super) reason: Option<String>,
    /// Whether anything has shown that the operation was begun: an event of it, or a status on the way.
    pub(super) was_seen: bool,
}

/// Reports every event of `operation` once, until its stack settles.
///
/// The stack is described before its events are read, so that the last events are not missed. A target that
/// cannot be reached for a while is asked again. Without its events a stack is followed by its status alone.
///
/// # Errors
/// [`TargetError`] when the target refuses to describe the stack, cannot be reached for long, did not begin the
/// operation, or has not come to its end after [`Stacks::longest`].
pub(super) async fn follow(
    stacks: &impl Stacks,
    operation: &Operation,
    reporter: &mut impl Reporter,
) -> Result<Settled, TargetError> {
    let following = settled(stacks, operation, reporter);
    // Also where no answer comes at all.
    limits::within(stacks.longest(), following, |minutes| {
        not_settled(operation, minutes, "")
    })
    .await
}

async fn settled(
    stacks: &impl Stacks,
    operation: &Operation,
    reporter: &mut impl Reporter,
) -> Result<Settled, TargetError> {
    let mut seen = HashSet::new();
    let mut settled = Settled {
        description: None,
        events: Vec::new(),
        unread: None,
        reason: None,
        was_seen: false,
    };
    let (mut quiet, mut failures, mut lag) = (0, 0, 0);
    let mut news = Silence::new(stacks);
    // Once they are denied they stay so.
    let mut may_read = true;
    loop {
        news.in_time(stacks, operation)?;
        let description = match stacks.describe(&operation.stack).await {
            Ok(description) => description,
            Err(error) if error.kind == ErrorKind::Unreachable && failures < MAX_FAILURES => {
                failures += 1;
                stacks.pause(failures).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        failures = 0;
        quiet += 1;
        let so_far = match may_read {
            true => stacks.events(operation).await,
            false => Ok(Vec::new()),
        };
        let so_far = so_far.unwrap_or_else(|error| {
            may_read = error.kind != ErrorKind::Denied;
            if settled.unread.is_none() {
                let why = in_full(&error);
                if stacks.is_first_without_events() {
                    reporter.report(&DeployEvent::Notice(format!(
                        "{why}; following stack `{}` by its status alone, without its resources",
                        operation.stack
                    )));
                }
                settled.unread = Some(why);
            }
            Vec::new()
        });
        for event in so_far {
            if seen.insert(event.id.clone()) {
                quiet = 0;
                settled.was_seen = true;
                reporter.report(&DeployEvent::Stack(event.clone()));
                settled.events.push(event);
            }
        }
        let words = description.as_ref().and_then(|it| it.reason.clone());
        settled.reason = words.or(settled.reason);
        settled.description = description;
        let Some(described) = &settled.description else {
            settled.was_seen = true;
            return Ok(settled);
        };
        news.tell(stacks, &described.status, quiet == 0, reporter);
        let status = &described.status;
        if status.is_in_review() {
            news.must_have_begun(stacks, operation)?;
        } else if !status.is_settled() {
            settled.was_seen = true;
        } else {
            let is_known = match settled.unread {
                None => settled.events.iter().any(settles),
                Some(_) => settled.was_seen,
            };
            if is_known || lag == LAG {
                return Ok(settled);
            }
            lag += 1;
            if settled.unread.is_some() && matches!(stacks.phase(operation).await, Ok(Phase::Over))
            {
                // Only a description that is younger than this answer is one of the end.
                settled.was_seen = true;
                continue;
            }
        }
        stacks.pause(quiet).await;
    }
}

/// How long it has taken, and since when nothing was reported.
struct Silence {
    began: Instant,
    reported: Instant,
    status: String,
    quiet: u32,
}

impl Silence {
    fn new(stacks: &impl Stacks) -> Self {
        let now = stacks.now();
        Self {
            began: now,
            reported: now,
            status: String::new(),
            quiet: 0,
        }
    }

    /// An error once the target has had all the time that there is.
    fn in_time(&self, stacks: &impl Stacks, operation: &Operation) -> Result<(), TargetError> {
        let longest = stacks.longest();
        if stacks.now().duration_since(self.began) < longest.time() {
            return Ok(());
        }
        Err(not_settled(operation, longest.in_minutes(), &self.status))
    }

    /// An error for a stack that still waits for the first change set that should have been executed.
    fn must_have_begun(
        &self,
        stacks: &impl Stacks,
        operation: &Operation,
    ) -> Result<(), TargetError> {
        if stacks.now().duration_since(self.began) < limits::BEGINNING.time() {
            return Ok(());
        }
        Err(not_begun(operation))
    }

    /// Tells from time to time that it goes on.
    fn tell(
        &mut self,
        stacks: &impl Stacks,
        status: &StackStatus,
        is_new: bool,
        reporter: &mut impl Reporter,
    ) {
        let now = stacks.now();
        self.status = status.word().to_owned();
        if is_new {
            (self.reported, self.quiet) = (now, 0);
        } else if now.duration_since(self.reported) >= limits::NO_NEWS.time() {
            self.reported = now;
            self.quiet += 1;
            reporter.report(&DeployEvent::UnderWay {
                status: self.status.clone(),
                quiet: limits::NO_NEWS.reported(self.quiet),
            });
        }
    }
}

/// The error of an operation that is followed no longer; `status` is empty where it is not known.
fn not_settled(operation: &Operation, minutes: u64, status: &str) -> TargetError {
    let stack = &operation.stack;
    let status = match status {
        "" => String::new(),
        status => format!(" ({status})"),
    };
    let message = format!("stack `{stack}` has not settled after {minutes} minutes{status}");
    TargetError::new(ErrorKind::Failed, message)
        .with_hint("`chatctl status` tells how far it is; the same command again goes on")
}

/// The error of an operation that the target has taken and not begun.
pub(super) fn not_begun(operation: &Operation) -> TargetError {
    let message = format!(
        "the change of stack `{}` was asked for and answered, but nothing was begun",
        operation.stack
    );
    TargetError::new(ErrorKind::Unreachable, message)
        .with_hint("the answer may not have been the target's own; run the same command again")
        .after(|| "nothing was changed".to_owned())
}

/// Whether the event says that its stack has settled.
fn settles(event: &StackEvent) -> bool {
    event.resource_type == STACK_TYPE && StackStatus::parse(&event.status).is_settled()
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
        assert_eq!(error.kind, ErrorKind::Denied);
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
