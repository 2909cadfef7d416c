//! The verbs. A command composes what the other modules compute; dispatch is a table: `verbs!`.

mod aws;
mod background;
mod chat;
mod completions;
mod concurrency;
mod connected;
mod cost;
mod deploy;
mod dev;
mod diff;
mod doctor;
mod eject;
mod init;
mod interrupted;
mod keys;
mod logs;
mod named;
mod operator;
mod outputs;
mod plan;
mod policy;
mod print_connect_commands;
mod quota;
#[cfg(test)]
mod reference;
mod render;
mod rights;
mod status;
mod teardown;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod waits;
mod web;
#[cfg(test)]
mod workflows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::Styles;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::interrupted::{leaving, or_interrupted};
use crate::error::{CommandError, exit};
use crate::terminal::{self, Invocation, Output, Terminal, Volume};
use chatctl_deploy::config::names::{
    EndpointTemplate, PersonName, RegionName, StackName, StageName,
};
use chatctl_deploy::config::{Overrides, Settings};
use chatctl_deploy::engine::requests;
use chatctl_deploy::packaging::Source;
use chatctl_deploy::stack::overlay;

/// Deploys a serverless WebSocket chat, on AWS or on one machine
///
/// Settings come from chatctl.toml in the working folder; without it, the defaults are a complete chat.
#[derive(Debug, Parser)]
#[command(
    name = "chatctl",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    every: EveryArgs,
    #[command(subcommand)]
    command: Command,
}

/// The options of every command.
#[derive(Debug, Args)]
struct EveryArgs {
    /// The format of what the command prints
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        help_heading = EVERY
    )]
    output: Output,
    /// Show each request to AWS, to the chat and to a local stack on stderr, as it ends
    #[arg(long, short, global = true, conflicts_with = "quiet", help_heading = EVERY)]
    verbose: bool,
    /// Show results, warnings, errors and questions only
    #[arg(long, short, global = true, help_heading = EVERY)]
    quiet: bool,
}

impl EveryArgs {
    fn volume(&self) -> Volume {
        match (self.quiet, self.verbose) {
            (true, _) => Volume::Quiet,
            (_, true) => Volume::Verbose,
            (false, false) => Volume::Normal,
        }
    }
}

/// Declares the verbs, each with the arguments that run it.
macro_rules! verbs {
    ($($(#[$attribute:meta])* $verb:ident($arguments:ty),)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$attribute])* $verb($arguments),)*
        }

        impl Command {
            fn run(self, context: &Context) -> Result<(), CommandError> {
                match self {
                    $(Self::$verb(arguments) => run(arguments, context),)*
                }
            }
        }
    };
}

// In the order of `chatctl --help`.
verbs! {
    Deploy(deploy::DeployArgs),
    Diff(diff::DiffArgs),
    Teardown(teardown::TeardownArgs),
    PrintConnectCommands(print_connect_commands::PrintConnectCommandsArgs),
    Status(status::StatusArgs),
    Outputs(outputs::OutputsArgs),
    Doctor(doctor::DoctorArgs),
    Render(render::RenderArgs),
    Policy(policy::PolicyArgs),
    Cost(cost::CostArgs),
    Eject(eject::EjectArgs),
    Init(init::InitArgs),
    Web(web::WebArgs),
    Dev(dev::DevArgs),
    Chat(chat::ChatArgs),
    Logs(logs::LogsArgs),
    Connections(operator::connections::ConnectionsArgs),
    Send(operator::send::SendArgs),
    Kick(operator::kick::KickArgs),
    Token(token::TokenArgs),
    Keys(keys::KeysArgs),
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    ManPages(completions::ManPagesArgs),
}

/// The headings of options that several commands share. Help texts list a command's own options first.
const STACK: &str = "Options of every command about a stack";
const ACCOUNT: &str = "Options for AWS";
const EVERY: &str = "Options of every command";

/// The options of every command about a stack.
#[derive(Debug, Args)]
struct StackArgs {
    /// The config file [default: chatctl.toml, if there is one]
    #[arg(
        long,
        value_name = "FILE",
        env = "CHATCTL_CONFIG",
        hide_env = true,
        help_heading = STACK
    )]
    config: Option<PathBuf>,
    /// The stack's name [default: from the config, else chat]
    #[arg(
        long,
        value_name = "NAME",
        env = "CHATCTL_STACK",
        hide_env = true,
        help_heading = STACK
    )]
    stack: Option<StackName>,
    /// The stage, the last part of the endpoint [default: from the config, else v1]
    #[arg(
        long,
        value_name = "NAME",
        env = "CHATCTL_STAGE",
        hide_env = true,
        help_heading = STACK
    )]
    stage: Option<StageName>,
}

/// The options of the commands that print how to connect.
#[derive(Debug, Args)]
struct ConnectArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    people: PeopleArgs,
}

impl ConnectArgs {
    fn settings(&self) -> Result<Settings, CommandError> {
        self.stack
            .settings(Some(&self.people), Some(&self.target.aws))
    }
}

/// The handlers that a deployment to AWS would have.
#[derive(Debug, Args)]
struct HandlersArgs {
    /// Built handlers to use instead of building them: an executable, or a folder with `bootstrap`
    #[arg(long, value_name = "PATH")]
    handlers: Option<PathBuf>,
    /// Build for a processor whose Rust target does not seem to be installed
    #[arg(long, conflicts_with = "handlers")]
    skip_target_check: bool,
}

impl HandlersArgs {
    fn source(&self) -> Source<'_> {
        Source::from_flags(self.handlers.as_deref(), self.skip_target_check)
    }
}

/// The two people in the connect commands.
#[derive(Debug, Args)]
struct PeopleArgs {
    /// The name of the person at the first terminal [default: from the config, else Tom]
    #[arg(long, value_name = "NAME")]
    from: Option<PersonName>,
    /// The name of the person at the second terminal [default: from the config, else Jerry]
    #[arg(long, value_name = "NAME")]
    to: Option<PersonName>,
}

/// Which target a command is about.
#[derive(Debug, Args)]
struct TargetArgs {
    /// Use this machine instead of AWS: no account, no Docker
    #[arg(long, conflicts_with_all = ["region", "profile"])]
    local: bool,
    #[command(flatten)]
    aws: AwsArgs,
}

/// The account and the Region.
#[derive(Debug, Args)]
struct AwsArgs {
    /// The AWS Region [default: from the config, else AWS_REGION, else the profile's]
    #[arg(long, value_name = "NAME", help_heading = ACCOUNT)]
    region: Option<RegionName>,
    /// The profile in ~/.aws to act as [default: from the config, else AWS_PROFILE, else default]
    #[arg(long, value_name = "NAME", help_heading = ACCOUNT)]
    profile: Option<String>,
    /// Where the deployed API answers, for something that stands in for AWS (with AWS_ENDPOINT_URL), such as
    /// ws://127.0.0.1:4566/_aws/execute-api/{api}/{stage}
    #[arg(
        long,
        value_name = "URL",
        env = "CHATCTL_ENDPOINT_TEMPLATE",
        hide = true
    )]
    endpoint_template: Option<EndpointTemplate>,
}

impl StackArgs {
    fn settings(
        &self,
        people: Option<&PeopleArgs>,
        aws: Option<&AwsArgs>,
    ) -> Result<Settings, CommandError> {
        let overrides = Overrides {
            config: self.config.clone(),
            stack: self.stack.clone(),
            stage: self.stage.clone(),
            from: people.and_then(|people| people.from.clone()),
            to: people.and_then(|people| people.to.clone()),
            region: aws.and_then(|aws| aws.region.clone()),
            profile: aws.and_then(|aws| aws.profile.clone()),
            endpoint: aws.and_then(|aws| aws.endpoint_template.clone()),
        };
        let settings = Settings::load(std::path::Path::new(""), overrides)?;
        overlay::check(&settings)?;
        Ok(settings)
    }
}

/// What every command is given besides its own arguments.
#[derive(Debug)]
struct Context {
    /// Where and in which format the command answers.
    terminal: Terminal,
}

impl Context {
    /// Explains a failure; returns the exit code of `outcome`.
    fn ended(&self, outcome: Result<(), CommandError>) -> ExitCode {
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                self.terminal.failure(&error);
                ExitCode::from(error.exit)
            }
        }
    }
}

/// A command that can be run.
trait Run {
    /// Whether an interruption may end the command wherever it waits. The others come to an end of their own.
    const ENDS_ANYWHERE: bool = false;

    /// Runs the command.
    async fn run(self, context: &Context) -> Result<(), CommandError>;
}

/// Parses, runs, explains.
pub(crate) fn main() -> ExitCode {
    if let Some(process) = background::Process::from_arguments(std::env::args_os().skip(1)) {
        return process.run();
    }
    let parsed = Cli::command()
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version come this way too, with exit code 0; a closed pipe is no failure.
            explain(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    // There is one, and it lasts as long as the process.
    let invocation = Box::leak(Box::new(Invocation::new(Cli::command(), &matches)));
    let terminal = Terminal {
        output: cli.every.output,
        volume: cli.every.volume(),
        invocation: Some(invocation),
    };
    requests::observe(move |request| terminal.request(request));
    let context = Context { terminal };
    chatctl_deploy::guard::enable();
    let outcome = cli.command.run(&context);
    chatctl_deploy::guard::dismiss();
    context.ended(outcome)
}

/// Prints the error, or the help, that clap has made. It quotes arguments, so it is rendered without colours, too.
fn explain(error: &clap::Error) {
    let unpainted = Cli::command()
        .styles(Styles::plain())
        .try_get_matches()
        .err();
    let plain = unpainted.as_ref().unwrap_or(error).render();
    let painted = error.render().ansi().to_string();
    terminal::tell_usage(painted, &plain.ansi().to_string(), error.use_stderr());
}

/// Runs `command` on a runtime of its own.
fn run<C: Run>(command: C, context: &Context) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime needs no more than the operating system gives every process")
        .block_on(async {
            chatctl_deploy::interrupt::listen();
            let running = command.run(context);
            match C::ENDS_ANYWHERE {
                true => or_interrupted(running).await,
                false => running.await,
            }
        })
}
