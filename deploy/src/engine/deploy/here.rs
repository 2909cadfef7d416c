//! To this machine.

use std::time::Duration;

use super::proof::probe;
use super::{Order, declined, publish};
use crate::config::names::StackName;
use crate::engine::event::Reporter;
use crate::engine::execute::{DeployError, execute};
use crate::engine::limits;
use crate::engine::prepare::prepare_here;
use crate::engine::refusal::{TargetError, or_interrupted};
use crate::engine::target::{AssetStore, ChangeSet, Deployment, Prepared, Stacks};
use crate::stack::render::output;

/// Nothing here is slow to spread; a cold machine may be slow to start processes.
const PROBING: Duration = Duration::from_secs(5);

/// Finds out why a chat does not answer.
pub trait Diagnosis {
    /// What may be the reason that the chat of `stack` does not answer, `None` where nothing shows it.
    async fn diagnose(&self, stack: &StackName) -> Result<Option<String>, TargetError>;
}

/// Deploys `order` to this machine, unless `agrees` says no to its changes. The answer is the chat's URL.
///
/// # Errors
/// Those of each step; [`DeployError::Unproven`] when the stack runs and does not answer.
pub async fn deploy_here<T: Stacks + AssetStore + Diagnosis>(
    target: &T,
    order: Order<'_, T::Handlers>,
    agrees: impl AsyncFnOnce(&ChangeSet) -> Result<bool, TargetError>,
    reporter: &mut impl Reporter,
) -> Result<String, DeployError> {
    let code = or_interrupted(publish(target, &order, reporter)).await?;
    let stack = &order.settings.stack;
    let deployment = Deployment::new(stack.clone(), order.template, code);
    let outputs = match prepare_here(target, deployment, reporter).await? {
        Prepared::NoChanges(outputs) => outputs,
        Prepared::ChangeSet(change_set) => {
            if !agrees(&change_set).await? {
                return Err(declined("see what would change with `chatctl render`").into());
            }
            execute(target, &change_set, reporter).await?
        }
    };
    let url = outputs.get(output::URL).cloned().unwrap_or_default();
    if !order.is_probed {
        return Ok(url);
    }
    let timeout = limits::scaled(PROBING);
    match probe(
        &url,
        order.settings,
        order.pass.at_once(),
        timeout,
        reporter,
    )
    .await
    {
        Err(DeployError::Unproven(mut unproven)) => {
            unproven.known = target.diagnose(stack).await?;
            Err(DeployError::Unproven(unproven))
        }
        probed => probed.map(|()| url),
    }
}
