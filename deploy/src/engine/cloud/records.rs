//! CloudFormation's answers, in our words.

use std::collections::{BTreeMap, BTreeSet};

use super::super::target::{Change, DeployMode};
use super::super::target_error::{ErrorKind, TargetError};
use crate::stack::change::ResourceChange;
use crate::stack::progress::{STACK_TYPE, StackEvent};
use crate::stack::render::parameter::is_code_key;
use crate::stack::status::{StackState, StackStatus};
use crate::stack::{Outputs, Template};

/// A stack as CloudFormation describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct StackRecord {
    /// Unique for ever; the name is free again after a deletion.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status, in CloudFormation's words.
    pub status: StackStatus,
    /// CloudFormation's reason for the status.
    pub reason: Option<String>,
    /// Its outputs.
    pub outputs: Outputs,
    /// The values of its parameters; those with `NoEcho` are masked.
    pub parameters: BTreeMap<String, String>,
    /// The role that CloudFormation acts with, of this deployment or an earlier one.
    pub role: Option<String>,
    /// The topics to which CloudFormation sends its events.
    pub topics: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether termination protection is on.
    pub protected: bool,
    /// When its last operation began, seconds since the Unix epoch.
    pub changed_at: Option<f64>,
    /// How its last operation was made.
    pub mode: DeployMode,
}

impl StackRecord {
    /// The keys of the published code that it runs, whatever parameters of it name them.
    pub fn code_keys(&self) -> BTreeSet<String> {
        let parameters = self.parameters.iter();
        let codes = parameters.filter(|(name, _)| is_code_key(name));
        codes.map(|(_, key)| key.clone()).collect()
    }

    /// Why the stack may not be deleted; `None` when it may.
    pub fn protection(&self) -> Option<TargetError> {
        let message = format!("stack `{}` is protected against deletion", self.name);
        self.protected.then(|| {
            TargetError::new(ErrorKind::Usage, message)
                .with_hint("`chatctl deploy --protect=false` lifts the protection")
        })
    }

    /// Why a stack in this state can neither be updated nor deleted as it is; `None` when it can.
    pub fn stuck(&self) -> Option<TargetError> {
        if self.status.state() != StackState::Stuck {
            return None;
        }
        let (name, word) = (&self.name, self.status.word());
        let message = format!("stack `{name}` is stuck: {word}");
        let hint = match self.status {
            StackStatus::DeleteFailed => {
                "`chatctl teardown` deletes the rest of it, then deploy again".to_owned()
            }
            StackStatus::UpdateRollbackFailed => format!(
                "`chatctl status` names the cause; repair it, then `aws cloudformation continue-update-rollback \
                 --stack-name {name}`"
            ),
            _ => "`chatctl status` names the cause".to_owned(),
        };
        Some(TargetError::new(ErrorKind::Failed, message).with_hint(hint))
    }

    /// Whether a deletion stopped in the middle. Such a stack can be deleted without some of its resources, and in no
    /// other state can one
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html>).
    pub(super) fn is_half_deleted(&self) -> bool {
        self.status == StackStatus::DeleteFailed
    }

    /// How the next operation must be made where `wanted` is asked for: after a failed express
    /// operation CloudFormation takes no other kind until one has succeeded.
    pub(super) fn next_mode(&self, wanted: DeployMode) -> DeployMode {
        match self.mode {
            DeployMode::Express if self.status.is_failed() => DeployMode::Express,
            _ => wanted,
        }
    }
}

/// What CloudFormation found out about a change set before anything of it was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Empty where it is about the stack as a whole.
    pub logical_id: String,
    /// Such as `AWS::IAM::Role`.
    pub resource_type: String,
    /// Where in the template, for example `/Resources/Api/Properties/Name`.
    pub path: Option<String>,
    /// CloudFormation's sentence.
    pub reason: String,
    /// It only warns; the change set can be executed.
    pub is_warning: bool,
}

/// A change set to compute.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChangeSet {
    /// Its name, which is unique.
    pub name: String,
    /// The stack's name.
    pub stack: String,
    /// Whether it creates the stack.
    pub change: Change,
    /// The template as a whole.
    pub template: Template,
    /// A value for each parameter without a default.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Empty leaves the stack's tags as they are.
    pub tags: BTreeMap<String, String>,
    /// What the operation waits for.
    pub mode: DeployMode,
}

/// What a parameter is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// This text.
    This(String),
    /// What it is already.
    Previous,
}

/// How a change set and its stack are found: by their ids, or both by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetIds {
    /// The change set's ARN.
    pub change_set: String,
    /// The stack's ARN.
    pub stack: String,
}

/// A change set as CloudFormation describes it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChangeSetState {
    /// For example `CREATE_COMPLETE`; unknown ones are passed on as they are.
    pub status: String,
    /// For example `AVAILABLE`.
    pub execution: String,
    /// CloudFormation's reason, if it failed.
    pub reason: Option<String>,
    /// The changes so far.
    pub changes: Vec<ResourceChange>,
}

/// A stack event with the token of its operation.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudEvent {
    /// The event itself.
    pub event: StackEvent,
    /// The token of the operation that it belongs to.
    pub token: Option<String>,
}

impl CloudEvent {
    /// Whether an operation on the stack begins with it.
    pub(crate) fn begins_operation(&self) -> bool {
        self.event.resource_type == STACK_TYPE
            && StackStatus::parse(&self.event.status).begins_operation()
    }
}
