//! To this machine.

use super::{DeployArgs, Reported, build, print};
use crate::commands::or_interrupted;
use crate::commands::plan::{self, StackLocation};
use crate::commands::tokens::Prover;
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::{Change, ChangeSet, DeployRequest, TargetError, deploy_here};
use chatctl_deploy::local::{LocalTarget, secrets, template_here};
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::page::{PageProof, beside, page_settings};

pub(super) async fn run(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
) -> Result<(), CommandError> {
    settings.check_keys()?;
    let prover = Prover::new(settings, settings.auth.mode())?;
    let identity = RequiredIdentity::from_settings(settings);
    let target = LocalTarget::new(&settings.folder, args.port.or(settings.local_port))
        .showing(page_settings(
            settings,
            identity,
            PageProof::from_settings(settings),
            None,
        ))
        .with_references(secrets::values(settings)?)
        .hiding(settings.secret_variables());
    match target.status(&settings.stack).await {
        Ok(None) => {
            let state = target.state_folder(&settings.stack);
            let location = StackLocation::Background(std::path::absolute(&state).unwrap_or(state));
            plan::tell(terminal, settings, args.handlers.as_deref(), &location)?;
        }
        // Nothing that follows would end better, and the build would be for nothing.
        Err(error) if target.is_silent() => return Err(error.into()),
        // What else is wrong is found where it matters.
        Ok(Some(_)) | Err(_) => {}
    }
    if let Some(notice) = settings.without_effect_here() {
        terminal.warn(&notice);
    }
    let _reserved = target.reserve(&settings.stack)?;
    if let Some((pid, endpoint)) = target.left_behind(&settings.stack)? {
        terminal.warn(&format!(
            "process {pid} still serves {endpoint} for this stack, whose folder was removed: it is ended; its table data went with the folder"
        ));
        or_interrupted(target.end_left_behind(&settings.stack)).await?;
    }
    let mut reporter = terminal.reporter();
    let building = build(settings, args.handlers.as_deref(), &mut reporter);
    let built = or_interrupted(building).await?;
    let mint = |name: &str| prover.short(name);
    let here = template_here(settings);
    if let Some(reported) = here.reported() {
        terminal.warn(&format!("          {reported}"));
    }
    let request = DeployRequest {
        settings,
        template: here.template,
        handlers: &built,
        is_probed: !args.no_probe,
        credential: prover.probe_credential(&mint),
    };
    let agrees = async |change_set: &ChangeSet| agree(change_set, terminal, args.yes).await;
    let url = deploy_here(&target, request, agrees, &mut reporter).await?;
    drop(reporter);
    let next = "`chatctl status --local` tells what runs, `chatctl teardown --local` ends it";
    let reported = Reported {
        page: Some(beside(&url)),
        record: None,
        next,
    };
    print(terminal, settings, &url, &reported)
}

/// Asks before data is lost; anything else can be taken back.
async fn agree(change_set: &ChangeSet, terminal: Terminal, yes: bool) -> Result<bool, TargetError> {
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
        return Ok(true);
    }
    let question = format!(
        "Table {} will be replaced and its items are lost. Go on?",
        lost.join(", ")
    );
    terminal.confirm(&question, yes).await
}
