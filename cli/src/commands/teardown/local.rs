//! From this machine.

use std::path::PathBuf;

use serde_json::json;

use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::{self, Data, LeftBehind, Machine, Teardown};
use chatctl_deploy::local::LocalTarget;

pub(super) async fn run(
    terminal: Terminal,
    settings: &Settings,
    data: Data,
    yes: bool,
) -> Result<(), CommandError> {
    let target = LocalTarget::new(&settings.folder, None);
    let is_kept = data == Data::Keep;
    let stack = &settings.stack;
    let running = target.status(stack).await?;
    let stopped = target.is_stopped(stack)?;
    let has_data = target.has_data(stack);
    let left = target.left_behind(stack)?;
    if running.is_none() && left.is_none() && !stopped && (!has_data || is_kept) {
        let nothing = Teardown::NothingThere;
        finished(terminal, stack.as_ref(), &nothing, has_data, &[]);
        return Ok(());
    }
    let say = |text: &str| terminal.say_before_asking(text, yes);
    if let Some(LeftBehind { pid, endpoint }) = &left {
        say(&format!(
            "goes:  process {pid}, which still serves {endpoint} although the stack's folder is gone"
        ));
    }
    match &running {
        Some(running) => say(&format!(
            "goes:  local stack `{stack}` (functions: {}, open connections: {})",
            running.functions.len(),
            running.connections
        )),
        None if left.is_some() && !stopped && !has_data => {}
        None => say(&format!(
            "goes:  what is left of local stack `{stack}`, which does not run"
        )),
    }
    if has_data {
        say(match data {
            Data::Keep => "stays: table data, physical ids and the port, for the next deployment",
            Data::Remove => "goes:  table data",
        });
    }
    let question = format!("Tear down local stack `{stack}`?");
    if !terminal.confirm(&question, yes).await? {
        return Err(CommandError::usage(
            "declined, nothing was changed",
            "`--keep-data` keeps table data",
        ));
    }
    target.end_left_behind(stack).await?;
    if left.is_some() && !stopped && !has_data {
        // Even a lock would make its folder anew.
        let done = Teardown::Done { spared: Vec::new() };
        finished(terminal, stack.as_ref(), &done, false, &[]);
        return Ok(());
    }
    let _reserved = target.reserve(stack)?;
    let outcome = engine::teardown_here(&target, stack, data, &mut terminal.reporter()).await?;
    let is_kept = has_data && is_kept;
    finished(terminal, stack.as_ref(), &outcome, is_kept, &target.left());
    Ok(())
}

/// `foreign` is what lies in the stack's folder and was not made by chatctl.
fn finished(terminal: Terminal, stack: &str, outcome: &Teardown, kept: bool, foreign: &[PathBuf]) {
    let left = if kept { "table data" } else { "nothing" };
    let left = match foreign {
        [] => left.to_owned(),
        _ if kept => format!("{left}, and what chatctl has not made:"),
        _ => "what chatctl has not made:".to_owned(),
    };
    let paths = foreign.iter().map(|path| path.display().to_string());
    let paths: Vec<_> = paths.collect();
    if terminal.output == Output::Json {
        let removed = *outcome != Teardown::NothingThere;
        terminal.result_json(
            &json!({"type": "result", "stack": stack, "removed": removed, "dataKept": kept, "left": paths}),
        );
        return;
    }
    terminal.say(&match outcome {
        Teardown::NothingThere => format!("there is no local stack `{stack}`; left of it: {left}"),
        _ => format!("local stack `{stack}` is gone; left of it: {left}"),
    });
    for path in paths {
        terminal.say(&format!("left: {path}"));
    }
}
