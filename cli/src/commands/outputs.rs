//! `chatctl outputs`

use super::aws::not_deployed;
use super::waits::asking;
use super::{Context, Run, StackArgs, TargetArgs};
use crate::error::CommandError;
use crate::terminal::Output;
use chatctl_deploy::aws::AwsTarget;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::Stacks;
use chatctl_deploy::local::LocalTarget;
use chatctl_deploy::stack::Outputs;

/// Print the stack's outputs: endpoint, API id, table name
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::asking_help())]
pub(super) struct OutputsArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for OutputsArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.stack.settings(None, Some(&self.target.aws))?;
        let outputs = if self.target.local {
            let target = LocalTarget::new(&settings.folder, None);
            let description = target.describe(&settings.stack).await?;
            match description.filter(|description| !description.outputs.is_empty()) {
                Some(description) => description.outputs,
                None => return Err(super::status::not_running(&target, &settings.stack)?),
            }
        } else {
            asking(terminal, on_aws(&settings)).await?
        };
        if terminal.output == Output::Json {
            terminal.result_json(&outputs);
        } else {
            for (name, value) in outputs {
                terminal.result(&format!("{name}={value}"));
            }
        }
        Ok(())
    }
}

async fn on_aws(settings: &Settings) -> Result<Outputs, CommandError> {
    let target = AwsTarget::connect(&settings.aws).await?;
    match target.stacks.record(&settings.stack).await? {
        Some(record) => Ok(record.outputs),
        None => Err(not_deployed(settings, &target.region)),
    }
}
