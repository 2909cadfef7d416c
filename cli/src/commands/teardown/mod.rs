//! `chatctl teardown`

use serde_json::json;

use super::{StackArgs, TargetArgs};
use crate::engine::{self, Data, Teardown};
use crate::error::CommandError;
use crate::local::LocalTarget;
use crate::terminal::{Output, Terminal};

/// Stop and remove the stack
///
/// Says what goes and what stays, then asks. Twice in a row is fine.
#[derive(Debug, clap::Args)]
pub(super) struct TeardownArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
    /// Agree beforehand
    #[arg(long, short)]
    yes: bool,
    /// Keep table data for the next deployment
    #[arg(long)]
    keep_data: bool,
}

impl TeardownArgs {
    pub(super) fn terminal(&self) -> Terminal {
        self.stack.terminal()
    }
}

pub(super) async fn run(args: TeardownArgs) -> Result<(), CommandError> {
    args.target.require_local()?;
    let terminal = args.terminal();
    let settings = args.stack.settings(None)?;
    let target = LocalTarget::new(&settings.folder, None);
    let data = if args.keep_data {
        Data::Keep
    } else {
        Data::Remove
    };
    let stack = &settings.stack;
    let running = target.status(stack).await?;
    let stopped = target.is_stopped(stack)?;
    let has_data = target.has_data(stack);
    if running.is_none() && !stopped && (!has_data || args.keep_data) {
        finished(terminal, stack.as_ref(), Teardown::NothingThere, has_data);
        return Ok(());
    }
    match &running {
        Some(running) => terminal.say(&format!(
            "goes:  local stack `{stack}` at {} ({} open connections, {} functions)",
            running.endpoint,
            running.connections,
            running.functions.len()
        )),
        None => terminal.say(&format!(
            "goes:  what is left of local stack `{stack}`, which does not run"
        )),
    }
    if has_data {
        terminal.say(match data {
            Data::Keep => "stays: table data, physical ids and the port, for the next deployment",
            Data::Remove => "goes:  table data",
        });
    }
    if !terminal.confirm(&format!("Tear down local stack `{stack}`?"), args.yes)? {
        return Err(CommandError::usage(
            "declined, nothing was changed",
            "`--keep-data` keeps table data",
        ));
    }
    let _reserved = target.reserve(stack)?;
    let outcome = engine::teardown(&target, stack, data, &mut terminal.reporter()).await?;
    finished(
        terminal,
        stack.as_ref(),
        outcome,
        has_data && args.keep_data,
    );
    Ok(())
}

fn finished(terminal: Terminal, stack: &str, outcome: Teardown, kept: bool) {
    let left = if kept { "table data" } else { "nothing" };
    if terminal.output == Output::Json {
        let removed = outcome == Teardown::Done;
        terminal.result_json(
            &json!({"type": "result", "stack": stack, "removed": removed, "dataKept": kept}),
        );
    } else if outcome == Teardown::NothingThere {
        terminal.say(&format!(
            "there is no local stack `{stack}`; left of it: {left}"
        ));
    } else {
        terminal.say(&format!(
            "local stack `{stack}` is gone; left of it: {left}"
        ));
    }
}
