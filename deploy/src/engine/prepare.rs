//! Preparing a deployment: what is in the way goes first, then the target says what would change.

use super::event::{DeployEvent, Reporter, Step};
use super::execute::{DeployError, RolledBack, no_answer};
use super::follow::follow;
use super::limits;
use super::target::{ChangeSets, Data, Deployment, Operation, Prepared, Readiness, Stacks};
use super::target_error::{ErrorKind, TargetError, or_interrupted};
use crate::config::names::StackName;
use crate::stack::Template;
use crate::stack::change::ChangeSummary;
use crate::stack::permissions::gained;
use crate::stack::status::StackStatus;

/// How many things in a row may be in the way.
const ROUNDS: usize = 4;

/// Finds out what `deployment` would change. Nothing that serves is changed.
///
/// An operation that is running is followed first, also one of another tool; the empty remains of an earlier attempt are
/// deleted, which is reported. An interruption takes back what was begun.
///
/// # Errors
/// [`DeployError`] when the target cannot be asked, or something is in the way that it cannot clear.
pub(super) async fn prepare(
    stacks: &impl ChangeSets,
    deployment: Deployment,
    reporter: &mut impl Reporter,
) -> Result<Prepared, DeployError> {
    Step::Prepare
        .run(reporter, async |reporter| {
            let stack = deployment.stack.clone();
            let clearing = interruptible(stacks, clear_the_way(stacks, &stack, reporter));
            limits::within(stacks.longest(), clearing, |minutes| {
                let error = no_answer("clear the way for the deployment", &stack, minutes);
                DeployError::from(error.after(not_begun))
            })
            .await?;
            Ok(reported(computed(stacks, deployment).await?))
        })
        .await
}

/// Finds out what `deployment` would change on this machine, where nothing can be in the way. Changes nothing.
///
/// # Errors
/// The stack's files cannot be read, or its port is taken.
pub(super) async fn prepare_here(
    stacks: &impl Stacks,
    deployment: Deployment,
    reporter: &mut impl Reporter,
) -> Result<Prepared, TargetError> {
    Step::Prepare
        .run(reporter, async |_| {
            let stack = deployment.stack.clone();
            let comparing = or_interrupted(stacks.prepare(deployment));
            let compared = limits::within(limits::HERE, comparing, |minutes| {
                no_answer("compute the change", &stack, minutes)
            });
            Ok(reported(
                compared.await.map_err(|error| error.after(not_begun))?,
            ))
        })
        .await
}

/// With the step's detail.
fn reported(prepared: Prepared) -> (Prepared, String) {
    let detail = match &prepared {
        Prepared::NoChanges(_) => "nothing has changed".to_owned(),
        Prepared::ChangeSet(change_set) => change_set.summary.to_string(),
    };
    (prepared, detail)
}

/// What [`prepare`] and then `execute` would do, without touching anything that is there; `None` when nothing would
/// change. What a deployment would remove first, because it is in the way, is reported.
///
/// # Errors
/// [`DeployError`] when the target cannot be asked, or when that is not known at the moment.
pub(super) async fn preview(
    stacks: &impl ChangeSets,
    deployment: Deployment,
    reporter: &mut impl Reporter,
) -> Result<Option<ChangeSummary>, DeployError> {
    let stack = deployment.stack.clone();
    let all_new = |template: &Template| {
        Some(ChangeSummary {
            permissions: gained(None, template),
            ..ChangeSummary::between(None, template, &Default::default())
        })
    };
    let looking = async {
        let readiness = stacks.readiness(&stack).await?;
        let there = match readiness {
            Readiness::Ready => stacks.describe(&stack).await?,
            _ => None,
        };
        Ok::<_, TargetError>((readiness, there))
    };
    let looking = limits::within(limits::ASKING, looking, |minutes| {
        no_answer("look at the state", &stack, minutes)
    });
    let (readiness, there) = interruptible(stacks, looking).await?;
    match readiness {
        Readiness::Stuck(error) => return Err(error.into()),
        Readiness::Busy(_) => {
            let message = format!(
                "an operation on stack `{stack}` is running, so it is not known what would change"
            );
            return Err(TargetError::new(ErrorKind::Failed, message)
                .with_hint("`chatctl status` tells how far it is; try again when it is done")
                .into());
        }
        // A change set needs a stack, and would leave one behind where there is none.
        Readiness::Leftover(status) => {
            let (subject, why) = explained(&stack, &status);
            reporter.report(&DeployEvent::Notice(format!(
                "a deployment first removes {subject}: {why}"
            )));
            return Ok(all_new(&deployment.template));
        }
        Readiness::Ready => {}
    }
    if there.is_none_or(|description| description.status.is_deleted()) {
        return Ok(all_new(&deployment.template));
    }
    match computed(stacks, deployment).await? {
        Prepared::NoChanges(_) => Ok(None),
        Prepared::ChangeSet(change_set) => {
            stacks.discard(&change_set).await?;
            Ok(Some(change_set.summary))
        }
    }
}

/// What the target would change, as long as it finds that out in time.
async fn computed(
    stacks: &impl ChangeSets,
    deployment: Deployment,
) -> Result<Prepared, TargetError> {
    let stack = deployment.stack.clone();
    let computing = interruptible(stacks, stacks.prepare(deployment));
    let limit = limits::COMPUTING;
    let outcome = match tokio::time::timeout(limit.time(), computing).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => {
            stacks.abandon().await;
            Err(no_answer("compute the change", &stack, limit.in_minutes()))
        }
    };
    outcome.map_err(|error| error.after(not_begun))
}

fn not_begun() -> String {
    "nothing of this deployment was begun".to_owned()
}

/// `work`, unless the user asks to stop first; then what it has begun is taken back.
fn interruptible<T, E: From<TargetError>>(
    stacks: &impl ChangeSets,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    let work = Box::pin(work);
    async move {
        tokio::select! {
            outcome = work => outcome,
            () = crate::interrupt::requested() => {
                stacks.abandon().await;
                Err(TargetError::interrupted().into())
            }
        }
    }
}

/// Follows what is going on and deletes what is left over, until a deployment can start.
async fn clear_the_way(
    stacks: &impl ChangeSets,
    stack: &StackName,
    reporter: &mut impl Reporter,
) -> Result<(), DeployError> {
    for _ in 0..ROUNDS {
        match stacks.readiness(stack).await? {
            Readiness::Ready => return Ok(()),
            Readiness::Stuck(error) => return Err(error.into()),
            Readiness::Busy(operation) => {
                reporter.report(&DeployEvent::Notice(format!(
                    "an operation on stack `{stack}` is already running; it is followed first"
                )));
                let so_far = || {
                    "the operation that runs goes on by itself; nothing of this deployment was begun"
                        .to_owned()
                };
                let settled = follow(stacks, &operation, reporter).await;
                settled.map_err(|error| error.after(so_far))?;
            }
            Readiness::Leftover(status) => {
                let (subject, why) = explained(stack, &status);
                reporter.report(&DeployEvent::Notice(format!("removing {subject}: {why}")));
                remove(stacks, stack, reporter).await?;
            }
        }
    }
    Err(TargetError::new(
        ErrorKind::Failed,
        format!("stack `{stack}` does not come to rest: something else keeps changing it"),
    )
    .with_hint("see who else deploys it, then try again")
    .into())
}

/// What a leftover in `status` is, and how it came to be.
fn explained(stack: &StackName, status: &StackStatus) -> (String, &'static str) {
    let subject = match status {
        StackStatus::ReviewInProgress | StackStatus::RollbackComplete => {
            format!("the empty stack `{stack}`")
        }
        // Not everything that was begun could be taken back.
        _ => format!("what is left of stack `{stack}`"),
    };
    let why = match status {
        StackStatus::ReviewInProgress => "an earlier deployment stopped before it was agreed to",
        _ => {
            "an earlier first deployment failed, and CloudFormation updates no stack in that state"
        }
    };
    (format!("{subject} ({status})"), why)
}

async fn remove(
    stacks: &impl ChangeSets,
    stack: &StackName,
    reporter: &mut impl Reporter,
) -> Result<(), DeployError> {
    let operation: Operation = stacks.delete(stack, Data::Remove, &[]).await?;
    let so_far = || {
        "the deletion of the empty stack was started and may go on by itself; nothing of this deployment was begun"
            .to_owned()
    };
    let settled = follow(stacks, &operation, reporter)
        .await
        .map_err(|error| error.after(so_far))?;
    match &settled.description {
        // In any other state it is what another tool has made meanwhile, which the next round looks at.
        Some(left) if left.status.is_failed() => Err(RolledBack::error(stack.clone(), &settled)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeStacks, Transcript, deployment};
    use super::*;
    use expect_test::{Expect, expect};

    async fn check(stacks: FakeStacks, expected: Expect) {
        let mut transcript = Transcript::default();
        let outcome = match prepare(&stacks, deployment(), &mut transcript).await {
            Ok(Prepared::NoChanges(_)) => "no changes".to_owned(),
            Ok(Prepared::ChangeSet(_)) => "change set".to_owned(),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&format!("{}{outcome}\n", transcript.lines));
    }

    #[tokio::test]
    async fn a_running_operation_is_followed_and_then_the_deployment_goes_on() {
        check(
            FakeStacks::scripted("chat UPDATE_IN_PROGRESS\n- poll -\nchat UPDATE_COMPLETE").busy(),
            expect![[r#"
                started Prepare
                notice an operation on stack `chat` is already running; it is followed first
                chat UPDATE_IN_PROGRESS
                chat UPDATE_COMPLETE
                finished Prepare: 1 to add
                change set
            "#]],
        )
        .await;
    }

    #[tokio::test]
    async fn the_shell_of_a_failed_creation_is_deleted_and_explained() {
        check(
            FakeStacks::scripted("chat DELETE_IN_PROGRESS\n- poll -\nchat DELETE_COMPLETE")
                .leftover("ROLLBACK_COMPLETE"),
            expect![[r#"
                started Prepare
                notice removing the empty stack `chat` (ROLLBACK_COMPLETE): an earlier first deployment failed, and CloudFormation updates no stack in that state
                chat DELETE_IN_PROGRESS
                chat DELETE_COMPLETE
                finished Prepare: 1 to add
                change set
            "#]],
        )
        .await;
    }

    #[tokio::test]
    async fn a_preview_of_what_is_not_there_adds_everything_and_makes_no_change_set() {
        let mut transcript = Transcript::default();
        let absent = FakeStacks::absent();
        let summary = preview(&absent, deployment(), &mut transcript).await;
        assert_eq!(summary.unwrap().unwrap().to_string(), "1 to add");
        assert_eq!(transcript.lines, "");
        let shell = FakeStacks::absent().leftover("ROLLBACK_COMPLETE");
        let summary = preview(&shell, deployment(), &mut transcript).await;
        assert_eq!(summary.unwrap().unwrap().to_string(), "1 to add");
        assert_eq!(shell.deletions(), "");
        expect![[r#"
            notice a deployment first removes the empty stack `chat` (ROLLBACK_COMPLETE): an earlier first deployment failed, and CloudFormation updates no stack in that state
        "#]].assert_eq(&transcript.lines);
    }

    #[tokio::test]
    async fn a_preview_does_not_wait_for_a_running_operation() {
        let stacks = FakeStacks::scripted("chat UPDATE_IN_PROGRESS").busy();
        let mut transcript = Transcript::default();
        let error = preview(&stacks, deployment(), &mut transcript)
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("so it is not known what would change")
        );
    }

    #[tokio::test]
    async fn a_shell_that_cannot_be_deleted_ends_the_deployment_with_the_cause() {
        check(
            FakeStacks::scripted("Role DELETE_FAILED has policies\n- poll -\nchat DELETE_FAILED")
                .leftover("ROLLBACK_FAILED"),
            expect![[r#"
                started Prepare
                notice removing what is left of stack `chat` (ROLLBACK_FAILED): an earlier first deployment failed, and CloudFormation updates no stack in that state
                Role DELETE_FAILED
                chat DELETE_FAILED
                error: stack `chat` settled as DELETE_FAILED
                  Role (AWS::X::Y) could not be deleted: has policies
            "#]],
        )
        .await;
    }
}
