//! The verbs. A command composes what the other modules compute; dispatch is a table.

mod deploy;
mod dev;
mod init;
mod local_stack;
mod print_connect_commands;
mod render;
mod status;
mod teardown;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::names::{PersonName, StackName, StageName};
use crate::config::{Overrides, Settings};
use crate::error::{CommandError, exit};
use crate::interrupt::{Interrupt, interrupted};
use crate::terminal::{Output, Terminal};

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
    Teardown(teardown::TeardownArgs),
    PrintConnectCommands(print_connect_commands::PrintConnectCommandsArgs),
    Status(status::StatusArgs),
    Render(render::RenderArgs),
    Init(init::InitArgs),
    Dev(dev::DevArgs),
    #[command(hide = true)]
    LocalStack(local_stack::LocalStackArgs),
}

/// What every command about a stack understands.
#[derive(Debug, Args)]
struct StackArgs {
    /// The config file [default: chatctl.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "CHATCTL_CONFIG", hide_env = true)]
    config: Option<PathBuf>,
    /// The stack's name [default: from the config, else chat]
    #[arg(long, value_name = "NAME", env = "CHATCTL_STACK", hide_env = true)]
    stack: Option<StackName>,
    /// The stage, the last part of the endpoint [default: from the config, else v1]
    #[arg(long, value_name = "NAME", env = "CHATCTL_STAGE", hide_env = true)]
    stage: Option<StageName>,
    /// How to answer
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
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
    #[arg(long)]
    local: bool,
}

impl TargetArgs {
    /// Refuses what this version cannot do.
    fn require_local(&self) -> Result<(), CommandError> {
        if self.local {
            return Ok(());
        }
        Err(CommandError::usage(
            "this version of chatctl knows the local target only",
            "add `--local`; `chatctl render` prints the CloudFormation template for AWS",
        ))
    }
}

impl StackArgs {
    fn terminal(&self) -> Terminal {
        Terminal {
            output: self.output,
        }
    }

    fn settings(&self, people: Option<&PeopleArgs>) -> Result<Settings, CommandError> {
        let overrides = Overrides {
            config: self.config.clone(),
            stack: self.stack.clone(),
            stage: self.stage.clone(),
            from: people.and_then(|people| people.from.clone()),
            to: people.and_then(|people| people.to.clone()),
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
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    let (terminal, outcome) = match command {
        Command::Deploy(args) => (args.terminal(), block_on(deploy::run(args))),
        Command::Teardown(args) => (args.terminal(), block_on(teardown::run(args))),
        Command::PrintConnectCommands(args) => {
            (args.terminal(), block_on(print_connect_commands::run(args)))
        }
        Command::Status(args) => (args.terminal(), block_on(status::run(args))),
        Command::Render(args) => (
            Terminal {
                output: Output::Text,
            },
            render::run(args),
        ),
        Command::Init(args) => (
            Terminal {
                output: Output::Text,
            },
            init::run(args),
        ),
        Command::Dev(args) => (args.terminal(), block_on(dev::run(args))),
        Command::LocalStack(args) => (
            Terminal {
                output: Output::Text,
            },
            block_on(local_stack::run(args)),
        ),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.failure(&error);
            ExitCode::from(error.exit)
        }
    }
}

/// Runs `command` on a runtime of its own; commands without one start faster.
fn block_on(command: impl Future<Output = Result<(), CommandError>>) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime needs no more than the operating system gives every process")
        .block_on(command)
}

/// `work`, unless the user asks to stop first.
async fn or_interrupted<T, E: Into<CommandError>>(
    interrupt: &mut Interrupt,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, CommandError> {
    tokio::select! {
        outcome = work => outcome.map_err(Into::into),
        () = interrupt.requested() => Err(interrupted().into()),
    }
}

/// Asks a question that `--yes` answers beforehand; anything but a clear yes is a no.
///
/// # Errors
/// Nobody is there to be asked, or the user asked to stop instead.
async fn agreed(
    interrupt: &mut Interrupt,
    terminal: Terminal,
    question: &str,
    yes: bool,
) -> Result<bool, CommandError> {
    if yes {
        return Ok(true);
    }
    if !terminal.can_ask() {
        let message = format!("this needs an answer, and there is no terminal to ask: {question}");
        return Err(CommandError::usage(
            message,
            "say `--yes` to agree beforehand",
        ));
    }
    let answer = async { Ok::<_, CommandError>(terminal.ask(&format!("{question} [y/N]")).await) };
    let answer = or_interrupted(interrupt, answer)
        .await
        .inspect_err(|_| terminal.say(""))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
