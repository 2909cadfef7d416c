//! What the engine asks of a target.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::names::StackName;
use crate::packaging::Artifact;
use crate::stack::change::ChangeSummary;
use crate::stack::progress::StackEvent;
use crate::stack::{Outputs, Template};

/// Everything that one deployment consists of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deployment {
    pub(crate) stack: StackName,
    pub(crate) template: Template,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) asset: Asset,
}

/// An artifact that the target can reach, named after its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asset {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// It was there already, so nothing was sent.
    pub(crate) already_there: bool,
}

/// Publishes artifacts.
pub(crate) trait AssetStore {
    /// Makes `artifact` reachable under a key that is its content's digest.
    async fn publish(&self, stack: &StackName, artifact: &Artifact) -> Result<Asset, TargetError>;
}

/// A stack as the target describes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Description {
    pub(crate) status: StackStatus,
    pub(crate) outputs: Outputs,
}

/// A stack status, sorted by what it means for somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StackStatus {
    /// Not settled: anything that is not listed below, also what a newer CloudFormation may invent.
    InProgress(String),
    /// `CREATE_COMPLETE`, `UPDATE_COMPLETE`.
    Complete(String),
    /// Settled on something else than what was asked for.
    RolledBack(String),
    /// Settled where somebody must look: `…_FAILED`.
    Failed(String),
    /// `DELETE_COMPLETE`.
    Deleted,
}

impl StackStatus {
    /// Sorts CloudFormation's word.
    pub(crate) fn parse(status: &str) -> Self {
        let text = status.to_owned();
        match status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Self::Complete(text),
            "ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" => {
                Self::RolledBack(text)
            }
            "CREATE_FAILED"
            | "DELETE_FAILED"
            | "ROLLBACK_FAILED"
            | "UPDATE_FAILED"
            | "UPDATE_ROLLBACK_FAILED" => Self::Failed(text),
            "DELETE_COMPLETE" => Self::Deleted,
            _ => Self::InProgress(text),
        }
    }

    /// Whether nothing more will happen by itself.
    pub(crate) fn is_settled(&self) -> bool {
        !matches!(self, Self::InProgress(_))
    }
}

/// What preparing a deployment came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Prepared {
    /// The stack is already so.
    NoChanges(Outputs),
    ChangeSet(Box<ChangeSet>),
}

/// A change that is ready to be executed, or discarded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) change: Change,
    pub(crate) summary: ChangeSummary,
    pub(crate) deployment: Deployment,
}

/// What a change set does to the stack as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Create,
    /// It exists but does not run, which only a local stack can.
    Restart,
    Update,
}

/// Something that is going on with a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) stack: StackName,
    /// Tells this operation's events from earlier ones.
    pub(crate) token: String,
}

/// What becomes of the tables when a stack goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    Keep,
    Remove,
}

/// Stacks on a target.
pub(crate) trait Stacks {
    /// The stack as it is now, `None` when there is none.
    async fn describe(&self, stack: &StackName) -> Result<Option<Description>, TargetError>;

    /// Finds out what `deployment` would change, changing nothing.
    async fn prepare(&self, deployment: Deployment) -> Result<Prepared, TargetError>;

    /// Starts what `change_set` says and returns at once.
    async fn begin(&self, change_set: &ChangeSet) -> Result<Operation, TargetError>;

    /// Starts deleting the stack and returns at once.
    async fn delete(&self, stack: &StackName, data: Data) -> Result<Operation, TargetError>;

    /// Every stack event of `operation` so far, oldest first; the same ones again in every answer.
    async fn events(&self, operation: &Operation) -> Result<Vec<StackEvent>, TargetError>;

    /// Waits as long as this target wants between two questions.
    async fn pause(&self);

    /// What an interruption means here: leaves nothing half-started, or leaves the target to finish alone.
    async fn interrupt(&self, operation: &Operation);
}

/// Why a target did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct TargetError {
    pub(crate) refusal: Refusal,
    pub(crate) message: String,
    /// What the reader can do about it.
    pub(crate) hint: Option<String>,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of a [`TargetError`]; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// What was asked for cannot be done as it is configured.
    Usage,
    /// The target tried and failed.
    Failed,
    /// The user asked to stop.
    Interrupted,
    /// Nothing that was foreseen.
    Unexpected,
}

impl TargetError {
    /// An error of `refusal`'s kind; `message` names the attempt and the subject.
    pub(crate) fn new(refusal: Refusal, message: impl Into<String>) -> Self {
        Self {
            refusal,
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    /// A file operation that failed: `attempt` such as "read", on `path`.
    pub(crate) fn file(attempt: &str, path: &Path, source: std::io::Error) -> Self {
        Self {
            source: Some(Box::new(source)),
            ..Self::new(
                Refusal::Unexpected,
                format!("could not {attempt} {}", path.display()),
            )
        }
    }

    /// Adds what the reader can do.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
