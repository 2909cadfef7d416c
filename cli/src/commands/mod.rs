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
mod options;
mod outputs;
mod permissions;
mod plan;
mod policy;
mod print_connect_commands;
mod quota;
#[cfg(test)]
mod reference;
mod render;
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

use std::process::ExitCode;

use clap::builder::Styles;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::interrupted::{leaving, or_interrupted};
use self::options::{AwsArgs, ConnectArgs, EveryArgs, HandlersArgs, StackArgs, TargetArgs};
use crate::error::{CommandError, exit};
use crate::terminal::{self, Invocation, Terminal};
use chatctl_deploy::engine::requests;

/// Deploys a serverless WebSocket chat, on AWS or on one machine
///
/// Settings come from chatctl.toml in the working folder; without it, the defaults are a complete chat.
#[derive(Debug, Parser)]
#[command(
    name = "chatctl",
    bin_name = "chatctl",
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

/// Prints the error, or the help, that clap has made. An error quotes arguments, so it is also made without colours; help
/// quotes none, not even the name of the program's file.
fn explain(error: &clap::Error) {
    let plain = match error.use_stderr() {
        true => {
            let command = Cli::command().styles(Styles::plain());
            let unpainted = command.try_get_matches().err();
            let plain = unpainted.as_ref().unwrap_or(error).render();
            plain.ansi().to_string()
        }
        false => error.render().to_string(),
    };
    let painted = error.render().ansi().to_string();
    terminal::tell_usage(painted, &plain, error.use_stderr());
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
