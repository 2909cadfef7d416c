//! To this machine.

use std::time::{Duration, Instant};

use super::proof::probe;
use super::{DeployRequest, declined, publish};
use crate::config::names::StackName;
use crate::engine::event::Reporter;
use crate::engine::execute::{DeployError, execute, no_answer};
use crate::engine::limits::{self, Share};
use crate::engine::prepare::prepare_here;
use crate::engine::probe::ProbeError;
use crate::engine::target::{AssetStore, ChangeSet, Deployment, Prepared, Stacks};
use crate::engine::target_error::{TargetError, or_interrupted};
use crate::stack::render::output;

/// Nothing here is slow to spread; a cold machine may be slow to start processes.
const PROBING: Duration = Duration::from_secs(5);

/// Finds out why a chat does not answer.
pub trait Diagnosis {
    /// What may be the reason that the chat of `stack` does not answer, `None` where nothing shows it. For `silent` it has
    /// not answered already.
    async fn diagnose(
        &self,
        stack: &StackName,
        silent: Duration,
    ) -> Result<Option<String>, TargetError>;
}

/// Deploys `request` to this machine, unless `agrees` declines its changes. Returns the chat's URL.
///
/// # Errors
/// Those of each step; [`DeployError::Unproven`] when the stack runs and does not answer.
pub async fn deploy_here<T: Stacks + AssetStore + Diagnosis>(
    target: &T,
    request: DeployRequest<'_, T::Handlers>,
    agrees: impl AsyncFnOnce(&ChangeSet) -> Result<bool, TargetError>,
    reporter: &mut impl Reporter,
) -> Result<String, DeployError> {
    let stack = &request.settings.stack;
    // The question between them is not counted.
    let share = Share::new(limits::HERE);
    let late = |minutes| no_answer("come to the end of the deployment", stack, minutes);
    let publishing = or_interrupted(publish(target, &request, reporter));
    let code = share.within(publishing, late).await?;
    let deployment = Deployment::new(stack.clone(), request.template, code);
    let preparing = prepare_here(target, deployment, reporter);
    let outputs = match share.within(preparing, late).await? {
        Prepared::NoChanges(outputs) => outputs,
        Prepared::ChangeSet(change_set) => {
            if !agrees(&change_set).await? {
                return Err(declined("see what would change with `chatctl render`").into());
            }
            let executing = execute(target, &change_set, reporter);
            let executed = share.within(executing, |minutes| late(minutes).into());
            executed.await?
        }
    };
    let url = outputs.get(output::URL).cloned().unwrap_or_default();
    if !request.is_probed {
        return Ok(url);
    }
    let timeout = limits::scaled(PROBING);
    let credential = request.credential.at_once();
    let proving = async {
        let began = Instant::now();
        match probe(&url, request.settings, credential, timeout, reporter).await {
            Err(DeployError::Unproven(mut unproven)) => {
                let silent = match unproven.error {
                    ProbeError::NoAnswer { .. } => began.elapsed().min(timeout),
                    _ => Duration::ZERO,
                };
                unproven.known = target.diagnose(stack, silent).await?;
                Err(DeployError::Unproven(unproven))
            }
            probed => probed,
        }
    };
    let proven = share.within(proving, |minutes| late(minutes).into());
    proven.await.map(|()| url)
}
