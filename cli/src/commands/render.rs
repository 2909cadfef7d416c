//! `chatctl render`

use super::StackArgs;
use crate::error::CommandError;
use crate::stack::render::render;

/// Print the CloudFormation template
#[derive(Debug, clap::Args)]
pub(super) struct RenderArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// The template's notation; both are the same document
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Yaml,
    Json,
}

pub(super) fn run(args: RenderArgs) -> Result<(), CommandError> {
    let template = render(&args.stack.settings(None, None)?);
    let text = match args.format {
        Format::Yaml => template.to_yaml(),
        Format::Json => template.to_json(),
    };
    args.stack.terminal().result(text.trim_end());
    Ok(())
}
