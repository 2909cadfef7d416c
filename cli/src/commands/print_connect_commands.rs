//! `chatctl print-connect-commands`

use super::aws::{endpoint, not_deployed};
use super::{PeopleArgs, StackArgs, TargetArgs, or_interrupted};
use crate::aws::AwsTarget;
use crate::config::Settings;
use crate::error::CommandError;
use crate::local::LocalTarget;
use crate::stack::connect::{Introduction, connect_commands};
use crate::stack::page::beside;
use crate::terminal::{Output, Terminal};

/// Print the commands that connect two terminals, one a line
#[derive(Debug, clap::Args)]
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
    let url = url(&settings, args.target.local).await?;
    let commands = connect_commands(
        &url,
        &settings.from,
        &settings.to,
        Introduction::of(&settings),
    );
    if terminal.output == Output::Json {
        terminal.result_json(&commands);
    } else {
        for command in commands {
            terminal.result(&command.command);
        }
        let page = args.target.local.then(|| beside(&url));
        super::chat::hint(terminal, &settings, "");
        super::web::hint(terminal, &settings, page.as_deref());
    }
    Ok(())
}

/// Where clients connect to the stack on this machine (`local`) or on AWS.
///
/// # Errors
/// There is no such stack, or it does not run.
pub(super) async fn url(settings: &Settings, local: bool) -> Result<String, CommandError> {
    if !local {
        return or_interrupted(deployed(settings)).await;
    }
    let target = LocalTarget::new(&settings.folder, None);
    match target.status(&settings.stack).await? {
        Some(status) => Ok(status.endpoint),
        None => Err(super::status::not_running(&target, &settings.stack)?),
    }
}

/// The URL from the stack's outputs; else, for a stack that has lost them, from its API.
async fn deployed(settings: &Settings) -> Result<String, CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    let not_there = || not_deployed(settings, &target.region);
    let record = target.stacks.record(&settings.stack).await?;
    let outputs = record.ok_or_else(not_there)?.outputs;
    endpoint(settings, &target, &outputs)
        .await?
        .ok_or_else(not_there)
}
