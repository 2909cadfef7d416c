//! What `dev` prints while it runs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::commands::tokens::Prover;
use crate::commands::web::PageHint;
use crate::terminal::{LogColumns, Output, Terminal};
use crate::watch::ChangeBatch;
use chatctl_deploy::config::Settings;
use chatctl_deploy::local::foreground::Reported;
use chatctl_deploy::stack::connect::{ConnectCommand, RequiredIdentity};
use chatctl_deploy::stack::page::{PageProof, beside};

/// Shows the logs and warnings of a running stack.
pub(super) fn tell(
    terminal: Terminal,
    columns: &Arc<Mutex<LogColumns>>,
) -> impl Fn(Reported) + Send + Sync + 'static {
    let columns = Arc::clone(columns);
    move |reported| match reported {
        Reported::Log(entry) => {
            let columns = *columns.lock().expect("no holder of this lock panics");
            terminal.log(columns, &entry);
        }
        Reported::Warning(text) => warning(terminal, &text),
    }
}

/// What of the overlay has no effect here.
pub(super) fn idle(terminal: Terminal, text: Option<&str>) {
    if let Some(text) = text {
        warning(terminal, text);
    }
}

/// The stack warns.
fn warning(terminal: Terminal, text: &str) {
    if terminal.output == Output::Json {
        terminal.result_json(&json!({"type": "warning", "message": text}));
        return;
    }
    terminal.warn_as_step("warning", text);
}

/// The commands that connect to a chat; none for a template of the user's.
pub(super) fn commands(endpoint: &str, settings: Option<&Settings>) -> Vec<ConnectCommand> {
    settings.map_or_else(Vec::new, |settings| {
        let required = RequiredIdentity::from_settings(settings);
        let commands = prover(settings).commands(endpoint, settings, required, false);
        commands.map_or_else(|_only_in_full| Vec::new(), Vec::from)
    })
}

/// How clients prove their names; a private key that cannot be used is as good as none.
fn prover(settings: &Settings) -> Prover {
    Prover::new(settings, settings.auth.mode()).unwrap_or(Prover::Elsewhere)
}

/// It serves at `endpoint`.
pub(super) fn ready(terminal: Terminal, endpoint: &str, settings: Option<&Settings>) {
    let commands = commands(endpoint, settings);
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "ready", "endpoint": endpoint, "connectCommands": commands,
            "page": settings.map(|_| beside(endpoint)),
        }));
        return;
    }
    terminal.result(endpoint);
    if let Some(advice) = settings.and_then(|settings| prover(settings).advice(settings)) {
        terminal.say(&advice);
    }
    for command in &commands {
        terminal.result(&command.command);
    }
    if let Some(settings) = settings {
        let required = RequiredIdentity::from_settings(settings);
        let address = format!(" --url {endpoint}");
        crate::commands::chat::hint(terminal, settings, required, &address);
        let prover = prover(settings);
        let page = beside(endpoint);
        let origins = PageProof::from_settings(settings).origins;
        let hint = PageHint::new(Some(&page), &prover, &[None, None], &origins);
        crate::commands::web::hint(terminal, settings, required, &hint);
    }
    terminal.hint("Ctrl-C stops it");
}

/// Files have changed.
pub(super) fn changed(terminal: Terminal, batch: &ChangeBatch) {
    let paths: Vec<_> = batch.paths.iter().map(|path| shown(path)).collect();
    if terminal.output == Output::Json {
        terminal.result_json(&json!({"type": "changed", "paths": paths}));
        return;
    }
    let more = match paths.len() {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    let first = paths.first().map_or("", String::as_str);
    terminal.step("changed", &format!("{first}{more}"));
}

/// What changed makes no difference to what runs.
pub(super) fn unchanged(terminal: Terminal) {
    if terminal.output == Output::Json {
        terminal.result_json(&json!({"type": "unchanged"}));
    }
    terminal.step("same", "nothing that runs is different");
}

/// The new version serves; a build took `built` of the time since the save.
pub(super) fn served(terminal: Terminal, since: SystemTime, built: Duration) {
    let took = since.elapsed().unwrap_or_default();
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "served",
            "afterSaveMs": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "buildMs": u64::try_from(built.as_millis()).unwrap_or(u64::MAX),
        }));
    }
    let text = format!(
        "{:.2} s after the save, {:.2} s of it for the build",
        took.as_secs_f64(),
        built.as_secs_f64()
    );
    terminal.step("serving", &text);
}

/// As short as the reader's working folder allows.
fn shown(path: &std::path::Path) -> String {
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    let inside = here.ok().and_then(|here| path.strip_prefix(here).ok());
    inside.unwrap_or(path).display().to_string()
}
