//! `chatctl print-connect-commands`

use super::connected::{Deployed, deployed};
use super::{Context, PeopleArgs, Run, StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::terminal::Output;
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

impl Run for PrintConnectCommandsArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self
            .stack
            .settings(Some(&self.people), Some(&self.target.aws))?;
        let Deployed { url, introduction } =
            deployed(terminal, &settings, self.target.local).await?;
        let commands = connect_commands(&url, &settings, introduction);
        if terminal.output == Output::Json {
            terminal.result_json(&commands);
        } else {
            for command in commands {
                terminal.result(&command.command);
            }
            let page = self.target.local.then(|| beside(&url));
            super::chat::hint(terminal, &settings, introduction, "");
            super::web::hint(terminal, &settings, introduction, page.as_deref());
        }
        Ok(())
    }
}
