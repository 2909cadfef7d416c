//! `chatctl render`

use super::StackArgs;
use crate::error::CommandError;
use crate::stack::render::render;
use crate::terminal::{Output, escaped};

/// Print the CloudFormation template
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct RenderArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// The template's notation; both are the same document [default: yaml, with `--output json` json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Yaml,
    Json,
}

pub(super) fn run(args: RenderArgs) -> Result<(), CommandError> {
    let template = render(&args.stack.settings(None, None)?);
    let terminal = args.stack.terminal();
    let text = match (args.format, terminal.output) {
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
