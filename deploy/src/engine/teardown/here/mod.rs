//! On this machine.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::steps::{Activity, LocalContents, StackHere, TeardownSteps};
use super::{Teardown, delete_here};
use crate::config::names::StackName;
use crate::engine::deploy::Machine;
use crate::engine::event::Reporter;
use crate::engine::execute::DeployError;
use crate::engine::target::Data;
use crate::engine::target_error::{ErrorKind, TargetError, or_interrupted};

/// A machine from which stacks can be torn down.
pub trait Remains: Machine {
    /// What `stack` has that runs, `None` if it does not run.
    ///
    /// # Errors
    /// The process cannot be asked.
    async fn activity(&self, stack: &StackName) -> Result<Option<Activity>, TargetError>;

    /// Whether `stack` was deployed but does not run.
    ///
    /// # Errors
    /// The stack's files cannot be read.
    fn is_stopped(&self, stack: &StackName) -> Result<bool, TargetError>;

    /// Whether `stack` has table data.
    fn has_data(&self, stack: &StackName) -> bool;

    /// The files that deletions have left because chatctl did not make them.
    fn foreign(&self) -> Vec<PathBuf>;
}

/// A teardown that has come to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct HereTeardown {
    /// What it came to.
    pub outcome: Teardown,
    /// Whether table data stays.
    pub keeps_data: bool,
    /// What lies in the stack's folder and was not made by chatctl.
    pub foreign: Vec<PathBuf>,
}

/// Tears `stack` down on this machine: a look at what there is, the question, the reservation, the end of a process that was
/// left behind, the deletion.
///
/// # Errors
/// The user declines: nothing was touched. Otherwise those of each step.
pub async fn teardown_here(
    machine: &impl Remains,
    steps: &impl TeardownSteps,
    stack: &StackName,
    data: Data,
    reporter: &mut impl Reporter,
) -> Result<HereTeardown, DeployError> {
    let activity = or_interrupted(machine.activity(stack)).await?;
    let is_stopped = machine.is_stopped(stack)?;
    let has_data = machine.has_data(stack);
    let left_behind = machine.left_behind(stack)?;
    let has_files = is_stopped || has_data;
    let keeps_data = has_data && data == Data::Keep;
    if activity.is_none() && left_behind.is_none() && !is_stopped && (!has_data || keeps_data) {
        return Ok(HereTeardown {
            outcome: Teardown::NothingThere,
            keeps_data,
            foreign: Vec::new(),
        });
    }
    let is_left = left_behind.is_some();
    steps.show(&LocalContents {
        left_behind,
        stack: match activity {
            Some(activity) => StackHere::Running(activity),
            None if is_left && !has_files => StackHere::Gone,
            None => StackHere::Stopped,
        },
        data: has_data.then_some(data),
    });
    if !steps.agree().await? {
        return Err(TargetError::declined("`--keep-data` keeps table data").into());
    }
    let asked = |error: TargetError| {
        error.leaving("that process was asked to end, and may have; nothing was removed")
    };
    // A reservation would make its folder anew, unless another command has made it.
    if is_left && !has_files && !machine.is_reserved(stack)? {
        or_interrupted(machine.end_left_behind(stack))
            .await
            .map_err(asked)?;
        if or_interrupted(machine.activity(stack)).await?.is_some() {
            let message = format!("local stack `{stack}` was deployed again since the question");
            let hint = "the same command again tears that down";
            return Err(TargetError::new(ErrorKind::Failed, message)
                .with_hint(hint)
                .into());
        }
        return Ok(HereTeardown {
            outcome: Teardown::Done { spared: Vec::new() },
            keeps_data: false,
            foreign: Vec::new(),
        });
    }
    let _reserved = machine.reserve(stack)?;
    if machine.left_behind(stack)?.is_some() {
        or_interrupted(machine.end_left_behind(stack))
            .await
            .map_err(asked)?;
    }
    Ok(HereTeardown {
        outcome: delete_here(machine, stack, data, reporter).await?,
        keeps_data,
        foreign: machine.foreign(),
    })
}
