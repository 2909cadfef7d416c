//! `chatctl render`

use super::{AwsArgs, Context, Run, StackArgs};
use crate::error::CommandError;
use crate::terminal::{Output, escaped};
use chatctl_deploy::stack::render::{for_region, render_for_aws};

/// Print the CloudFormation template
///
/// It is the same for all Regions but those of AWS GovCloud (US).
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct RenderArgs {
    /// The template's notation; both are the same document [default: yaml, with `--output json` json]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    stack: StackArgs,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Yaml,
    Json,
}

impl Run for RenderArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let (settings, region) = self.stack.settings_in_region(&self.aws).await?;
        let template = for_region(&render_for_aws(&settings), &region);
        let terminal = context.terminal;
        let text = match (self.format, terminal.output) {
            (Some(Format::Yaml), Output::Json) => {
                return Err(CommandError::usage(
                    "`--format yaml` cannot be answered in JSON",
                    "leave out `--format`, or `--output json`",
                ));
            }
            (Some(Format::Yaml), Output::Text) | (None, Output::Text) => template.to_yaml(),
            (Some(Format::Json), _) | (None, Output::Json) => escaped(&template.to_json()),
        };
        terminal.result(text.trim_end());
        Ok(())
    }
}
