//! Executing what was prepared. The question to the reader lives between the two.

use super::event::{DeployEvent, Reporter, Step};
use super::follow::{Settled, follow, not_begun};
use super::limits;
use super::probe::ProbeError;
use super::target::{ChangeSet, Phase, Stacks};
use super::target_error::{ErrorKind, TargetError};
use crate::config::names::StackName;
use crate::stack::Outputs;
use crate::stack::cause::{Cause, cause, passes_by_itself};
use crate::stack::status::StackStatus;

/// Why a deployment did not reach its outputs.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The stack was rolled back, or could not be.
    #[error(transparent)]
    RolledBack(Box<RolledBack>),
    /// The stack `stack` was deleted meanwhile.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    #[error("stack `{stack}` went away while it was deployed")]
    Vanished {
        stack: StackName,
        so_far: Option<String>,
    },
    /// The stack is deployed, but its chat does not answer.
    #[error(transparent)]
    Unproven(Box<Unproven>),
    /// The target refused a request, or could not be reached.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// A stack that is deployed and does not answer.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unproven {
    pub error: ProbeError,
    /// What may be the reason, as far as it is known.
    pub known: Option<String>,
    /// What was done until then.
    pub so_far: Option<String>,
}

impl From<ProbeError> for DeployError {
    fn from(error: ProbeError) -> Self {
        Self::Unproven(Box::new(Unproven {
            error,
            known: None,
            so_far: None,
        }))
    }
}

impl DeployError {
    /// Adds what was done until then; what was said first is closer to it and stays.
    pub(super) fn after(self, so_far: impl FnOnce() -> String) -> Self {
        match self {
            Self::Target(error) => Self::Target(error.after(so_far)),
            Self::Unproven(mut unproven) => {
                unproven.so_far = unproven.so_far.or_else(|| Some(so_far()));
                Self::Unproven(unproven)
            }
            error @ (Self::RolledBack(_) | Self::Vanished { .. }) => error,
        }
    }

    /// Puts what was `made` before in front of what was done until then.
    pub(super) fn beside(mut self, made: &str) -> Self {
        let so_far = match &mut self {
            Self::Target(error) => &mut error.so_far,
            Self::Unproven(unproven) => &mut unproven.so_far,
            Self::RolledBack(failure) => &mut failure.so_far,
            Self::Vanished { so_far, .. } => so_far,
        };
        *so_far = Some(match so_far.take() {
            Some(more) => format!("{made}; beside that, {more}"),
            None => made.to_owned(),
        });
        self
    }

    /// Of an interruption: says what it leaves. Other errors stay as they are.
    pub(super) fn leaving(self, what: &str) -> Self {
        match self {
            Self::Target(error) => Self::Target(error.leaving(what)),
            error => error,
        }
    }
}

/// A stack that has settled otherwise than was asked for.
#[derive(Debug, thiserror::Error)]
#[error(
    "stack `{stack}` settled as {}{}\n  {}",
    .status.as_ref().map_or("gone", StackStatus::word),
    if *is_second_try { ", as it did at the first try" } else { "" },
    cause_text(.cause.as_ref(), .unread.as_deref(), .reason.as_deref())
)]
pub struct RolledBack {
    pub(super) stack: StackName,
    /// `None` when the stack is gone.
    pub status: Option<StackStatus>,
    /// `None` when no resource gave a reason.
    pub cause: Option<Cause>,
    /// Why events that may have given one are missing.
    pub(super) unread: Option<String>,
    /// The target's own words about the stack.
    pub(super) reason: Option<String>,
    /// Whether everything that failed passes by itself.
    pub(super) passes: bool,
    /// The deployment had been tried before, and repeated.
    pub(super) is_second_try: bool,
    /// What was done beside it, and stays.
    pub so_far: Option<String>,
}

impl RolledBack {
    /// The error of `stack`, as `settled` has seen it.
    pub(super) fn error(stack: StackName, settled: &Settled) -> DeployError {
        DeployError::RolledBack(Box::new(Self {
            stack,
            status: settled.description.as_ref().map(|left| left.status.clone()),
            cause: cause(&settled.events),
            passes: settled.unread.is_none() && passes_by_itself(&settled.events),
            unread: settled.unread.clone(),
            reason: settled.reason.clone(),
            is_second_try: false,
            so_far: None,
        }))
    }
}

fn cause_text(cause: Option<&Cause>, unread: Option<&str>, reason: Option<&str>) -> String {
    match (cause, unread, reason) {
        (Some(cause), _, _) => cause.to_string(),
        (None, Some(why), Some(reason)) => format!("{reason} (more is not known: {why})"),
        (None, Some(why), None) => format!("the reason is not known: {why}"),
        (None, None, Some(reason)) => reason.to_owned(),
        (None, None, None) => "no resource gave a reason".to_owned(),
    }
}

/// Executes `change_set` and follows its stack until it settles.
///
/// Each event is reported before the next poll. A rollback is an error here, even though CloudFormation itself
/// calls it a success.
///
/// # Errors
/// [`DeployError::RolledBack`] with the first failure that caused it; [`DeployError::Target`] when the target
/// cannot be asked.
pub(super) async fn execute(
    stacks: &impl Stacks,
    change_set: &ChangeSet,
    reporter: &mut impl Reporter,
) -> Result<Outputs, DeployError> {
    Step::Deploy
        .run(reporter, async |reporter| {
            let outputs = executed(stacks, change_set, reporter).await?;
            let template = &change_set.deployment.template;
            let detail = format!("{} resources", template.resources().count());
            Ok((outputs, detail))
        })
        .await
}

async fn executed(
    stacks: &impl Stacks,
    change_set: &ChangeSet,
    reporter: &mut impl Reporter,
) -> Result<Outputs, DeployError> {
    reporter.report(&DeployEvent::Expecting(change_set.summary.changes.len()));
    let beginning = stacks.begin(change_set);
    let operation = limits::within(limits::ASKING, beginning, |minutes| {
        let stack = &change_set.deployment.stack;
        no_answer("start the deployment", stack, minutes).after(|| not_known(stack))
    })
    .await?;
    let settled = tokio::select! {
        settled = follow(stacks, &operation, reporter) => settled,
        () = crate::interrupt::requested() => {
            return Err(DeployError::Target(stacks.interrupt(&operation).await));
        }
    };
    let stack = change_set.deployment.stack.clone();
    let settled = settled.map_err(|error| error.after(|| under_way(&stack)))?;
    if !settled.was_seen {
        // A stack that was settled before looks the same whether it has been changed or not.
        let phase = stacks.phase(&operation).await;
        if phase.map_err(|error| error.after(|| under_way(&stack)))? == Phase::NotBegun {
            return Err(not_begun(&operation).into());
        }
    }
    match &settled.description {
        Some(description) if description.status.is_complete() => Ok(description.outputs.clone()),
        Some(description) if !description.status.is_deleted() => {
            Err(RolledBack::error(stack, &settled))
        }
        _ => Err(DeployError::Vanished {
            stack,
            so_far: None,
        }),
    }
}

/// The error of a request, with everything that was asked about it, that took too long.
pub(in crate::engine) fn no_answer(attempt: &str, stack: &StackName, minutes: u64) -> TargetError {
    let message = format!("could not {attempt} of stack `{stack}` within {minutes} minutes");
    TargetError::new(ErrorKind::Unreachable, message)
        .with_hint("check the network, then run the same command again")
}

fn not_known(stack: &StackName) -> String {
    format!(
        "whether the deployment of stack `{stack}` was started is not known; `chatctl status` tells"
    )
}

/// What is known once a deployment was started and cannot be followed to its end.
fn under_way(stack: &StackName) -> String {
    format!(
        "the deployment of stack `{stack}` was started and may go on by itself or be done already; `chatctl deploy` \
         follows it"
    )
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeStacks, Transcript, deployment};
    use super::super::prepare;
    use super::super::target::Prepared;
    use super::*;
    use expect_test::{Expect, expect};

    async fn check(script: &str, expected: Expect) {
        let stacks = FakeStacks::scripted(script);
        let mut transcript = Transcript::default();
        let outcome = match prepare(&stacks, deployment(), &mut transcript)
            .await
            .unwrap()
        {
            Prepared::NoChanges(_) => "no changes".to_owned(),
            Prepared::ChangeSet(change_set) => {
                match execute(&stacks, &change_set, &mut transcript).await {
                    Ok(outputs) => format!("ok {outputs:?}"),
                    Err(error) => format!("error: {error}"),
                }
            }
        };
        expected.assert_eq(&format!("{}{outcome}\n", transcript.lines));
    }

    #[tokio::test]
    async fn events_are_reported_once_even_when_they_are_read_again_and_again() {
        check(
            "Table CREATE_IN_PROGRESS\n- poll -\nTable CREATE_COMPLETE\n- poll -\nchat CREATE_COMPLETE",
            expect![[r#"
                started Prepare
                finished Prepare: 1 to add
                started Deploy
                Table CREATE_IN_PROGRESS
                Table CREATE_COMPLETE
                chat CREATE_COMPLETE
                finished Deploy: 1 resources
                ok {"Url": "ws://fake/v1"}
            "#]],
        )
        .await;
    }

    #[tokio::test]
    async fn a_rollback_is_an_error_that_names_the_first_cause() {
        check(
            "A CREATE_FAILED name taken\nB CREATE_FAILED Resource creation cancelled\n- poll -\nchat ROLLBACK_COMPLETE",
            expect![[r#"
                started Prepare
                finished Prepare: 1 to add
                started Deploy
                A CREATE_FAILED
                B CREATE_FAILED
                chat ROLLBACK_COMPLETE
                error: stack `chat` settled as ROLLBACK_COMPLETE
                  A (AWS::X::Y) could not be created: name taken
                  (one resource that was only cancelled is not shown)
            "#]],
        )
        .await;
    }

    #[tokio::test]
    async fn a_clean_up_after_an_update_is_not_the_end() {
        check(
            "chat UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\n- poll -\nchat UPDATE_COMPLETE",
            expect![[r#"
                started Prepare
                finished Prepare: 1 to add
                started Deploy
                chat UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
                chat UPDATE_COMPLETE
                finished Deploy: 1 resources
                ok {"Url": "ws://fake/v1"}
            "#]],
        )
        .await;
    }

    #[tokio::test]
    async fn nothing_to_change_executes_nothing() {
        check(
            "",
            expect![[r#"
                started Prepare
                finished Prepare: nothing has changed
                no changes
            "#]],
        )
        .await;
    }
}
