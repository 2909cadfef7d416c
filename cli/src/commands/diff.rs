//! `chatctl diff`

use std::cell::RefCell;

use serde_json::json;

use super::aws::{build, marked, moved, processor};
use super::waits::asked;
use super::{AwsArgs, Context, HandlersArgs, Run, StackArgs, named, or_interrupted, quota};
use crate::error::CommandError;
use crate::terminal::{AnyReporter, Output, Terminal};
use chatctl_deploy::aws::{AwsAccount, AwsTarget};
use chatctl_deploy::engine::{self, CloudOptions, TargetError, silence};
use chatctl_deploy::stack::outline::outline;
use chatctl_deploy::stack::overlay::Additions;

/// Show what `deploy` would change on AWS, property by property, and change nothing
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::diff_help())]
pub(super) struct DiffArgs {
    /// Exit with 5 when something would change
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    handlers: HandlersArgs,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for DiffArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let reporter = RefCell::new(context.terminal.progress());
        silence::reporting(&reporter, diff(&self, context.terminal, &reporter)).await
    }
}

async fn diff(
    args: &DiffArgs,
    terminal: Terminal,
    shared: &RefCell<AnyReporter>,
) -> Result<(), CommandError> {
    let mut reporter = shared;
    let settings = args.stack.settings(None, Some(&args.aws))?;
    settings.check_keys()?;
    quota::check(&settings)?;
    let connecting = async {
        let target = AwsTarget::connect(&settings.aws).await?;
        let identity = target.identity().await?;
        target.check_account(&identity)?;
        let naming = named::find(&settings, &target).await?;
        Ok::<_, TargetError>((AwsAccount::new(target, identity), naming))
    };
    let (account, naming) = or_interrupted(asked(connecting)).await?;
    let source = args.handlers.source();
    let record = or_interrupted(asked(account.target.stacks.record(&settings.stack))).await?;
    let deployed = record.as_ref().and_then(processor);
    let building = build(&settings, source, deployed, &mut reporter);
    let built = or_interrupted(building).await?;
    let options = CloudOptions {
        tags: settings.aws.rules.tags.clone(),
        ..CloudOptions::default()
    };
    let previewing = engine::preview(
        &account,
        &settings,
        &naming,
        &options,
        &built,
        &mut reporter,
    );
    let summary = previewing.await?;
    let additions = Additions::from_settings(&settings);
    let summary = marked(additions.as_ref(), summary);
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result", "stack": settings.stack, "changed": summary.is_some(), "summary": summary,
        }));
    } else if let Some(summary) = &summary {
        for line in additions
            .iter()
            .map(Additions::reported)
            .chain(outline(summary))
        {
            terminal.result_text(&line);
        }
        if let Some(text) = moved(&settings, source, deployed, &built) {
            terminal.warn(&text);
        }
        terminal.say(&format!("\n{summary}"));
    } else {
        terminal.say(&format!(
            "nothing would change in stack `{}`",
            settings.stack
        ));
    }
    if args.exit_code && summary.is_some() {
        return Err(CommandError::different());
    }
    Ok(())
}
