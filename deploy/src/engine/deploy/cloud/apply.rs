//! From the built handlers to the proof.

use std::collections::BTreeMap;

use super::{CloudOptions, Content};
use crate::engine::again::execute_with_second_try;
use crate::engine::deploy::account::Account;
use crate::engine::deploy::{DeployRequest, publish};
use crate::engine::event::{DeployEvent, Reporter};
use crate::engine::execute::DeployError;
use crate::engine::hotswap::hotswap;
use crate::engine::limits;
use crate::engine::prepare::prepare;
use crate::engine::target::{Asset, ChangeSet, ChangeSets, Deployment, Prepared};
use crate::engine::target_error::{ErrorKind, TargetError, or_interrupted};
use crate::stack::Outputs;
use crate::stack::render::is_code_only;

/// A deployment to `account` from its built handlers to the proof.
#[derive(Debug)]
pub(in crate::engine) struct CloudDeployment<'a, A> {
    pub(in crate::engine) account: &'a A,
    pub(in crate::engine) request: &'a DeployRequest<'a>,
    pub(in crate::engine) options: &'a CloudOptions,
    /// Whether API Gateway's role for logs was made before.
    pub(in crate::engine) has_made_log_role: bool,
}

impl<A: Account> CloudDeployment<'_, A> {
    /// Publishes and applies `content`, unless `agrees` declines its changes, and proves it. Returns the chat's URL and the
    /// stack's outputs.
    ///
    /// # Errors
    /// As for [`super::deploy_to_cloud`].
    pub(in crate::engine) async fn apply(
        &self,
        content: Content<'_, A::Handlers>,
        agrees: impl AsyncFnOnce(&ChangeSet) -> Result<bool, TargetError>,
        reporter: &mut impl Reporter,
    ) -> Result<(String, Outputs), DeployError> {
        let (stack, options) = (&self.request.settings.stack, self.options);
        let left = "no stack was touched; what was published already serves the next deployment";
        let code = self
            .published(&content, reporter)
            .await
            .map_err(|error| error.after(|| left.to_owned()))?;
        let deployment = content.deployment(stack, options, code);
        let code = deployment.code_of_functions();
        let swapped = match options.is_hotswap {
            true => self
                .swap(&deployment, reporter)
                .await
                .map_err(|error| error.leaving(left))?,
            false => None,
        };
        let outputs = match swapped {
            Some(outputs) => outputs,
            None => self.change(deployment, agrees, reporter).await?,
        };
        if let Some(protected) = options.protect {
            let protecting = self.account.stacks().protect(stack, protected).await;
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
        let proving = self.prove(&code, &outputs, reporter);
        let proven = limits::within(limits::PROVING, proving, |minutes| {
            TargetError::late("find out whether what was deployed answers", minutes).into()
        });
        let url = proven.await.map_err(|error| {
            let next = "`chatctl print-connect-commands` prints how to connect";
            error
                .leaving(&format!("{unproven}; {next}"))
                .after(|| unproven)
        })?;
        Ok((url, outputs))
    }

    /// Publishes the handlers, within the time that their upload may take.
    async fn published(
        &self,
        content: &Content<'_, A::Handlers>,
        reporter: &mut impl Reporter,
    ) -> Result<BTreeMap<String, Asset>, TargetError> {
        let (store, stack) = (self.account.store(), &self.request.settings.stack);
        let located = content.located(store, stack).await?;
        let upload = located.values().map(|asset| asset.size).sum();
        let limit = limits::PUBLISHING.and(limits::upload(upload));
        let publishing = publish(store, stack, content.handlers, reporter);
        let publishing = limits::within(limit, publishing, |minutes| {
            TargetError::late("publish the handlers", minutes)
        });
        or_interrupted(publishing).await
    }

    /// Puts new code directly into the functions if code is all that has changed, and answers the stack's outputs.
    async fn swap(
        &self,
        deployment: &Deployment,
        reporter: &mut impl Reporter,
    ) -> Result<Option<Outputs>, DeployError> {
        let stack = &deployment.stack;
        let looking = async {
            let record = self.account.stacks().record(stack).await?;
            let deployed = match &record {
                Some(_) => Some(self.account.stacks().deployed_template(stack).await?),
                None => None,
            };
            Ok::<_, TargetError>(record.zip(deployed))
        };
        let looking = limits::within(limits::ASKING, looking, |minutes| {
            TargetError::late("find out what there is to replace", minutes)
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
        let swapping = hotswap(
            self.account.stacks(),
            self.account.functions(),
            stack,
            &code,
            reporter,
        );
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
        let prepared = prepare(self.account.stacks(), deployment, reporter).await;
        let change_set = match prepared.map_err(|error| error.leaving(taken_back))? {
            Prepared::NoChanges(outputs) => return Ok(outputs),
            Prepared::ChangeSet(change_set) => change_set,
        };
        let agreed = agrees(&change_set).await;
        if !matches!(agreed, Ok(true)) {
            let discarded = self.account.stacks().discard(&change_set).await;
            agreed.map_err(|error| error.leaving(taken_back))?;
            discarded.map_err(|error| {
                error.after(|| {
                    "nothing was changed; what was prepared is still there, and the next deployment removes it".to_owned()
                })
            })?;
            let hint = "`chatctl diff` shows again what would change";
            return Err(match self.has_made_log_role {
                true => {
                    let message = "declined, the chat's own stack was not changed";
                    TargetError::new(ErrorKind::Usage, message).with_hint(hint)
                }
                false => TargetError::declined(hint),
            }
            .into());
        }
        execute_with_second_try(self.account.stacks(), *change_set, reporter).await
    }
}
