//! `chatctl print-connect-commands`

use super::aws::{endpoint, not_deployed};
use super::waits::asking;
use super::{PeopleArgs, StackArgs, TargetArgs, or_interrupted};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::preflight::story;
use chatctl_deploy::local::LocalTarget;
use chatctl_deploy::stack::connect::{Introduction, connect_commands};
use chatctl_deploy::stack::page::beside;

/// Print the commands that connect two terminals, one a line
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::of_asking())]
pub(super) struct PrintConnectCommandsArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    people: PeopleArgs,
}

impl PrintConnectCommandsArgs {
    pub(super) fn terminal(&self) -> Terminal {
        self.stack.terminal()
    }
}

pub(super) async fn run(args: PrintConnectCommandsArgs) -> Result<(), CommandError> {
    let terminal = args.terminal();
    let settings = args
        .stack
        .settings(Some(&args.people), Some(&args.target.aws))?;
    let Deployed { url, introduction } = deployed(terminal, &settings, args.target.local).await?;
    let commands = connect_commands(&url, &settings, introduction);
    if terminal.output == Output::Json {
        terminal.result_json(&commands);
    } else {
        for command in commands {
            terminal.result(&command.command);
        }
        let page = args.target.local.then(|| beside(&url));
        super::chat::hint(terminal, &settings, introduction, "");
        super::web::hint(terminal, &settings, introduction, page.as_deref());
    }
    Ok(())
}

/// A chat as clients meet it. The config may have changed since it was deployed, so none of this is from there.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) url: String,
    pub(super) introduction: Introduction,
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
        || Introduction::of(settings),
        |template| Introduction::of_deployed(&template),
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
        Ok(template) => Introduction::of_deployed(&template),
        Err(error) => {
            terminal.warn(&format!(
                "{}; who has to say a name is taken from the config instead",
                story(&error)
            ));
            Introduction::of(settings)
        }
    };
    Ok(Deployed { url, introduction })
}
