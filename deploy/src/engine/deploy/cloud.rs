//! To AWS, or to anything that speaks like it.

use std::collections::BTreeMap;

use super::{DeployRequest, declined, publish};
use crate::engine::again::execute_with_second_try;
use crate::engine::cloud::{CloudFormation, CloudStacks};
use crate::engine::event::{DeployEvent, Reporter};
use crate::engine::execute::DeployError;
use crate::engine::hotswap::hotswap;
use crate::engine::limits;
use crate::engine::prepare::prepare;
use crate::engine::target::{
    AssetStore, ChangeSet, ChangeSets, DeployMode, Deployment, Functions, Gateways, Prepared,
};
use crate::engine::target_error::{TargetError, or_interrupted};
use crate::stack::Outputs;
use crate::stack::render::is_code_only;

/// What of one account and region takes part in a deployment.
#[derive(Debug)]
pub struct Cloud<'a, C, S, F, G> {
    /// The target's stacks.
    pub stacks: &'a CloudStacks<C>,
    /// Where built handlers are published.
    pub store: &'a S,
    /// The functions, for a swap of their code.
    pub functions: &'a F,
    /// The deployed APIs, for the stage's record.
    pub gateways: &'a G,
}

/// How to deploy to AWS.
#[derive(Debug, Clone, Default)]
pub struct CloudOptions {
    /// Put on the stack; empty leaves its tags as they are.
    pub tags: BTreeMap<String, String>,
    /// The values of the template's parameters beside those of the code.
    pub parameters: BTreeMap<String, String>,
    /// What CloudFormation waits for.
    pub mode: DeployMode,
    /// Whether new code is put directly into the functions, where code is all that has changed.
    pub is_hotswap: bool,
    /// Whether AWS is to refuse a deletion of the stack; `None` leaves that as it is.
    pub protect: Option<bool>,
    /// How many bytes publishing sends at most.
    pub upload: u64,
    /// What may keep a chat in this partition from answering although it is deployed.
    pub obstacle: Option<&'static str>,
}

impl<C: CloudFormation, S: AssetStore, F: Functions, G: Gateways> Cloud<'_, C, S, F, G> {
    /// Deploys `request`, unless `agrees` declines its changes. Returns the chat's URL.
    ///
    /// # Errors
    /// Those of each step, with what was done until then; [`DeployError::Unproven`] when the stack is deployed and does
    /// not answer.
    pub async fn deploy(
        &self,
        request: DeployRequest<'_, S::Handlers>,
        options: &CloudOptions,
        agrees: impl AsyncFnOnce(&ChangeSet) -> Result<bool, TargetError>,
        reporter: &mut impl Reporter,
    ) -> Result<String, DeployError> {
        let stack = request.settings.stack.clone();
        let left = "no stack was touched; what was published already serves the next deployment";
        let limit = limits::PUBLISHING.and(limits::upload(options.upload));
        let publishing =
            limits::within(limit, publish(self.store, &request, reporter), |minutes| {
                TargetError::late("publish the handlers", minutes)
            });
        let code = or_interrupted(publishing)
            .await
            .map_err(|error| error.leaving(left).after(|| left.to_owned()))?;
        let mut deployment = Deployment {
            tags: options.tags.clone(),
            mode: options.mode,
            ..Deployment::new(stack.clone(), request.template.clone(), code)
        };
        deployment.parameters.extend(options.parameters.clone());
        let code = deployment.code_of_functions();
        let swapped = match options.is_hotswap {
            true => self.swap(&deployment, reporter).await?,
            false => None,
        };
        let outputs = match swapped {
            Some(outputs) => outputs,
            None => self.change(deployment, agrees, reporter).await?,
        };
        if let Some(protected) = options.protect {
            let protecting = self.stacks.protect(&stack, protected).await;
            protecting.map_err(|error| {
                error.after(|| {
                    format!(
                        "stack `{stack}` is deployed; whether it may be deleted is as it was before"
                    )
                })
            })?;
        }
        let unproven =
            format!("stack `{stack}` is deployed, only the proof that it answers is missing");
        let proving = self.prove(&request, options, &code, &outputs, reporter);
        let proven = limits::within(limits::PROVING, proving, |minutes| {
            TargetError::late("find out whether what was deployed answers", minutes).into()
        });
        proven.await.map_err(|error| {
            let next = "`chatctl print-connect-commands` prints how to connect";
            error
                .leaving(&format!("{unproven}; {next}"))
                .after(|| unproven)
        })
    }

    /// Puts new code directly into the functions if code is all that has changed, and answers the stack's outputs.
    async fn swap(
        &self,
        deployment: &Deployment,
        reporter: &mut impl Reporter,
    ) -> Result<Option<Outputs>, DeployError> {
        let stack = &deployment.stack;
        let looking = async {
            let record = self.stacks.record(stack).await?;
            let deployed = match &record {
                Some(_) => Some(self.stacks.deployed_template(stack).await?),
                None => None,
            };
            Ok::<_, TargetError>(record.zip(deployed))
        };
        let looking = limits::within(limits::ASKING, looking, |minutes| {
            TargetError::late("find out everything that is needed", minutes)
        });
        let Some((record, deployed)) = or_interrupted(looking).await? else {
            let text = "there is no stack yet: a full deployment";
            reporter.report(&DeployEvent::Notice(text.into()));
            return Ok(None);
        };
        let has_only_new_code = record.status.is_settled()
            && (deployment.tags.is_empty() || deployment.tags == record.tags)
            && is_code_only(
                (&deployed, &record.parameters),
                (&deployment.template, &deployment.parameters),
            );
        if !has_only_new_code {
            let text = "more than the handlers has changed: a full deployment";
            reporter.report(&DeployEvent::Notice(text.into()));
            return Ok(None);
        }
        let code = deployment.code_of_functions();
        let swapping = hotswap(self.stacks, self.functions, stack, &code, reporter);
        limits::within(limits::PROVING, swapping, |minutes| {
            let so_far =
                "some functions may have the new code; the same command again puts it into the rest";
            TargetError::late("put the new code into all functions", minutes)
                .after(|| so_far.to_owned())
        })
        .await?;
        let text =
            "the stack's own record now differs from what runs, until the next `chatctl deploy`";
        reporter.report(&DeployEvent::Notice(text.into()));
        Ok(Some(record.outputs))
    }

    /// Changes the stack, once the change set is agreed to.
    async fn change(
        &self,
        deployment: Deployment,
        agrees: impl AsyncFnOnce(&ChangeSet) -> Result<bool, TargetError>,
        reporter: &mut impl Reporter,
    ) -> Result<Outputs, DeployError> {
        let taken_back =
            "what was being prepared has been taken back, nothing that serves was changed";
        let prepared = prepare(self.stacks, deployment, reporter).await;
        let change_set = match prepared.map_err(|error| error.leaving(taken_back))? {
            Prepared::NoChanges(outputs) => return Ok(outputs),
            Prepared::ChangeSet(change_set) => change_set,
        };
        let agreed = agrees(&change_set).await;
        if !matches!(agreed, Ok(true)) {
            let discarded = self.stacks.discard(&change_set).await;
            agreed.map_err(|error| error.leaving(taken_back))?;
            discarded.map_err(|error| {
                let so_far = "nothing was changed; what was prepared is still there, and the next deployment removes it";
                error.after(|| so_far.to_owned())
            })?;
            return Err(declined("`chatctl diff` shows again what would change").into());
        }
        execute_with_second_try(self.stacks, *change_set, reporter).await
    }
}
