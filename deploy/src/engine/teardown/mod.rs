//! Tearing a stack down, from the look at what is there to what is left. Doing it twice is fine. What goes and what stays is
//! decided here, once for each kind of target: [`teardown_cloud`] and [`teardown_here`]. What is shown and asked in between
//! they are handed as [`TeardownSteps`].

mod account;
mod cloud;
mod here;
mod steps;
mod uses;

use super::event::{DeployEvent, Reporter, Step};
use super::execute::{DeployError, RolledBack, no_answer};
use super::follow::{Settled, follow, not_begun};
use super::limits::{self, Limit};
use super::target::{ChangeSets, Data, Operation, Readiness, Stacks};
use super::target_error::TargetError;
use crate::config::names::StackName;
use crate::stack::cause::{cause, is_cause};
pub use account::{Holdings, Published, Tables};
pub use cloud::{CloudTeardown, Left, LeftHandlers, teardown_cloud};
pub use here::{HereTeardown, Remains, teardown_here};
pub use steps::{Activity, CloudTeardownSteps, LocalContents, StackHere, TeardownSteps};
pub use uses::{Leftovers, Uses};

/// What a teardown came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Teardown {
    /// There was no such stack.
    NothingThere,
    /// The stack is gone; these resources, by logical id, could not be deleted and were left alone.
    Done {
        /// The logical ids of resources that stay in the account.
        spared: Vec<String>,
    },
}

/// Deletes `stack` and follows it until it is gone.
///
/// An operation that is going on is followed first. To keep data, the tables are first set to outlive their
/// stack. What cannot be deleted is tried once more, and then left alone.
///
/// # Errors
/// [`DeployError::RolledBack`] when the stack stays although what failed was spared, or its tables could not be
/// set to outlive it.
pub(super) async fn delete_stack(
    stacks: &impl ChangeSets,
    stack: &StackName,
    data: Data,
    reporter: &mut impl Reporter,
) -> Result<Teardown, DeployError> {
    let limit = limits::TEARING_DOWN;
    torn_down(stacks, stack, (data, limit), reporter, async |reporter| {
        if let Readiness::Busy(operation) = stacks.readiness(stack).await? {
            reporter.report(&DeployEvent::Notice(format!(
                "an operation on stack `{stack}` is already running; it is followed first"
            )));
            let so_far =
                || "the operation that runs goes on by itself; nothing was deleted".to_owned();
            watch(stacks, &operation, so_far, reporter).await?;
        }
        match data {
            Data::Keep => retain_tables(stacks, stack, reporter).await,
            Data::Remove => Ok(()),
        }
    })
    .await
}

/// Deletes `stack` on this machine, where nothing else changes it and table data outlives it if `data` says so.
///
/// # Errors
/// The stack's process does not stop, or its files cannot be removed.
async fn delete_here(
    stacks: &impl Stacks,
    stack: &StackName,
    data: Data,
    reporter: &mut impl Reporter,
) -> Result<Teardown, DeployError> {
    let limit = limits::HERE;
    torn_down(stacks, stack, (data, limit), reporter, async |_| Ok(())).await
}

/// Does `first`, then deletes `stack`.
async fn torn_down<R: Reporter>(
    stacks: &impl Stacks,
    stack: &StackName,
    (data, limit): (Data, Limit),
    reporter: &mut R,
    first: impl AsyncFnOnce(&mut R) -> Result<(), DeployError>,
) -> Result<Teardown, DeployError> {
    let tearing_down = async {
        if stacks.describe(stack).await?.is_none() {
            return Ok(Teardown::NothingThere);
        }
        Step::Teardown
            .run(reporter, async |reporter| {
                first(reporter).await?;
                let spared = delete(stacks, stack, data, reporter).await?;
                let detail = match spared.len() {
                    0 => "everything removed".to_owned(),
                    many => format!("removed, except {many} that could not be"),
                };
                Ok((Teardown::Done { spared }, detail))
            })
            .await
    };
    limits::within(limit, tearing_down, |minutes| {
        let error = no_answer("come to the end of the teardown", stack, minutes);
        error.after(|| under_way(stack)).into()
    })
    .await
}

/// Has the tables of `stack` outlive it.
async fn retain_tables(
    stacks: &impl ChangeSets,
    stack: &StackName,
    reporter: &mut impl Reporter,
) -> Result<(), DeployError> {
    let Some(operation) = stacks.retain_tables(stack).await? else {
        return Ok(());
    };
    let so_far = || {
        "the change that keeps the table has begun and goes on by itself; nothing was deleted"
            .to_owned()
    };
    let settled = watch(stacks, &operation, so_far, reporter).await?;
    let left = settled.description.as_ref();
    match left.is_some_and(|left| left.status.is_complete()) {
        true => Ok(()),
        false => Err(RolledBack::error(stack.clone(), &settled)),
    }
}

/// Deletes, then once more, then without what failed; the answer is what was spared.
async fn delete(
    stacks: &impl Stacks,
    stack: &StackName,
    data: Data,
    reporter: &mut impl Reporter,
) -> Result<Vec<String>, DeployError> {
    let mut retained: Vec<String> = Vec::new();
    for attempt in 1..=3 {
        let operation = stacks.delete(stack, data, &retained).await?;
        let settled = watch(stacks, &operation, || under_way(stack), reporter).await?;
        let is_gone = settled
            .description
            .as_ref()
            .is_none_or(|left| left.status.is_deleted());
        if is_gone {
            return Ok(retained);
        }
        let stuck: Vec<String> = settled
            .events
            .iter()
            .filter(|event| is_cause(event))
            .map(|event| event.logical_id.clone())
            .collect();
        if attempt == 3 || (stuck.is_empty() && settled.was_seen) {
            return Err(if settled.was_seen {
                RolledBack::error(stack.clone(), &settled)
            } else {
                not_begun(&operation).into()
            });
        }
        if stuck.is_empty() {
            let text = "the deletion was requested and has not begun; it is requested once more";
            reporter.report(&DeployEvent::Notice(text.to_owned()));
            continue;
        }
        let cause = cause(&settled.events).map_or_else(String::new, |cause| cause.to_string());
        if attempt == 1 {
            reporter.report(&DeployEvent::Notice(format!(
                "{cause}; the deletion is tried once more"
            )));
        } else {
            reporter.report(&DeployEvent::Notice(format!(
                "{cause}; the stack is deleted without it, so it stays in the account"
            )));
            retained = stuck;
            retained.sort();
            retained.dedup();
        }
    }
    unreachable!("the last attempt returns")
}

/// Follows `operation`, or reports how to come back to it.
async fn watch(
    stacks: &impl Stacks,
    operation: &Operation,
    so_far: impl FnOnce() -> String,
    reporter: &mut impl Reporter,
) -> Result<Settled, TargetError> {
    tokio::select! {
        settled = follow(stacks, operation, reporter) => settled.map_err(|error| error.after(so_far)),
        () = crate::interrupt::requested() => Err(stacks.interrupt(operation).await),
    }
}

/// What is known once a teardown was started and cannot be followed to its end.
fn under_way(stack: &StackName) -> String {
    format!(
        "the teardown of stack `{stack}` was started and may go on by itself or be done already; `chatctl teardown` \
         follows it"
    )
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeStacks, Transcript};
    use super::*;
    use expect_test::{Expect, expect};

    fn name() -> StackName {
        "chat".parse().unwrap()
    }

    async fn check(stacks: FakeStacks, data: Data, expected: Expect) {
        let mut transcript = Transcript::default();
        let outcome = match delete_stack(&stacks, &name(), data, &mut transcript).await {
            Ok(outcome) => format!("{outcome:?}"),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&format!(
            "{}{outcome}\n{}\n",
            transcript.lines,
            stacks.deletions()
        ));
    }

    #[tokio::test]
    async fn tearing_down_what_is_not_there_is_fine_and_asks_for_no_deletion() {
        check(
            FakeStacks::absent(),
            Data::Remove,
            expect![[r#"
            NothingThere

        "#]],
        )
        .await;
    }

    #[tokio::test]
    async fn what_cannot_be_deleted_is_tried_again_and_then_spared() {
        let script = "Table DELETE_FAILED protected\nchat DELETE_FAILED";
        let stacks = FakeStacks::scripted(script)
            .then(script)
            .then("chat DELETE_COMPLETE");
        check(stacks, Data::Remove, expect![[r#"
            started Teardown
            Table DELETE_FAILED
            chat DELETE_FAILED
            notice Table (AWS::X::Y) could not be deleted: protected; the deletion is tried once more
            Table DELETE_FAILED
            chat DELETE_FAILED
            notice Table (AWS::X::Y) could not be deleted: protected; the stack is deleted without it, so it stays in the account
            chat DELETE_COMPLETE
            finished Teardown: removed, except 1 that could not be
            Done { spared: ["Table"] }
            delete retaining []; delete retaining []; delete retaining ["Table"]
        "#]])
        .await;
    }

    #[tokio::test]
    async fn a_stack_that_still_stays_is_an_error_with_its_cause() {
        let script = "Table DELETE_FAILED protected\nchat DELETE_FAILED";
        let stacks = FakeStacks::scripted(script).then(script).then(script);
        let error = delete_stack(&stacks, &name(), Data::Remove, &mut Transcript::default())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "stack `chat` settled as DELETE_FAILED\n  Table (AWS::X::Y) could not be deleted: protected"
        );
    }

    #[tokio::test]
    async fn to_keep_data_the_tables_are_set_to_stay_before_anything_is_deleted() {
        let stacks = FakeStacks::scripted("chat UPDATE_COMPLETE").then("chat DELETE_COMPLETE");
        check(
            stacks,
            Data::Keep,
            expect![[r#"
            started Teardown
            chat UPDATE_COMPLETE
            chat DELETE_COMPLETE
            finished Teardown: everything removed
            Done { spared: [] }
            retain tables; delete retaining []
        "#]],
        )
        .await;
    }

    #[tokio::test]
    async fn tables_that_cannot_be_set_to_stay_stop_the_deletion() {
        let stacks = FakeStacks::scripted("T UPDATE_FAILED no\nchat UPDATE_ROLLBACK_COMPLETE");
        check(
            stacks,
            Data::Keep,
            expect![[r#"
            started Teardown
            T UPDATE_FAILED
            chat UPDATE_ROLLBACK_COMPLETE
            error: stack `chat` settled as UPDATE_ROLLBACK_COMPLETE
              T (AWS::X::Y) could not be updated: no
            retain tables
        "#]],
        )
        .await;
    }
}
