//! `chatctl deploy`: shows, asks, and composes the steps. The engine decides their order.

mod aws;
mod local;
mod log_role;

use std::collections::BTreeMap;

use serde_json::json;

use super::named::Record;
use super::tokens::Prover;
use super::web::PageHint;
use super::{ConnectArgs, Context, HandlersArgs, Run};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::DeployRequest;
use chatctl_deploy::stack::connect::RequiredIdentity;
use chatctl_deploy::stack::page::PageProof;

/// Build the handlers, deploy the stack, prove that it answers, print the connect commands
///
/// Run again, it applies what has changed; an operation that is still running is followed first. On AWS it shows the
/// changes and asks before it makes them. On this machine (`--local`) the stack runs in the background: an update keeps
/// connections open and table data in place.
#[derive(Debug, clap::Args)]
#[command(
    after_help = crate::commands::waits::deploy_help(),
    group = clap::ArgGroup::new("processor").args(["skip_target_check", "local"])
)]
pub(super) struct DeployArgs {
    /// Answer every question with yes, but that about a role for logs (`--log-role`)
    #[arg(long, short)]
    yes: bool,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["local", "yes"])]
    dry_run: bool,
    /// When only handlers have changed, update function code directly, bypassing CloudFormation
    #[arg(long, conflicts_with_all = ["local", "dry_run"])]
    hotswap: bool,
    /// Use CloudFormation's express mode, which ends once every resource is configured; the probe then waits for them
    #[arg(long, conflicts_with = "local")]
    express: bool,
    /// A tag for the stack and its resources, beside those of the config; can be repeated. Replaces all of the stack's tags;
    /// without any they stay
    #[arg(long, value_name = "KEY=VALUE", value_parser = chatctl_deploy::config::tags::tag, conflicts_with = "local")]
    tag: Vec<(String, String)>,
    /// Protect the stack against deletion; `--protect=false` lifts the protection
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "local")]
    protect: Option<bool>,
    /// Agree beforehand that the account gets a role with which API Gateway writes logs, where `access` under `[logs]` needs it
    /// and there is none
    #[arg(long, conflicts_with_all = ["local", "dry_run"])]
    log_role: bool,
    /// The port, with `--local` [default: chosen once and kept]
    #[arg(long, value_name = "PORT", requires = "local", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Send no probe messages through the deployed chat
    #[arg(long)]
    no_probe: bool,
    #[command(flatten)]
    handlers: HandlersArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

impl Run for DeployArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        let settings = self.connect.settings()?;
        let tags = self.tags(&settings)?;
        let is_local = self.connect.target.local;
        if is_local {
            settings.check_keys()?;
        }
        let prover = Prover::new(&settings, settings.auth.mode())?;
        let mint = |name: &str| prover.short(name);
        let request = DeployRequest {
            settings: &settings,
            is_probed: !self.no_probe,
            credential: prover.probe_credential(&mint),
        };
        let outcome = match is_local {
            true => Some(local::run(&self, terminal, &request).await?),
            false => aws::run(&self, terminal, &request, &tags).await?,
        };
        match outcome {
            Some(deployed) => deployed.print(terminal, &settings, &prover),
            None => Ok(()),
        }
    }
}

impl DeployArgs {
    /// The tags that are asked for, by their keys: those of the config, and those of the command, which win.
    ///
    /// # Errors
    /// They cannot be those of one stack.
    fn tags(&self, settings: &Settings) -> Result<BTreeMap<String, String>, CommandError> {
        let is_given = |key: &String| self.tag.iter().any(|(given, _)| given == key);
        let configured = settings
            .aws
            .rules
            .tags
            .iter()
            .filter(|(key, _)| !is_given(key))
            .map(|(key, value)| (key.clone(), value.clone()));
        let all: Vec<_> = configured.chain(self.tag.iter().cloned()).collect();
        chatctl_deploy::config::tags::tags(&all).map_err(|reason| {
            CommandError::usage(
                format!(
                    "the tags (`--tag`, and `tags` under `[aws]`) cannot be put on a stack: {reason}"
                ),
                "give each key once, with the one value that it is to have",
            )
        })
    }
}

/// A chat that was deployed and has answered.
#[derive(Debug)]
struct DeployedChat {
    url: String,
    /// Where a browser finds the page, if it is served already.
    page: Option<String>,
    /// The record that is to be made for the endpoint's name.
    record: Option<Record>,
    /// The commands that come next.
    next: &'static str,
}

impl DeployedChat {
    /// Prints how to connect.
    ///
    /// # Errors
    /// A private key cannot be used.
    fn print(
        &self,
        terminal: Terminal,
        settings: &Settings,
        prover: &Prover,
    ) -> Result<(), CommandError> {
        let page = self.page.as_deref();
        let required = RequiredIdentity::from_settings(settings);
        let commands = prover.commands(&self.url, settings, required, false)?;
        if terminal.output == Output::Json {
            let mut result = json!({
                "type": "result",
                "stack": settings.stack,
                "stage": settings.stage,
                "endpoint": self.url,
                "connectCommands": commands,
                "page": page,
            });
            if let Some(record) = &self.record {
                result["record"] = record.value();
            }
            terminal.result_json(&result);
            return Ok(());
        }
        if let Some(record) = &self.record {
            terminal.say(&format!("\n{}", record.reported()));
        }
        if let Some(advice) = prover.advice(settings) {
            terminal.say(&format!("\n{advice}"));
        }
        terminal
            .say("\nPaste one line into each of two terminals (wscat: `npm install -g wscat`):");
        for command in commands {
            terminal.result(&command.command);
        }
        super::chat::hint(terminal, settings, required, "");
        let origins = PageProof::from_settings(settings).origins;
        let hint = PageHint::new(page, prover, &[None, None], &origins);
        super::web::hint(terminal, settings, required, &hint);
        terminal.hint(&format!("\n{}", self.next));
        Ok(())
    }
}
