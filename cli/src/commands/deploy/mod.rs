//! `chatctl deploy`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::{PeopleArgs, StackArgs, TargetArgs, or_interrupted};
use crate::config::Settings;
use crate::engine::{
    self, AssetStore, Change, ChangeSet, DeployEvent, Deployment, Prepared, Reporter, Stacks, Step,
};
use crate::error::CommandError;
use crate::local::LocalTarget;
use crate::packaging;
use crate::stack::connect::connect_commands;
use crate::stack::render::{output, parameter, render};
use crate::terminal::{Output, Terminal, megabytes};

/// Build the handlers, deploy the stack, prove that it answers, print the connect commands
///
/// Running it again changes what has changed. On this machine (`--local`) the stack runs in the background:
/// connections stay open over an update, and table data stays.
#[derive(Debug, clap::Args)]
pub(super) struct DeployArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    people: PeopleArgs,
    /// Agree beforehand to whatever would be asked
    #[arg(long, short)]
    yes: bool,
    /// The local port [default: chosen once and kept]
    #[arg(long, value_name = "PORT", requires = "local", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Built handlers to use instead of building them: an executable, or a folder with `bootstrap`
    #[arg(long, value_name = "PATH")]
    handlers: Option<PathBuf>,
    /// Do not send probe messages through the deployed chat
    #[arg(long)]
    no_probe: bool,
}

impl DeployArgs {
    pub(super) fn terminal(&self) -> Terminal {
        self.stack.terminal()
    }
}

pub(super) async fn run(args: DeployArgs) -> Result<(), CommandError> {
    args.target.require_local()?;
    let settings = args.stack.settings(Some(&args.people))?;
    let target = LocalTarget::new(&settings.folder, args.port.or(settings.local_port));
    let _reserved = target.reserve(&settings.stack)?;
    deploy(&args, &settings, &target).await
}

/// The walk, for any target.
async fn deploy(
    args: &DeployArgs,
    settings: &Settings,
    target: &(impl Stacks + AssetStore),
) -> Result<(), CommandError> {
    let terminal = args.terminal();
    let mut reporter = terminal.reporter();
    let deployment =
        or_interrupted(build_and_publish(args, settings, target, &mut reporter)).await?;
    let outputs = match engine::prepare(target, deployment, &mut reporter).await? {
        Prepared::NoChanges(outputs) => outputs,
        Prepared::ChangeSet(change_set) => {
            agree(&change_set, terminal, args.yes)?;
            engine::execute(target, &change_set, &mut reporter).await?
        }
    };
    let url = outputs.get(output::URL).cloned().unwrap_or_default();
    if !args.no_probe {
        or_interrupted(probe(&url, settings, &mut reporter)).await?;
    }
    drop(reporter);
    print(terminal, settings, &url);
    Ok(())
}

async fn build_and_publish(
    args: &DeployArgs,
    settings: &Settings,
    target: &impl AssetStore,
    reporter: &mut impl Reporter,
) -> Result<Deployment, CommandError> {
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Build));
    let artifact = packaging::package(settings, args.handlers.as_deref(), reporter).await?;
    let detail = format!("handlers {}", megabytes(artifact.size));
    reporter.report(&DeployEvent::Finished {
        step: Step::Build,
        detail,
        took: started.elapsed(),
    });
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Publish));
    let asset = target.publish(&settings.stack, &artifact).await?;
    let detail = if asset.already_there {
        "already there"
    } else {
        "done"
    }
    .to_owned();
    reporter.report(&DeployEvent::Finished {
        step: Step::Publish,
        detail,
        took: started.elapsed(),
    });
    let parameters = BTreeMap::from([
        (parameter::CODE_BUCKET.to_owned(), asset.bucket.clone()),
        (parameter::CODE_KEY.to_owned(), asset.key.clone()),
        (
            parameter::ARCHITECTURE.to_owned(),
            architecture().to_owned(),
        ),
    ]);
    Ok(Deployment {
        stack: settings.stack.clone(),
        template: render(settings),
        parameters,
        asset,
    })
}

/// This machine's processor in Lambda's words.
fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

/// Asks before data is lost; anything else can be taken back.
fn agree(change_set: &ChangeSet, terminal: Terminal, yes: bool) -> Result<(), CommandError> {
    if change_set.change == Change::Restart {
        terminal.say(
            "          the stack was deployed before but does not run; starting it with its data",
        );
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
    if terminal.confirm(&question, yes)? {
        return Ok(());
    }
    Err(CommandError::usage(
        "declined, nothing was changed",
        "see what would change with `chatctl render`",
    ))
}

async fn probe(
    url: &str,
    settings: &Settings,
    reporter: &mut impl Reporter,
) -> Result<(), CommandError> {
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Probe));
    let detail = engine::probe::probe(url, &settings.routes).await?;
    reporter.report(&DeployEvent::Finished {
        step: Step::Probe,
        detail,
        took: started.elapsed(),
    });
    Ok(())
}

fn print(terminal: Terminal, settings: &Settings, url: &str) {
    let commands = connect_commands(url, &settings.from, &settings.to);
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result",
            "stack": settings.stack,
            "stage": settings.stage,
            "endpoint": url,
            "connectCommands": commands,
        }));
        return;
    }
    terminal.say(
        "\nPaste one line into each of two terminals (`npm install -g wscat` if it is missing):",
    );
    for command in commands {
        terminal.result(&command.command);
    }
    terminal.hint("\n`chatctl status --local` tells what runs, `chatctl teardown --local` ends it");
}
