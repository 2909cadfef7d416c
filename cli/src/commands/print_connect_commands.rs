//! `chatctl print-connect-commands`

use super::{PeopleArgs, StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::local::LocalTarget;
use crate::stack::connect::connect_commands;
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
    args.target.require_local()?;
    let terminal = args.terminal();
    let settings = args.stack.settings(Some(&args.people))?;
    let target = LocalTarget::new(&settings.folder, None);
    let Some(status) = target.status(&settings.stack).await? else {
        return Err(super::status::not_running(&target, &settings.stack)?);
    };
    let commands = connect_commands(&status.endpoint, &settings.from, &settings.to);
    if terminal.output == Output::Json {
        terminal.result_json(&commands);
    } else {
        for command in commands {
            terminal.result(&command.command);
        }
    }
    Ok(())
}
