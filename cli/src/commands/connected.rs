//! A deployed chat as clients meet it: where it answers, and what they must say.

use super::aws::{endpoint, not_deployed};
use super::or_interrupted;
use super::waits::asking;
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::chain;
use chatctl_deploy::local::LocalTarget;
use chatctl_deploy::stack::connect::RequiredIdentity;

/// A chat as clients meet it. The config may have changed since it was deployed, so none of this is from there.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) url: String,
    pub(super) introduction: RequiredIdentity,
}

/// The chat that runs on this machine (`local`) or on AWS under the name in `settings`.
///
/// # Errors
/// There is no such stack, or it does not run.
pub(super) async fn deployed(
    terminal: Terminal,
    settings: &Settings,
    local: bool,
) -> Result<Deployed, CommandError> {
    if !local {
        return or_interrupted(asking(terminal, on_aws(terminal, settings))).await;
    }
    let target = LocalTarget::new(&settings.folder, None);
    let Some(status) = target.status(&settings.stack).await? else {
        return Err(super::status::not_running(&target, &settings.stack)?);
    };
    let template = target.running_template(&settings.stack)?;
    let introduction = template.map_or_else(
        || RequiredIdentity::of(settings),
        |template| RequiredIdentity::from_deployed(&template),
    );
    Ok(Deployed {
        url: status.endpoint,
        introduction,
    })
}

/// The URL is from the stack's outputs; else, for a stack that has lost them, from its API.
async fn on_aws(terminal: Terminal, settings: &Settings) -> Result<Deployed, CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    let not_there = || not_deployed(settings, &target.region);
    let record = target.stacks.record(&settings.stack).await?;
    let outputs = record.ok_or_else(not_there)?.outputs;
    let url = endpoint(settings, &target, &outputs).await?;
    let url = url.ok_or_else(not_there)?;
    let introduction = match target.stacks.deployed_template(&settings.stack).await {
        Ok(template) => RequiredIdentity::from_deployed(&template),
        Err(error) => {
            terminal.warn(&format!(
                "{}; who has to say a name is taken from the config instead",
                chain(&error)
            ));
            RequiredIdentity::of(settings)
        }
    };
    Ok(Deployed { url, introduction })
}
