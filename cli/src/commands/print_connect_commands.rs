//! `chatctl print-connect-commands`

use super::connected::{ConnectedChat, Deployed};
use super::web::PageHint;
use super::{ConnectArgs, Context, Run};
use crate::error::CommandError;
use crate::terminal::Output;
use chatctl_deploy::stack::page::beside;

/// Print the commands that connect two terminals, one a line
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::asking_help())]
pub(super) struct PrintConnectCommandsArgs {
    /// Print tokens in full, good for 12 hours, for people who have no private key
    #[arg(long)]
    with_tokens: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

impl Run for PrintConnectCommandsArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let ConnectedChat {
            settings,
            chat,
            prover,
        } = self.connect.reach(context).await?;
        let Deployed {
            url,
            required,
            origins,
            ..
        } = chat;
        let in_full = self.with_tokens;
        let commands = prover.commands(&url, &settings, required, in_full)?;
        if terminal.output == Output::Json {
            terminal.result_json(&commands);
        } else {
            if let Some(advice) = prover.advice(&settings) {
                terminal.say(&advice);
            }
            for command in commands {
                terminal.result(&command.command);
            }
            let page = self.connect.target.local.then(|| beside(&url));
            super::chat::hint(terminal, &settings, required, "");
            let fragments = match in_full {
                true => prover.fragments(&settings)?,
                false => [None, None],
            };
            let hint = PageHint::new(page.as_deref(), &prover, &fragments, &origins);
            super::web::hint(terminal, &settings, required, &hint);
        }
        Ok(())
    }
}
