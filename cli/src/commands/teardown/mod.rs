//! `chatctl teardown`

mod aws;
mod local;

use super::{StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::engine::Data;

/// Remove the stack
///
/// Says what goes and what stays, then asks; on AWS for the stack's name. Ends with what is left. Twice in a row is
/// fine.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::of_teardown())]
pub(super) struct TeardownArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
    /// Agree beforehand
    #[arg(long, short)]
    yes: bool,
    /// Keep the table: on AWS outside of any stack, on this machine for the next deployment
    #[arg(long)]
    keep_data: bool,
}

impl TeardownArgs {
    pub(super) fn terminal(&self) -> Terminal {
        self.stack.terminal()
    }
}

pub(super) async fn run(args: TeardownArgs) -> Result<(), CommandError> {
    let settings = args.stack.settings(None, Some(&args.target.aws))?;
    let data = if args.keep_data {
        Data::Keep
    } else {
        Data::Remove
    };
    if args.target.local {
        local::run(args.terminal(), &settings, data, args.yes).await
    } else {
        aws::run(args.terminal(), &settings, data, args.yes).await
    }
}
