//! Tearing a stack down. Doing it twice is fine.

use super::event::{DeployEvent, Reporter, Step};
use super::follow::{Settled, follow};
use super::target::{Data, Stacks};
use crate::config::names::StackName;
use crate::engine::{DeployError, StackStatus};

/// What a teardown came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Teardown {
    NothingThere,
    Done,
}

/// Deletes `stack` and follows it until it is gone.
///
/// # Errors
/// [`DeployError::RolledBack`] when something could not be deleted.
pub(crate) async fn teardown(
    stacks: &impl Stacks,
    stack: &StackName,
    data: Data,
    reporter: &mut impl Reporter,
) -> Result<Teardown, DeployError> {
    if stacks.describe(stack).await?.is_none() {
        return Ok(Teardown::NothingThere);
    }
    let started = std::time::Instant::now();
    reporter.report(&DeployEvent::Started(Step::Teardown));
    let operation = stacks.delete(stack, data).await?;
    let Settled {
        description,
        first_failure,
    } = follow(stacks, &operation, reporter).await?;
    match description.map(|description| description.status) {
        None | Some(StackStatus::Deleted) => {
            let detail = "stopped and removed".to_owned();
            reporter.report(&DeployEvent::Finished {
                step: Step::Teardown,
                detail,
                took: started.elapsed(),
            });
            Ok(Teardown::Done)
        }
        Some(
            StackStatus::Complete(status)
            | StackStatus::RolledBack(status)
            | StackStatus::Failed(status)
            | StackStatus::InProgress(status),
        ) => Err(DeployError::RolledBack {
            stack: stack.clone(),
            status,
            first_failure: first_failure.unwrap_or_else(|| "no resource gave a reason".into()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeStacks, Transcript};
    use super::*;

    fn name() -> StackName {
        "chat".parse().unwrap()
    }

    #[tokio::test]
    async fn tearing_down_what_is_not_there_is_fine_and_asks_for_no_deletion() {
        let stacks = FakeStacks::absent();
        let mut transcript = Transcript::default();
        let outcome = teardown(&stacks, &name(), Data::Remove, &mut transcript)
            .await
            .unwrap();
        assert_eq!(
            (outcome, transcript.lines.as_str()),
            (Teardown::NothingThere, "")
        );
    }

    #[tokio::test]
    async fn a_stack_that_cannot_be_deleted_is_an_error_with_its_cause() {
        let stacks =
            FakeStacks::scripted("Table DELETE_FAILED protected\n- poll -\nchat DELETE_FAILED");
        let error = teardown(&stacks, &name(), Data::Remove, &mut Transcript::default())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "stack `chat` settled as DELETE_FAILED: Table could not be deleted: protected"
        );
    }
}
