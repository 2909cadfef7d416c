//! A first deployment that was taken back for a reason that passes by itself is made once more.

use super::event::{DeployEvent, Reporter};
use super::execute::{DeployError, RolledBack, execute};
use super::prepare::prepare;
use super::target::{Change, ChangeSet, ChangeSets, Prepared};
use super::target_error::{ErrorKind, TargetError};
use crate::config::names::StackName;
use crate::stack::Outputs;
use crate::stack::cause::Cause;
use crate::stack::status::StackStatus;

/// [`execute`], and once more where that was the first deployment of its stack, was rolled back to nothing, and failed on
/// nothing but what passes by itself.
///
/// What was agreed to for the first try is what the second one does: a stack that has come to be meanwhile is not
/// changed. An update is never repeated, because the version before serves and the user may look first; neither is what
/// the user has interrupted.
///
/// # Errors
/// Those of [`execute`] and [`prepare`]; of the second try they say that it was one.
pub(crate) async fn execute_with_second_try(
    stacks: &impl ChangeSets,
    change_set: ChangeSet,
    reporter: &mut impl Reporter,
) -> Result<Outputs, DeployError> {
    let outcome = execute(stacks, &change_set, reporter).await;
    let Some(cause) = worth_repeating(&change_set, &outcome) else {
        return outcome;
    };
    let deployment = change_set.deployment;
    let stack = deployment.stack.clone();
    if crate::interrupt::is_requested() {
        return Err(between(&stack, TargetError::interrupted().into()));
    }
    reporter.report(&DeployEvent::Repeating {
        stack: stack.to_string(),
        cause: Box::new(cause),
    });
    let prepared = prepare(stacks, deployment, reporter).await;
    let second = match prepared.map_err(|error| between(&stack, error))? {
        Prepared::NoChanges(outputs) => return Ok(outputs),
        Prepared::ChangeSet(second) if second.change == Change::Create => second,
        // Whose stack it is, and what would change in it, has not been asked.
        Prepared::ChangeSet(other) => {
            stacks.discard(&other).await?;
            let message = format!("another deployment of stack `{stack}` got in between");
            let error = TargetError::new(ErrorKind::Failed, message)
                .with_hint(
                    "deploy again: what the other one has changed is then taken into account",
                )
                .after(|| "the first try was rolled back, the second one was not begun".to_owned());
            return Err(error.into());
        }
    };
    let outcome = execute(stacks, &second, reporter).await;
    outcome.map_err(|error| match error {
        DeployError::RolledBack(failure) => DeployError::RolledBack(Box::new(RolledBack {
            is_second_try: true,
            ..*failure
        })),
        error => error,
    })
}

/// The cause of a failure after which the deployment is to be repeated.
fn worth_repeating(
    change_set: &ChangeSet,
    outcome: &Result<Outputs, DeployError>,
) -> Option<Cause> {
    match outcome {
        // In any other state something is left that the failure does not explain.
        Err(DeployError::RolledBack(failure))
            if change_set.change == Change::Create
                && failure.passes
                && failure.status == Some(StackStatus::RollbackComplete) =>
        {
            failure.cause.clone()
        }
        _ => None,
    }
}

/// The error of what comes between the two tries.
fn between(stack: &StackName, error: DeployError) -> DeployError {
    match error {
        DeployError::Target(mut error) => {
            error.so_far = Some(format!(
                "the first try was rolled back, the second one was not begun; what is left of stack `{stack}` is empty, \
                 and the next `chatctl deploy` removes it"
            ));
            DeployError::Target(error)
        }
        error => error,
    }
}
