//! `chatctl deploy`

mod aws;
mod local;
mod proof;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::tokens::Prover;
use super::web::PageHint;
use super::{Context, PeopleArgs, Run, StackArgs, TargetArgs, or_interrupted};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal, megabytes};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::probe::Pass;
use chatctl_deploy::engine::{self, Asset, AssetStore, DeployEvent, Reporter, Step};
use chatctl_deploy::packaging::{self, Built, Executable};
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::few::few;

/// Build the handlers, deploy the stack, prove that it answers, print the connect commands
///
/// Running it again changes what has changed, and follows what is still running. On AWS it first shows what will
/// change and asks. On this machine (`--local`) the stack runs in the background: connections stay open over an
/// update, and table data stays.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::of_deploy())]
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
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["local", "yes"])]
    dry_run: bool,
    /// When only handlers have changed, put them into the functions directly, past the stack
    #[arg(long, conflicts_with_all = ["local", "dry_run"])]
    hotswap: bool,
    /// CloudFormation's express mode: done once everything is configured, before it is ready; the probe then waits
    #[arg(long, conflicts_with = "local")]
    express: bool,
    /// A tag for the stack and its resources; can be repeated. Replaces all that it had; without one they stay
    #[arg(long, value_name = "KEY=VALUE", value_parser = chatctl_deploy::stack::tags::tag, conflicts_with = "local")]
    tag: Vec<(String, String)>,
    /// Have AWS refuse to delete the stack; `--protect=false` lifts that
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "local")]
    protect: Option<bool>,
    /// The local port [default: chosen once and kept]
    #[arg(long, value_name = "PORT", requires = "local", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Built handlers to use instead of building them: an executable, or a folder with `bootstrap`
    #[arg(long, value_name = "PATH")]
    handlers: Option<PathBuf>,
    /// Build for a processor whose Rust target does not seem to be installed
    #[arg(long, conflicts_with_all = ["local", "handlers"])]
    skip_target_check: bool,
    /// Do not send probe messages through the deployed chat
    #[arg(long)]
    no_probe: bool,
}

impl Run for DeployArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let settings = self
            .stack
            .settings(Some(&self.people), Some(&self.target.aws))?;
        tags(&self)?;
        if self.target.local {
            local::run(&self, context.terminal, &settings).await
        } else {
            aws::run(&self, context.terminal, &settings).await
        }
    }
}

/// The tags that are asked for, by their keys.
///
/// # Errors
/// They cannot be those of one stack.
fn tags(args: &DeployArgs) -> Result<BTreeMap<String, String>, CommandError> {
    chatctl_deploy::stack::tags::tags(&args.tag).map_err(|reason| {
        CommandError::usage(
            format!("the tags (`--tag`) cannot be put on a stack: {reason}"),
            "give each key once, with the one value that it is to have",
        )
    })
}

async fn build(
    settings: &Settings,
    prebuilt: Option<&Path>,
    reporter: &mut impl Reporter,
) -> Result<Built<Executable>, CommandError> {
    if !settings.has_functions() {
        return Ok(Built::new());
    }
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Build));
    let built = packaging::executables(settings, prebuilt, reporter).await?;
    let sizes = built
        .values()
        .map(|executable| format!("{} {}", executable.name, megabytes(executable.size)));
    reporter.report(&DeployEvent::Finished {
        step: Step::Build,
        detail: few(&sizes.collect::<Vec<_>>()),
        took: started.elapsed(),
    });
    Ok(built)
}

/// Publishes everything that was built; what is the same under two names is sent once.
async fn publish<S: AssetStore>(
    settings: &Settings,
    store: &S,
    built: &Built<S::Handlers>,
    reporter: &mut impl Reporter,
) -> Result<Built<Asset>, CommandError> {
    if built.is_empty() {
        return Ok(Built::new());
    }
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Publish));
    let mut assets = Built::new();
    for (parameter, handlers) in built {
        let asset = store.publish(&settings.stack, handlers).await?;
        assets.insert(parameter.clone(), asset);
    }
    reporter.report(&DeployEvent::Finished {
        step: Step::Publish,
        detail: published(&assets),
        took: started.elapsed(),
    });
    Ok(assets)
}

/// What was sent, in a few words.
fn published(assets: &Built<Asset>) -> String {
    let processor = assets
        .values()
        .next()
        .map_or("", |asset| asset.architecture);
    let (there, sent): (Vec<&Asset>, Vec<_>) =
        assets.values().partition(|asset| asset.already_there);
    let size = |assets: &[&Asset]| megabytes(assets.iter().map(|asset| asset.size).sum());
    match (there.len(), sent.len()) {
        (0, _) => format!("{} for {processor}, sent", size(&sent)),
        (_, 0) => format!("{} for {processor}, already there", size(&there)),
        (there, many) => format!(
            "{} for {processor}, {many} of {} sent, the rest already there",
            size(&sent),
            there + many
        ),
    }
}

async fn probe(
    url: &str,
    settings: &Settings,
    patience: Duration,
    reporter: &mut impl Reporter,
) -> Result<(), CommandError> {
    let started = Instant::now();
    reporter.report(&DeployEvent::Started(Step::Probe));
    let (said, routes) = (&settings.handshake(), &settings.routes);
    let prover = Prover::new(settings, settings.auth.mode())?;
    let mint = |name: &str| prover.short(name);
    let detail = if !settings.has_own_functions() {
        or_interrupted(engine::probe::probe_gateway(url, said, routes, patience)).await?
    } else {
        let pass = match &prover {
            Prover::Claimed => Some(Pass::Claims),
            Prover::Here(_) => Some(Pass::Tokens(&mint)),
            Prover::Elsewhere | Prover::Issuer { .. } => None,
        };
        match pass {
            Some(pass) => {
                or_interrupted(engine::probe::probe(url, said, pass, routes, patience)).await?
            }
            None => or_interrupted(engine::probe::probe_locked(url, said, patience)).await?,
        }
    };
    reporter.report(&DeployEvent::Finished {
        step: Step::Probe,
        detail,
        took: started.elapsed(),
    });
    Ok(())
}

/// Prints how to connect; `page` is where a browser finds the page, if it is served already.
///
/// # Errors
/// A private key cannot be used.
fn print(
    terminal: Terminal,
    settings: &Settings,
    url: &str,
    page: Option<&str>,
    next: &str,
) -> Result<(), CommandError> {
    let introduction = RequiredIdentity::of(settings);
    let prover = Prover::new(settings, settings.auth.mode())?;
    let commands = prover.commands(url, settings, introduction, false)?;
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result",
            "stack": settings.stack,
            "stage": settings.stage,
            "endpoint": url,
            "connectCommands": commands,
            "page": page,
        }));
        return Ok(());
    }
    if let Some(advice) = prover.advice(settings) {
        terminal.say(&format!("\n{advice}"));
    }
    terminal.say("\nPaste one line into each of two terminals (wscat: `npm install -g wscat`):");
    for command in commands {
        terminal.result(&command.command);
    }
    super::chat::hint(terminal, settings, introduction, "");
    let hint = PageHint::new(page, &prover, &[None, None]);
    super::web::hint(terminal, settings, introduction, &hint);
    terminal.hint(&format!("\n{next}"));
    Ok(())
}
