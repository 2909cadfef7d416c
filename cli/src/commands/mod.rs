//! The verbs. A command composes what the other modules compute; dispatch is a table.

mod aws;
mod chat;
mod completions;
mod concurrency;
mod connected;
mod deploy;
mod dev;
mod diff;
mod doctor;
mod init;
mod local_stack;
mod logs;
mod outputs;
mod plan;
mod print_connect_commands;
#[cfg(test)]
mod reference;
mod render;
mod status;
mod teardown;
mod waits;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::Styles;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::error::{CommandError, exit};
use crate::terminal::{self, Output, Terminal};
use chatctl_deploy::config::names::{
    EndpointTemplate, PersonName, RegionName, StackName, StageName,
};
use chatctl_deploy::config::{Overrides, Settings};

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
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Deploy(deploy::DeployArgs),
    Diff(diff::DiffArgs),
    Teardown(teardown::TeardownArgs),
    PrintConnectCommands(print_connect_commands::PrintConnectCommandsArgs),
    Status(status::StatusArgs),
    Outputs(outputs::OutputsArgs),
    Doctor(doctor::DoctorArgs),
    Render(render::RenderArgs),
    Init(init::InitArgs),
    Web(web::WebArgs),
    Dev(dev::DevArgs),
    Chat(chat::ChatArgs),
    Logs(logs::LogsArgs),
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    ManPages(completions::ManPagesArgs),
    #[command(hide = true)]
    LocalStack(local_stack::LocalStackArgs),
    /// End what another chatctl has started, once that has ended
    #[command(hide = true)]
    Guard,
}

/// The headings of options that several commands share; a command's own stand before them.
const STACK: &str = "Options of every command about a stack";
const ACCOUNT: &str = "Options for AWS";

/// What every command about a stack understands.
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
    /// How to answer
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        help_heading = STACK
    )]
    output: Output,
}

/// The two people in the connect commands.
#[derive(Debug, Args)]
struct PeopleArgs {
    /// Who opens the first terminal [default: from the config, else Tom]
    #[arg(long, value_name = "NAME")]
    from: Option<PersonName>,
    /// Who opens the second one [default: from the config, else Jerry]
    #[arg(long, value_name = "NAME")]
    to: Option<PersonName>,
}

/// Which target a command is about.
#[derive(Debug, Args)]
struct TargetArgs {
    /// This machine instead of AWS: no account, no Docker
    #[arg(long, conflicts_with_all = ["region", "profile"])]
    local: bool,
    #[command(flatten)]
    aws: AwsArgs,
}

/// Which account, and where.
#[derive(Debug, Args)]
struct AwsArgs {
    /// The AWS region [default: from the config, else AWS_REGION, else the profile's]
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
    fn terminal(&self) -> Terminal {
        Terminal {
            output: self.output,
        }
    }

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
        Ok(Settings::load(std::path::Path::new(""), overrides)?)
    }
}

/// Parses, runs, explains.
pub(crate) fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => {
            // Help and version come this way too, with exit code 0; a closed pipe is no failure.
            explain(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    chatctl_deploy::guard::enable();
    let (terminal, outcome) = match command {
        Command::Deploy(args) => (args.terminal(), block_on(deploy::run(args))),
        Command::Diff(args) => (args.terminal(), block_on(diff::run(args))),
        Command::Outputs(args) => (
            args.terminal(),
            block_on(or_interrupted(outputs::run(args))),
        ),
        Command::Doctor(args) => (args.terminal(), block_on(or_interrupted(doctor::run(args)))),
        Command::Teardown(args) => (args.terminal(), block_on(teardown::run(args))),
        Command::PrintConnectCommands(args) => (
            args.terminal(),
            block_on(or_interrupted(print_connect_commands::run(args))),
        ),
        Command::Status(args) => (args.terminal(), block_on(or_interrupted(status::run(args)))),
        Command::Render(args) => (
            Terminal {
                output: Output::Text,
            },
            block_on(render::run(args)),
        ),
        Command::Init(args) => (
            Terminal {
                output: Output::Text,
            },
            init::run(args),
        ),
        Command::Web(args) => (args.terminal(), block_on(web::run(args))),
        Command::Dev(args) => (args.terminal(), block_on(dev::run(args))),
        Command::Chat(args) => (args.terminal(), block_on(chat::run(args))),
        Command::Logs(args) => (args.terminal(), block_on(or_interrupted(logs::run(args)))),
        Command::Completions(args) => (
            Terminal {
                output: Output::Text,
            },
            completions::run(&args, Cli::command()),
        ),
        Command::ManPages(args) => (
            Terminal {
                output: Output::Text,
            },
            completions::write_man_pages(&args, Cli::command()),
        ),
        Command::LocalStack(args) => (
            Terminal {
                output: Output::Text,
            },
            block_on(local_stack::run(args)),
        ),
        Command::Guard => {
            chatctl_deploy::guard::run(std::io::stdin().lock());
            return ExitCode::SUCCESS;
        }
    };
    chatctl_deploy::guard::dismiss();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.failure(&error);
            ExitCode::from(error.exit)
        }
    }
}

/// Prints what clap says. It quotes arguments, so it is told what it would say without its own paint, too.
fn explain(error: &clap::Error) {
    let unpainted = Cli::command()
        .styles(Styles::plain())
        .try_get_matches()
        .err();
    let plain = unpainted.as_ref().unwrap_or(error).render();
    let painted = error.render().ansi().to_string();
    terminal::tell_usage(painted, &plain.ansi().to_string(), error.use_stderr());
}

/// Runs `command` on a runtime of its own; commands without one start faster.
fn block_on(command: impl Future<Output = Result<(), CommandError>>) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime needs no more than the operating system gives every process")
        .block_on(async {
            chatctl_deploy::interrupt::listen();
            command.await
        })
}

/// `work`, unless the user asks to stop first.
fn or_interrupted<T, E: Into<CommandError>>(
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, CommandError>> {
    let work = Box::pin(work);
    async move {
        tokio::select! {
            outcome = work => outcome.map_err(Into::into),
            () = chatctl_deploy::interrupt::requested() => Err(chatctl_deploy::engine::TargetError::interrupted().into()),
        }
    }
}

/// What an interrupted command says about what it leaves; other failures speak for themselves.
fn leaving(what: impl Into<String>) -> impl FnOnce(CommandError) -> CommandError {
    let what = what.into();
    move |error| {
        if error.exit == crate::error::exit::INTERRUPTED {
            error.or_hint(Some(what))
        } else {
            error
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
