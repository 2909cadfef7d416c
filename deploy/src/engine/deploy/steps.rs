//! What a deployment has done outside of the engine: the command shows, asks, and composes what is built and looked at. When
//! each comes is decided by [`super::deploy_to_cloud`] and [`super::deploy_here`].

use std::collections::BTreeMap;

use super::account::Account;
use crate::config::Architecture;
use crate::engine::event::Reporter;
use crate::engine::naming::Naming;
use crate::engine::preflight::Check;
use crate::engine::target::ChangeSet;
use crate::engine::target_error::TargetError;
use crate::stack::change::ChangeSummary;

/// The parts of a deployment to any target that the command has.
pub trait Steps {
    /// What was found out before the build; nothing where nothing is looked up.
    type Found;
    /// Handlers in the form that the target takes.
    type Handlers;

    /// Shows what a new stack will be built from and run, before anything of it is started.
    ///
    /// # Errors
    /// It cannot be built at all.
    fn announce(&self, found: &Self::Found) -> Result<(), TargetError>;

    /// Builds the handlers, by the parameter that names each. It is not called for a stack without functions.
    ///
    /// # Errors
    /// The build fails, or the target could not run what it has made.
    async fn build(
        &self,
        found: &Self::Found,
        reporter: &mut impl Reporter,
    ) -> Result<BTreeMap<String, Self::Handlers>, TargetError>;

    /// What was built, for the reader.
    fn built(&self, handlers: &BTreeMap<String, Self::Handlers>) -> String;

    /// Shows what `change_set` changes, and asks whether to execute it, where that is to be asked.
    ///
    /// # Errors
    /// There is no terminal to ask at, or the user interrupts.
    async fn agree(
        &self,
        found: &Self::Found,
        handlers: &BTreeMap<String, Self::Handlers>,
        change_set: &ChangeSet,
    ) -> Result<bool, TargetError>;
}

/// And those that only a deployment to this machine has, which looks nothing up before the build.
pub trait LocalSteps: Steps<Found = ()> {
    /// Shows what the user must not overlook.
    fn warn(&self, text: &str);
}

/// And those that only a deployment to AWS has.
pub trait CloudSteps: Steps<Found = Found<Self::Account>> {
    /// The account that is deployed to.
    type Account: Account<Handlers = Self::Handlers>;

    /// Looks at everything that could stand in the way; touches nothing. What was found is there when the credentials are.
    async fn look(&self) -> (Vec<Check>, Option<Self::Found>);

    /// Shows what would change, `None` for nothing, where that is all that is wanted.
    fn show(
        &self,
        found: &Self::Found,
        handlers: &BTreeMap<String, Self::Handlers>,
        summary: Option<ChangeSummary>,
    );

    /// Asks whether API Gateway gets a role for logs, which is a setting of the account.
    ///
    /// # Errors
    /// The user declines, or cannot be asked.
    async fn agree_to_log_role(&self, found: &Self::Found) -> Result<(), TargetError>;
}

/// What the checks of a deployment to AWS have found out.
#[derive(Debug)]
pub struct Found<A> {
    /// The account.
    pub account: A,
    /// There is no such stack yet.
    pub is_new: bool,
    /// What the stack's functions run on.
    pub deployed: Option<Architecture>,
    /// What the endpoint's own name needs.
    pub naming: Naming,
    /// Whether API Gateway cannot write the logs that the config asks for.
    pub lacks_log_role: bool,
    /// What the reader should know of the account before agreeing.
    pub cautions: Vec<String>,
}
