//! What the engine asks of a target.

use std::collections::BTreeMap;
use std::time::Instant;

use super::limits::Limit;
use super::target_error::TargetError;
use crate::config::names::{StackName, StageName};
use crate::stack::change::ChangeSummary;
use crate::stack::code::parameters_of_functions;
use crate::stack::progress::StackEvent;
use crate::stack::render::parameter;
use crate::stack::status::StackStatus;
use crate::stack::{Outputs, Template};

/// Everything that one deployment consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The stack's name.
    pub stack: StackName,
    /// The rendered template.
    pub template: Template,
    /// The values of the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// What its functions run, by the parameter that names it; empty for a stack without functions.
    pub code: BTreeMap<String, Asset>,
    /// Put on the stack and, by CloudFormation, on its resources.
    pub tags: BTreeMap<String, String>,
    /// What CloudFormation waits for.
    pub mode: DeployMode,
}

impl Deployment {
    /// Of `stack` as `template` has it, with `code` by the parameter that names it.
    pub fn new(stack: StackName, template: Template, code: BTreeMap<String, Asset>) -> Self {
        let mut parameters: BTreeMap<_, _> = code
            .iter()
            .map(|(parameter, asset)| (parameter.clone(), asset.key.clone()))
            .collect();
        // One bucket and one processor for all of it.
        if let Some(asset) = code.values().next() {
            parameters.insert(parameter::CODE_BUCKET.into(), asset.bucket.clone());
            parameters.insert(parameter::ARCHITECTURE.into(), asset.architecture.into());
        }
        Self {
            stack,
            template,
            parameters,
            code,
            tags: BTreeMap::new(),
            mode: DeployMode::Standard,
        }
    }

    /// What each function runs, by its logical id.
    pub(crate) fn code_of_functions(&self) -> BTreeMap<String, Asset> {
        parameters_of_functions(&self.template)
            .into_iter()
            .filter_map(|(function, parameter)| {
                Some((function, self.code.get(&parameter)?.clone()))
            })
            .collect()
    }
}

/// What CloudFormation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeployMode {
    /// Until every resource is ready to serve.
    #[default]
    Standard,
    /// Until every resource is configured; it becomes ready afterwards.
    Express,
}

/// Handlers that the target can reach, named after its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The bucket.
    pub bucket: String,
    /// The key in it.
    pub key: String,
    /// The processor it runs on, in Lambda's words.
    pub architecture: &'static str,
    /// In bytes, as it is sent.
    pub size: u64,
    /// It was there already, so nothing was sent.
    pub already_there: bool,
}

/// Publishes handlers.
pub trait AssetStore {
    /// Handlers in the form that this target takes.
    type Handlers;

    /// Where `handlers` would be published; nothing is sent, and `already_there` is not known to be true.
    async fn locate(
        &self,
        stack: &StackName,
        handlers: &Self::Handlers,
    ) -> Result<Asset, TargetError>;

    /// Makes `handlers` reachable under a key that is their content's digest.
    async fn publish(
        &self,
        stack: &StackName,
        handlers: &Self::Handlers,
    ) -> Result<Asset, TargetError>;

    /// What a reader should learn of the publishing so far, each once.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A stack as the target describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Its status.
    pub status: StackStatus,
    /// The target's own words about the status, if it has any.
    pub reason: Option<String>,
    /// Its outputs; none before its first deployment has ended.
    pub outputs: Outputs,
}

/// What preparing a deployment came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// The stack is already so.
    NoChanges(Outputs),
    /// Changes that wait for [`Stacks::begin`].
    ChangeSet(Box<ChangeSet>),
}

/// A change that is ready to be executed, or discarded.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSet {
    /// The target's own id.
    pub id: String,
    /// Whether it creates the stack.
    pub change: Change,
    /// What would change.
    pub summary: ChangeSummary,
    /// What it was prepared from.
    pub deployment: Deployment,
}

/// What a change set does to the stack as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There is no stack yet.
    Create,
    /// It exists but does not run, which only a local stack can.
    Restart,
    /// It is ended and started on another port, which only a local stack can.
    Move,
    /// The stack exists.
    Update,
}

/// An operation on a stack that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The stack's name.
    pub stack: StackName,
    /// The stack's own id, which outlives its name; `None` where a name is all there is.
    pub stack_id: Option<String>,
    /// Tells this operation's events from earlier ones; `None` for one that this command has not started.
    pub token: Option<String>,
}

/// How far an operation is, as far as its target can tell without its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was begun.
    NotBegun,
    /// It was begun. The stack may still be described as it was before.
    Begun,
    /// It was begun, and a stack that is described as settled from now on was settled by it.
    Over,
}

/// Whether a stack can be deployed now.
#[derive(Debug)]
pub enum Readiness {
    /// Nothing is in the way.
    Ready,
    /// An operation is running; follow it first.
    Busy(Operation),
    /// The empty remains of an earlier attempt, in this status; delete them first.
    Leftover(StackStatus),
    /// The user must decide something first.
    Stuck(TargetError),
}

/// What becomes of the tables when a stack goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// They stay in the account.
    Keep,
    /// They are deleted with the stack.
    Remove,
}

/// Stacks on a target.
pub trait Stacks {
    /// The stack as it is now, `None` when there is none.
    async fn describe(&self, stack: &StackName) -> Result<Option<Description>, TargetError>;

    /// Finds out what `deployment` would change, changing nothing.
    async fn prepare(&self, deployment: Deployment) -> Result<Prepared, TargetError>;

    /// Starts what `change_set` says and returns at once.
    ///
    /// An answer that was lost is looked for: an error says whether it was started, as far as that is known.
    async fn begin(&self, change_set: &ChangeSet) -> Result<Operation, TargetError>;

    /// Starts deleting the stack and returns at once. Resources in `retained`, by logical id, are left alone, which
    /// a target may only allow after a deletion that failed on them.
    async fn delete(
        &self,
        stack: &StackName,
        data: Data,
        retained: &[String],
    ) -> Result<Operation, TargetError>;

    /// Every stack event of `operation` so far, oldest first; the same ones again in every answer.
    async fn events(&self, operation: &Operation) -> Result<Vec<StackEvent>, TargetError>;

    /// How far an operation of this command is, of which no event was seen.
    async fn phase(&self, operation: &Operation) -> Result<Phase, TargetError>;

    /// Whether this is the first time that events could not be read. Later times are not reported.
    fn is_first_without_events(&self) -> bool;

    /// Waits as long as this target requires between two questions, of which `quiet` in a row brought nothing new.
    async fn pause(&self, quiet: u32);

    /// For how long an operation is followed.
    fn longest(&self) -> Limit;

    /// By which that is measured.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Ends what `operation` has half started, or leaves the target to finish it. The error says which.
    async fn interrupt(&self, operation: &Operation) -> TargetError;
}

/// Stacks that are changed by change sets, which exist before they are executed, and by other tools, too: AWS's. A stack
/// on this machine is compared and reserved instead.
pub trait ChangeSets: Stacks {
    /// Whether `stack` can be deployed now.
    async fn readiness(&self, stack: &StackName) -> Result<Readiness, TargetError>;

    /// Takes back what an unfinished [`Stacks::prepare`] has left behind, if anything.
    async fn abandon(&self);

    /// Takes back `change_set`, and the empty stack that a first one has made.
    async fn discard(&self, change_set: &ChangeSet) -> Result<(), TargetError>;

    /// Starts whatever must happen before the stack's tables can outlive it; `None` when they can already.
    async fn retain_tables(&self, stack: &StackName) -> Result<Option<Operation>, TargetError>;
}

/// One resource of a deployed stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name or id in the account.
    pub physical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
}

/// What a deployed stack consists of.
pub trait Inventory {
    /// The stack's resources that exist, in CloudFormation's order.
    async fn resources(&self, stack: &StackName) -> Result<Vec<Resource>, TargetError>;
}

/// What runs in a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionCode {
    /// SHA-256 of the zip, hexadecimal; empty when the target does not say.
    pub digest: String,
    /// `None` once it can be invoked with this code, else what it waits for or fails on.
    pub trouble: Option<Unready>,
}

/// Why something does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unready {
    /// It will by itself.
    NotYet(String),
    /// It will not.
    Broken(String),
    /// Its own record says so, which may be older than what is served: only a probe can tell.
    Reported(String),
}

/// Deployed functions, by their physical names.
pub trait Functions {
    /// What runs in `function`.
    async fn code(&self, function: &str) -> Result<FunctionCode, TargetError>;

    /// Starts to update the code of `function` to `asset`, bypassing CloudFormation.
    async fn replace_code(&self, function: &str, asset: &Asset) -> Result<(), TargetError>;
}

/// Deployed WebSocket APIs.
pub trait Gateways {
    /// Why `stage` of the API does not serve what it should, as far as its own record says.
    async fn stage_trouble(
        &self,
        api: &str,
        stage: &StageName,
    ) -> Result<Option<Unready>, TargetError>;

    /// The WebSocket URL of `stage` of the API; `None` when there is no such API.
    async fn endpoint(&self, api: &str, stage: &StageName) -> Result<Option<String>, TargetError>;
}
