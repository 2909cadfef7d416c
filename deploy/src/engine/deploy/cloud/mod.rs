//! To AWS, or to anything that speaks like it.

mod apply;

use std::collections::BTreeMap;

use super::account::Account;
use super::steps::CloudSteps;
use super::{DeployRequest, build};
use crate::config::Settings;
use crate::config::names::StackName;
use crate::engine::event::{Reporter, Step};
use crate::engine::execute::DeployError;
use crate::engine::log_role::make_log_role;
use crate::engine::naming::Naming;
use crate::engine::preflight::judge;
use crate::engine::prepare;
use crate::engine::target::{Asset, AssetStore, ChangeSet, DeployMode, Deployment};
use crate::engine::target_error::{ErrorKind, TargetError, or_interrupted};
use crate::stack::Template;
use crate::stack::change::ChangeSummary;
use crate::stack::render::{output, render_for_account, render_log_role};
pub(in crate::engine) use apply::CloudDeployment;

/// How to deploy to AWS.
#[derive(Debug, Clone, Default)]
pub struct CloudOptions {
    /// Put on the stack; empty leaves its tags as they are.
    pub tags: BTreeMap<String, String>,
    /// What CloudFormation waits for.
    pub mode: DeployMode,
    /// Whether to show what would change, and change nothing.
    pub is_dry_run: bool,
    /// Whether new code is put directly into the functions, where code is all that has changed.
    pub is_hotswap: bool,
    /// Whether AWS is to refuse a deletion of the stack; `None` leaves that as it is.
    pub protect: Option<bool>,
}

/// A chat that was deployed to AWS, and answers unless that was not to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Its URL.
    pub url: String,
    /// What the record of its own name has to lead to, where it has a name and the stack does not make the record.
    pub missing_record: Option<String>,
}

/// Deploys to AWS: checks, the build, the role for logs, publishing, the change, the proof. `None` after a dry run, which ends
/// with what would change.
///
/// # Errors
/// Those of each step, with what was done until then; [`DeployError::Unproven`] when the stack is deployed and does not
/// answer.
pub async fn deploy_to_cloud<S: CloudSteps>(
    steps: &S,
    request: &DeployRequest<'_>,
    options: &CloudOptions,
    reporter: &mut impl Reporter,
) -> Result<Option<Deployed>, DeployError> {
    let settings = request.settings;
    let untouched = |error: TargetError| error.leaving("nothing was touched in AWS");
    let found = or_interrupted(check(steps, reporter))
        .await
        .map_err(untouched)?;
    if found.is_new {
        steps.announce(&found)?;
    }
    let work = async |reporter: &mut _| steps.build(&found, reporter).await;
    let building = build(settings, reporter, work, |built| steps.built(built));
    let handlers = or_interrupted(building).await.map_err(untouched)?;
    let account = &found.account;
    if options.is_dry_run {
        let summary = preview(
            account,
            settings,
            &found.naming,
            options,
            &handlers,
            reporter,
        )
        .await?;
        steps.show(&found, &handlers, summary);
        return Ok(None);
    }
    if found.lacks_log_role {
        steps.agree_to_log_role(&found).await.map_err(untouched)?;
        let template = render_log_role(&settings.aws.rules);
        make_log_role(account.stacks(), template, reporter).await?;
    }
    let deployment = CloudDeployment {
        account,
        request,
        options,
        has_made_log_role: found.lacks_log_role,
    };
    let content = Content {
        template: render_for_account(settings, account.region()),
        parameters: &found.naming.parameters,
        handlers: &handlers,
    };
    let agrees = async |change_set: &ChangeSet| steps.agree(&found, &handlers, change_set).await;
    let applied = deployment.apply(content, agrees, reporter).await;
    let (url, outputs) = applied.map_err(|error| match found.lacks_log_role {
        true => error.beside("API Gateway's role for logs was made, and stays"),
        false => error,
    })?;
    let needs_record = settings.aws.domain.is_some() && !found.naming.has_record;
    let leads_to = outputs.get(output::DOMAIN_TARGET).cloned();
    Ok(Some(Deployed {
        url,
        missing_record: leads_to.filter(|_| needs_record),
    }))
}

/// Finds out what a deployment of `settings` would change, `None` for nothing; changes nothing, and sends no handlers.
///
/// # Errors
/// AWS cannot be asked, or it could not be deployed now.
pub async fn preview<A: Account>(
    account: &A,
    settings: &Settings,
    naming: &Naming,
    options: &CloudOptions,
    handlers: &BTreeMap<String, A::Handlers>,
    reporter: &mut impl Reporter,
) -> Result<Option<ChangeSummary>, DeployError> {
    let content = Content {
        template: render_for_account(settings, account.region()),
        parameters: &naming.parameters,
        handlers,
    };
    let code = content.located(account.store(), &settings.stack).await?;
    let deployment = content.deployment(&settings.stack, options, code);
    // It takes back what it has begun by itself when it is interrupted.
    prepare::preview(account.stacks(), deployment, reporter)
        .await
        .map_err(|error| error.leaving("nothing was changed"))
}

/// Judges everything that could stand in the way.
async fn check<S: CloudSteps>(
    steps: &S,
    reporter: &mut impl Reporter,
) -> Result<S::Found, TargetError> {
    Step::Check
        .run(reporter, async |_| {
            let (checks, found) = steps.look().await;
            let detail = judge(checks)?;
            let found = found.ok_or_else(|| {
                let message = "the checks passed without an identity";
                TargetError::new(ErrorKind::Unexpected, message)
            })?;
            Ok((found, detail))
        })
        .await
}

/// What is deployed.
#[derive(Debug)]
pub(in crate::engine) struct Content<'a, H> {
    pub(in crate::engine) template: Template,
    /// The values of the template's parameters beside those of the code.
    pub(in crate::engine) parameters: &'a BTreeMap<String, String>,
    /// What the functions run, by the parameter that names it.
    pub(in crate::engine) handlers: &'a BTreeMap<String, H>,
}

impl<H> Content<'_, H> {
    /// Where the handlers would be published. Nothing is sent.
    async fn located(
        &self,
        store: &impl AssetStore<Handlers = H>,
        stack: &StackName,
    ) -> Result<BTreeMap<String, Asset>, TargetError> {
        let mut assets = BTreeMap::new();
        for (parameter, handlers) in self.handlers {
            let asset = store.locate(stack, handlers).await?;
            assets.insert(parameter.clone(), asset);
        }
        Ok(assets)
    }

    fn deployment(
        self,
        stack: &StackName,
        options: &CloudOptions,
        code: BTreeMap<String, Asset>,
    ) -> Deployment {
        let mut deployment = Deployment {
            tags: options.tags.clone(),
            mode: options.mode,
            ..Deployment::new(stack.clone(), self.template, code)
        };
        deployment.parameters.extend(self.parameters.clone());
        deployment
    }
}
