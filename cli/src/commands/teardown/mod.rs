//! `chatctl teardown`

mod aws;
mod local;

use super::{Context, Run, StackArgs, TargetArgs};
use crate::error::CommandError;
use chatctl_deploy::engine::Data;

/// Remove the stack
///
/// Lists what will be removed and what will stay, then asks; on AWS for the stack's name. At the end it lists what is
/// left. A second run does no harm.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::teardown_help())]
pub(super) struct TeardownArgs {
    /// Answer every question with yes
    #[arg(long, short)]
    yes: bool,
    /// Keep the table: on AWS outside of any stack, on this machine for the next deployment
    #[arg(long)]
    keep_data: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for TeardownArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        let data = if self.keep_data {
            Data::Keep
        } else {
            Data::Remove
        };
        if self.target.local {
            local::run(context.terminal, &settings, data, self.yes).await
        } else {
            aws::run(context.terminal, &settings, data, self.yes).await
        }
    }
}
