//! To this machine.

use std::path::Path;

use super::{DeployArgs, DeployedChat};
use crate::commands::or_interrupted;
use crate::commands::plan::{self, StackLocation};
use crate::commands::tokens::Prover;
use crate::error::CommandError;
use crate::terminal::Terminal;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::{
    self, Change, ChangeSet, DeployRequest, Reporter, TargetError, deploy_here,
};
use chatctl_deploy::local::{LocalTarget, secrets, template_here};
use chatctl_deploy::packaging::{self, Built, Executable};
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::few::few;
use chatctl_deploy::stack::page::{PageProof, beside, page_settings};
use chatctl_deploy::stack::size::megabytes;

pub(super) async fn run(
    args: &DeployArgs,
    terminal: Terminal,
    settings: &Settings,
    prover: &Prover,
) -> Result<DeployedChat, CommandError> {
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
            plan::tell(terminal, settings, args.handlers.prebuilt(), &location)?;
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
    let building = build(settings, args.handlers.prebuilt(), &mut reporter);
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
    Ok(DeployedChat {
        page: Some(beside(&url)),
        url,
        record: None,
        next: "`chatctl status --local` tells what runs, `chatctl teardown --local` ends it",
    })
}

/// Builds what this machine runs.
async fn build(
    settings: &Settings,
    prebuilt: Option<&Path>,
    reporter: &mut impl Reporter,
) -> Result<Built<Executable>, CommandError> {
    let work = async |reporter: &mut _| packaging::executables(settings, prebuilt, reporter).await;
    let built = engine::build(settings, reporter, work, |built| {
        let sizes = built
            .values()
            .map(|executable| format!("{} {}", executable.name, megabytes(executable.size)));
        few(&sizes.collect::<Vec<_>>())
    });
    Ok(built.await?)
}

/// Asks before data is lost; anything else can be taken back.
async fn agree(change_set: &ChangeSet, terminal: Terminal, yes: bool) -> Result<bool, TargetError> {
    match change_set.change {
        Change::Restart => terminal.say(
            "          the stack was deployed before but does not run; it starts with its data",
        ),
        Change::Move => terminal.say(
            "          the stack changes its port: it starts again with its data, and open connections end",
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
