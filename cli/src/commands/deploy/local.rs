//! To this machine.

use std::time::Duration;

use super::{DeployArgs, build, print, probe, publish};
use crate::commands::or_interrupted;
use crate::commands::plan::{self, Place};
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::{self, Change, ChangeSet, Deployment, Prepared, limits};
use chatctl_deploy::local::{LocalTarget, secrets};
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::page::{PageProof, beside, page_settings};
use chatctl_deploy::stack::render::{output, render};

/// Nothing here is slow to spread; a cold machine may be slow to start processes.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
) -> Result<(), CommandError> {
    settings.check_keys()?;
    let target = LocalTarget::new(&settings.folder, args.port.or(settings.local_port))
        .showing(page_settings(
            settings,
            RequiredIdentity::of(settings),
            PageProof::of(settings),
            None,
        ))
        .with_references(secrets::values(settings)?);
    if let Ok(None) = target.status(&settings.stack).await {
        let state = target.state_folder(&settings.stack);
        let place = Place::Background(std::path::absolute(&state).unwrap_or(state));
        plan::tell(terminal, settings, args.handlers.as_deref(), &place)?;
    }
    let _reserved = target.reserve(&settings.stack)?;
    if let Some((pid, endpoint)) = target.left_behind(&settings.stack)? {
        terminal.warn(&format!(
            "process {pid} still serves {endpoint} for this stack, whose folder was removed: it is ended; its table data went with the folder"
        ));
        or_interrupted(target.end_left_behind(&settings.stack)).await?;
    }
    let mut reporter = terminal.reporter();
    let publishing = async {
        let built = build(settings, args.handlers.as_deref(), &mut reporter).await?;
        publish(settings, &target, &built, &mut reporter).await
    };
    let code = or_interrupted(publishing).await?;
    let deployment = Deployment::new(settings.stack.clone(), render(settings), code);
    let outputs = match engine::prepare(&target, deployment, &mut reporter).await? {
        Prepared::NoChanges(outputs) => outputs,
        Prepared::ChangeSet(change_set) => {
            agree(&change_set, terminal, args.yes).await?;
            engine::execute(&target, &change_set, &mut reporter).await?
        }
    };
    let url = outputs.get(output::URL).cloned().unwrap_or_default();
    if !args.no_probe
        && let Err(error) = probe(&url, settings, limits::scaled(PATIENCE), &mut reporter).await
    {
        // A process that does not answer at all explains more than what is missing in consequence.
        target.status(&settings.stack).await?;
        return Err(error.or_hint(target.clues(&settings.stack)));
    }
    drop(reporter);
    let next = "`chatctl status --local` tells what runs, `chatctl teardown --local` ends it";
    print(terminal, settings, &url, Some(&beside(&url)), next)
}

/// Asks before data is lost; anything else can be taken back.
async fn agree(change_set: &ChangeSet, terminal: Terminal, yes: bool) -> Result<(), CommandError> {
    match change_set.change {
        Change::Restart => terminal.say(
            "          the stack was deployed before but does not run; starting it with its data",
        ),
        Change::Move => terminal.say(
            "          the stack changes its port: starting it anew with its data, open connections end",
        ),
        Change::Create | Change::Update => {}
    }
    let lost: Vec<_> = change_set
        .summary
        .lost_tables()
        .map(|change| change.logical_id.as_str())
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    let question = format!(
        "Table {} will be replaced and its items are lost. Go on?",
        lost.join(", ")
    );
    if terminal.confirm(&question, yes).await? {
        return Ok(());
    }
    Err(CommandError::usage(
        "declined, nothing was changed",
        "see what would change with `chatctl render`",
    ))
}
