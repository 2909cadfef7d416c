//! To this machine.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::proof::probe;
use super::steps::LocalSteps;
use super::{DeployRequest, build, publish};
use crate::config::names::StackName;
use crate::engine::event::Reporter;
use crate::engine::execute::{DeployError, execute, no_answer};
use crate::engine::limits::{self, Share};
use crate::engine::prepare::prepare_here;
use crate::engine::probe::ProbeError;
use crate::engine::target::{AssetStore, Deployment, Prepared, Stacks};
use crate::engine::target_error::{TargetError, or_interrupted};
use crate::stack::overlay::LocalTemplate;
use crate::stack::render::output;

/// Nothing here is slow to spread; a cold machine may be slow to start processes.
const PROBING: Duration = Duration::from_secs(5);

/// A machine that runs stacks in the background.
pub trait Machine: Stacks + AssetStore {
    /// Whether a process runs `stack`, also where more than that cannot be found out.
    ///
    /// # Errors
    /// The process does not respond in all of the time that a command waits for one.
    async fn is_running(&self, stack: &StackName) -> Result<bool, TargetError>;

    /// Excludes other commands from `stack` until the returned value is dropped.
    ///
    /// # Errors
    /// Another command holds the stack.
    fn reserve(&self, stack: &StackName) -> Result<impl Sized, TargetError>;

    /// Whether another command holds `stack`; makes no file.
    ///
    /// # Errors
    /// The stack's files cannot be read.
    fn is_reserved(&self, stack: &StackName) -> Result<bool, TargetError>;

    /// The process of `stack` that still runs although its folder was removed.
    ///
    /// # Errors
    /// The stack's files cannot be read.
    fn left_behind(&self, stack: &StackName) -> Result<Option<LeftBehind>, TargetError>;

    /// Ends a process that [`Machine::left_behind`] finds.
    ///
    /// # Errors
    /// It does not end.
    async fn end_left_behind(&self, stack: &StackName) -> Result<(), TargetError>;

    /// What may be the reason that the chat of `stack` does not answer, `None` where nothing shows it. For `silent` it has
    /// not answered already.
    ///
    /// # Errors
    /// The process cannot be asked.
    async fn diagnose(
        &self,
        stack: &StackName,
        silent: Duration,
    ) -> Result<Option<String>, TargetError>;
}

/// A process whose stack has lost its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// Its id.
    pub pid: u32,
    /// The endpoint that it serves.
    pub endpoint: String,
}

/// Deploys to this machine, as `here` says: the reservation, the build, publishing, the change, the proof. Returns the chat's
/// URL.
///
/// # Errors
/// Those of each step; [`DeployError::Unproven`] when the stack runs and does not answer.
pub async fn deploy_here<M: Machine>(
    machine: &M,
    steps: &impl LocalSteps<Handlers = M::Handlers>,
    request: &DeployRequest<'_>,
    here: LocalTemplate,
    reporter: &mut impl Reporter,
) -> Result<String, DeployError> {
    let settings = request.settings;
    let stack = &settings.stack;
    let untouched = |error: TargetError| error.leaving("nothing that runs was changed");
    let asking = or_interrupted(machine.is_running(stack)).await;
    if !asking.map_err(untouched)? {
        steps.announce(&())?;
    }
    if let Some(notice) = settings.without_effect_here() {
        steps.warn(&notice);
    }
    let _reserved = machine.reserve(stack)?;
    let left_behind = machine.left_behind(stack)?;
    if let Some(LeftBehind { pid, endpoint }) = &left_behind {
        steps.warn(&format!(
            "process {pid} still serves {endpoint} for this stack, whose folder was removed: it is ended; its table data went with the folder"
        ));
        or_interrupted(machine.end_left_behind(stack))
            .await
            .map_err(|error| error.leaving("nothing was deployed; that process may have ended"))?;
    }
    let untouched = |error: TargetError| match &left_behind {
        Some(LeftBehind { pid, .. }) => {
            let ended = format!("process {pid}, which was left behind, was ended");
            error
                .after(|| ended)
                .leaving("nothing else that runs was changed")
        }
        None => untouched(error),
    };
    let work = async |reporter: &mut _| steps.build(&(), reporter).await;
    let building = build(settings, reporter, work, |built| steps.built(built));
    let handlers = or_interrupted(building).await.map_err(untouched)?;
    if let Some(reported) = here.reported() {
        steps.warn(&reported);
    }
    // The question between them is not counted.
    let share = Share::new(limits::HERE);
    let late = |minutes| no_answer("come to the end of the deployment", stack, minutes);
    let publishing = or_interrupted(publish(machine, stack, &handlers, reporter));
    let code = share.within(publishing, late).await.map_err(untouched)?;
    let deployment = Deployment::new(stack.clone(), here.template, code);
    let preparing = prepare_here(machine, deployment, reporter);
    let prepared = share.within(preparing, late).await;
    let outputs = match prepared.map_err(untouched)? {
        Prepared::NoChanges(outputs) => outputs,
        Prepared::ChangeSet(change_set) => {
            let agreed = steps.agree(&(), &handlers, &change_set).await;
            if !agreed.map_err(untouched)? {
                let hint = "see what would change with `chatctl render`";
                return Err(TargetError::declined(hint).into());
            }
            let executing = execute(machine, &change_set, reporter);
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
        match probe(&url, settings, credential, timeout, reporter).await {
            Err(DeployError::Unproven(mut unproven)) => {
                let silent = match unproven.error {
                    ProbeError::NoAnswer { .. } => began.elapsed().min(timeout),
                    _ => Duration::ZERO,
                };
                unproven.known = machine.diagnose(stack, silent).await?;
                Err(DeployError::Unproven(unproven))
            }
            probed => probed,
        }
    };
    let proven = share.within(proving, |minutes| late(minutes).into());
    let unproven = format!("stack `{stack}` runs, only the proof that it answers is missing");
    proven.await.map_err(|error| {
        error
            .leaving("`chatctl print-connect-commands --local` prints how to connect")
            .after(|| unproven)
    })?;
    Ok(url)
}
