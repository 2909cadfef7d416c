//! A deployed chat from a client's view: its address, and what a client must send.

use super::aws::{endpoint, not_deployed};
use super::tokens::Prover;
use super::waits::asking;
use super::{ConnectArgs, Context, or_interrupted};
use crate::error::CommandError;
use crate::terminal::Terminal;
use chat_protocol::Mode;
use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::chain;
use chatctl_deploy::local::LocalTarget;
use chatctl_deploy::stack::Template;
use chatctl_deploy::stack::connect::{RequiredIdentity, deployed_mode};
use chatctl_deploy::stack::page::{PageProof, deployed_origins};

/// A chat from a client's view. The config may have changed since it was deployed, so none of this is from there.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) url: String,
    pub(super) required: RequiredIdentity,
    /// How its clients prove their names.
    pub(super) mode: Mode,
    /// The pages that may connect; none stands for all.
    pub(super) origins: Vec<String>,
}

/// A deployed chat with its settings, and with what proves its clients' names.
#[derive(Debug)]
pub(super) struct ConnectedChat {
    pub(super) settings: Settings,
    pub(super) chat: Deployed,
    pub(super) prover: Prover,
}

impl ConnectArgs {
    /// Looks the chat up that the options name.
    ///
    /// # Errors
    /// The config is wrong; there is no such stack, or it does not run; a private key cannot be used.
    pub(super) async fn reach(&self, context: &Context) -> Result<ConnectedChat, CommandError> {
        let settings = self.settings()?;
        let chat = deployed(context.terminal, &settings, self.target.local).await?;
        let prover = Prover::new(&settings, chat.mode)?;
        Ok(ConnectedChat {
            settings,
            chat,
            prover,
        })
    }
}

/// What a template tells of how clients are met.
fn met(template: &Template) -> (RequiredIdentity, Mode, Vec<String>) {
    (
        RequiredIdentity::from_deployed(template),
        deployed_mode(template),
        deployed_origins(template),
    )
}

/// The same as the config has it.
fn planned(settings: &Settings) -> (RequiredIdentity, Mode, Vec<String>) {
    (
        RequiredIdentity::from_settings(settings),
        settings.auth.mode(),
        PageProof::from_settings(settings).origins,
    )
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
    let (required, mode, origins) =
        template.map_or_else(|| planned(settings), |template| met(&template));
    Ok(Deployed {
        url: status.endpoint,
        required,
        mode,
        origins,
    })
}

/// The URL is from the stack's outputs; else, for a stack that has lost them, from its API.
async fn on_aws(terminal: Terminal, settings: &Settings) -> Result<Deployed, CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    let not_there = || not_deployed(settings, &target.region);
    let record = target.stacks.record(&settings.stack).await?;
    let outputs = record.ok_or_else(not_there)?.outputs;
    let url = endpoint(settings, &target, &outputs)
        .await?
        .ok_or_else(not_there)?;
    let (required, mode, origins) = match target.stacks.deployed_template(&settings.stack).await {
        Ok(template) => met(&template),
        Err(error) => {
            terminal.warn(&format!(
                "{}; who has to say a name, and to prove it, is taken from the config instead",
                chain(&error)
            ));
            planned(settings)
        }
    };
    Ok(Deployed {
        url,
        required,
        mode,
        origins,
    })
}
