//! [`Stacks`](super::Stacks) over anything that speaks like CloudFormation. What its answers mean is decided here, so that a
//! script can stand in for AWS in every state that AWS has.

mod begin;
mod change_set;
#[cfg(test)]
mod fake;
mod findings;
mod records;
mod stacks;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::random::random_hex;
use super::target::{DeployMode, Inventory, Resource};
use super::target_error::{ErrorKind, TargetError};
use crate::config::names::StackName;
use crate::stack::Template;
use crate::stack::status::{StackState, StackStatus};
pub use records::{
    ChangeSetIds, ChangeSetState, CloudEvent, Finding, NewChangeSet, ParameterValue, StackRecord,
};

/// CloudFormation's operations, as far as the engine needs them, in our words.
///
/// A stack is named by its name or, where it must be found after its deletion, by its id.
pub trait CloudFormation {
    /// The stack as it is now; `None` when there is none of that name.
    async fn stack(&self, stack: &str) -> Result<Option<StackRecord>, TargetError>;

    /// Every stack in the account and region that is not deleted.
    async fn stacks(&self) -> Result<Vec<StackRecord>, TargetError>;

    /// The template as it was sent.
    async fn template(&self, stack: &str) -> Result<Template, TargetError>;

    /// The stack's resources that exist.
    async fn resources(&self, stack: &str) -> Result<Vec<Resource>, TargetError>;

    /// The names of the stack's change sets.
    async fn change_sets(&self, stack: &str) -> Result<Vec<String>, TargetError>;

    /// Starts to compute a change set and returns at once.
    async fn create_change_set(&self, request: &NewChangeSet) -> Result<ChangeSetIds, TargetError>;

    /// The change set as it is now, with all of its changes.
    async fn change_set(&self, ids: &ChangeSetIds) -> Result<ChangeSetState, TargetError>;

    /// What the validation before the deployment has found about the change set.
    async fn findings(&self, ids: &ChangeSetIds) -> Result<Vec<Finding>, TargetError>;

    /// Deletes a change set that was not executed; one that is gone already is fine.
    async fn delete_change_set(&self, ids: &ChangeSetIds) -> Result<(), TargetError>;

    /// Starts to execute; the events of it carry `token`.
    async fn execute_change_set(&self, ids: &ChangeSetIds, token: &str) -> Result<(), TargetError>;

    /// Starts to delete, retaining resources by logical id; the events of it carry `token`.
    async fn delete_stack(
        &self,
        stack_id: &str,
        token: &str,
        retained: &[String],
        mode: DeployMode,
    ) -> Result<(), TargetError>;

    /// The events since the last operation on the stack began, oldest first.
    async fn recent_events(&self, stack_id: &str) -> Result<Vec<CloudEvent>, TargetError>;

    /// Lets, or does not let, the stack be deleted.
    async fn protect(&self, stack: &str, protected: bool) -> Result<(), TargetError>;

    /// Waits between two questions, of which `quiet` in a row brought nothing new.
    async fn pause(&self, quiet: u32);

    /// By which waiting is measured.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// A change set that was begun and neither executed nor taken back.
#[derive(Debug, Clone)]
struct OpenChangeSet {
    ids: ChangeSetIds,
    /// It is the first of its stack, which exists only for it.
    is_first: bool,
}

/// Stacks in one account and region.
#[derive(Debug)]
pub struct CloudStacks<C> {
    cloud: C,
    open: RefCell<Option<OpenChangeSet>>,
    /// What was begun last.
    begun: RefCell<Option<StartedOperation>>,
    /// Events could not be read, which has been reported.
    is_without_events: Cell<bool>,
}

/// What was asked for and cannot be taken back.
#[derive(Debug, Clone)]
enum StartedOperation {
    /// The execution of a change set.
    Execution(ChangeSetIds),
    /// The deletion of a stack that was in this status.
    Deletion(StackStatus),
}

impl<C: CloudFormation> CloudStacks<C> {
    /// Stacks over `cloud`, without a change set that is open.
    pub fn new(cloud: C) -> Self {
        Self {
            cloud,
            open: RefCell::new(None),
            begun: RefCell::new(None),
            is_without_events: Cell::new(false),
        }
    }

    /// Everything that is known about the stack; `None` when there is none, or only the shell of one.
    pub async fn record(&self, stack: &StackName) -> Result<Option<StackRecord>, TargetError> {
        let record = self.cloud.stack(stack.as_ref()).await?;
        Ok(record.filter(|record| !record.status.is_deleted() && !record.status.is_in_review()))
    }

    /// The template that the stack was last deployed with.
    pub async fn deployed_template(&self, stack: &StackName) -> Result<Template, TargetError> {
        self.cloud.template(stack.as_ref()).await
    }

    /// The same, of a stack that may be changed or deleted.
    ///
    /// # Errors
    /// Something else than chatctl has deployed it: whatever it holds, a chat would take its place.
    pub async fn own_template(&self, stack: &StackName) -> Result<Template, TargetError> {
        let template = self.deployed_template(stack).await?;
        if template.is_ours() {
            return Ok(template);
        }
        Err(not_ours(stack))
    }

    /// Makes sure that what is left of a stack that never served may be deleted.
    ///
    /// # Errors
    /// The same. A shell has no template, and is known by the change sets that wait in it.
    async fn own_remains(
        &self,
        stack: &StackName,
        status: &StackStatus,
    ) -> Result<(), TargetError> {
        if !status.is_in_review() {
            return self.own_template(stack).await.map(drop);
        }
        let waiting = self.cloud.change_sets(stack.as_ref()).await?;
        match waiting.iter().all(|name| name.starts_with(OWN)) {
            true => Ok(()),
            false => Err(not_ours(stack)),
        }
    }

    /// Lets, or does not let, the stack be deleted.
    pub async fn protect(&self, stack: &StackName, protected: bool) -> Result<(), TargetError> {
        self.cloud.protect(stack.as_ref(), protected).await
    }

    /// The events of the last operation on the stack, oldest first.
    pub async fn last_events(
        &self,
        stack: &StackRecord,
    ) -> Result<Vec<crate::stack::progress::StackEvent>, TargetError> {
        let events = self.cloud.recent_events(&stack.id).await?;
        Ok(events.into_iter().map(|event| event.event).collect())
    }

    /// Every other stack of the account and region, also those of other tools, with the keys of the code that it runs.
    pub async fn code_of_others(
        &self,
        stack: &StackName,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, TargetError> {
        let stacks = self.cloud.stacks().await?.into_iter();
        let others = stacks.filter(|other| other.name != stack.as_ref());
        Ok(others
            .map(|other| (other.name.clone(), other.code_keys()))
            .collect())
    }
}

impl<C: CloudFormation> Inventory for CloudStacks<C> {
    async fn resources(&self, stack: &StackName) -> Result<Vec<Resource>, TargetError> {
        self.cloud.resources(stack.as_ref()).await
    }
}

fn not_ours(stack: &StackName) -> TargetError {
    let message = format!("stack `{stack}` is not a chat: chatctl has not deployed it");
    TargetError::new(ErrorKind::Usage, message)
        .with_hint("`--stack NAME`, or `stack` in chatctl.toml, names another stack")
}

/// What every name that we give begins with.
const OWN: &str = "chatctl-";

/// A unique name.
fn token() -> String {
    format!("{OWN}{}", random_hex::<8>())
}
