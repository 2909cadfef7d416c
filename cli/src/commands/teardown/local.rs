//! From this machine: what the command shows and asks.

use serde_json::json;

use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::config::names::StackName;
use chatctl_deploy::engine::{
    Data, HereTeardown, LeftBehind, LocalContents, StackHere, TargetError, Teardown, TeardownSteps,
    teardown_here,
};
use chatctl_deploy::local::LocalTarget;

pub(super) async fn run(
    terminal: Terminal,
    settings: &Settings,
    data: Data,
    yes: bool,
) -> Result<(), CommandError> {
    let target = LocalTarget::new(&settings.folder, None);
    let stack = &settings.stack;
    let steps = LocalSteps {
        terminal,
        stack,
        yes,
    };
    let mut reporter = terminal.reporter();
    let done = teardown_here(&target, &steps, stack, data, &mut reporter).await?;
    report(terminal, stack, &done);
    Ok(())
}

struct LocalSteps<'a> {
    terminal: Terminal,
    stack: &'a StackName,
    /// Whether the question is answered beforehand.
    yes: bool,
}

impl TeardownSteps for LocalSteps<'_> {
    fn show(&self, contents: &LocalContents) {
        let stack = self.stack;
        let say = |text: &str| self.terminal.say_before_asking(text, self.yes);
        if let Some(LeftBehind { pid, endpoint }) = &contents.left_behind {
            say(&format!(
                "goes:  process {pid}, which still serves {endpoint} although the stack's folder is gone"
            ));
        }
        match &contents.stack {
            StackHere::Running(activity) => say(&format!(
                "goes:  local stack `{stack}` (functions: {}, open connections: {})",
                activity.functions, activity.connections
            )),
            StackHere::Stopped => say(&format!(
                "goes:  what is left of local stack `{stack}`, which does not run"
            )),
            StackHere::Gone => {}
        }
        match contents.data {
            Some(Data::Keep) => {
                say("stays: table data, physical ids and the port, for the next deployment");
            }
            Some(Data::Remove) => say("goes:  table data"),
            None => {}
        }
    }

    async fn agree(&self) -> Result<bool, TargetError> {
        let question = format!("Tear down local stack `{}`?", self.stack);
        self.terminal.confirm(&question, self.yes).await
    }
}

fn report(terminal: Terminal, stack: &StackName, done: &HereTeardown) {
    let left = match done.keeps_data {
        true => "table data",
        false => "nothing",
    };
    let left = match done.foreign[..] {
        [] => left.to_owned(),
        _ if done.keeps_data => format!("{left}, and what chatctl has not made:"),
        _ => "what chatctl has not made:".to_owned(),
    };
    let paths = done.foreign.iter().map(|path| path.display().to_string());
    let paths: Vec<_> = paths.collect();
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result",
            "stack": stack,
            "removed": done.outcome != Teardown::NothingThere,
            "dataKept": done.keeps_data,
            "left": paths,
        }));
        return;
    }
    terminal.say(&match done.outcome {
        Teardown::NothingThere => format!("there is no local stack `{stack}`; left of it: {left}"),
        Teardown::Done { .. } => format!("local stack `{stack}` is gone; left of it: {left}"),
    });
    for path in paths {
        terminal.say(&format!("left: {path}"));
    }
}
