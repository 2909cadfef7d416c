//! `chatctl print-connect-commands`

use super::connected::{Deployed, deployed};
use super::{PeopleArgs, StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::stack::connect::connect_commands;
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
