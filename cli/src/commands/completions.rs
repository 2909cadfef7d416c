//! `chatctl completions` and, for packagers, `chatctl man-pages`

use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Context, Run};
use crate::error::CommandError;
use crate::terminal::Output;

/// Print the completions of a shell
///
/// Bash: `chatctl completions bash > ~/.local/share/bash-completion/completions/chatctl`. Fish: `chatctl completions fish
/// > ~/.config/fish/completions/chatctl.fish`. Zsh: into a file `_chatctl` in a folder of $fpath.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write a man page for each command
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct ManPagesArgs {
    /// The folder to write them into; it must be there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl Run for CompletionsArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        if context.terminal.output == Output::Json {
            return Err(CommandError::usage(
                "a shell script cannot be printed in JSON",
                "leave out `--output`",
            ));
        }
        let mut script = Vec::new();
        // There is one, and it lasts as long as the process.
        let chatctl = Box::leak(Box::new(Cli::command()));
        clap_complete::generate(self.shell, &mut visible(chatctl), "chatctl", &mut script);
        let script = String::from_utf8_lossy(&script);
        context.terminal.result(script.trim_end());
        Ok(())
    }
}

/// `command` without its hidden commands and options, which clap would complete as well.
fn visible(command: &'static Command) -> Command {
    let options = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let visible = Command::default()
        .name(command.get_name())
        .disable_help_subcommand(command.is_disable_help_subcommand_set())
        .args(options.cloned())
        .subcommands(verbs.map(visible));
    let visible = match command.get_version() {
        Some(version) => visible.version(version),
        None => visible,
    };
    match command.get_about() {
        Some(about) => visible.about(about.clone()),
        None => visible,
    }
}

impl Run for ManPagesArgs {
    async fn run(self, _context: &Context) -> Result<(), CommandError> {
        clap_mangen::generate_to(Cli::command(), &self.folder).map_err(|error| {
            let message = format!("could not write to {}: {error}", self.folder.display());
            CommandError::usage(
                message,
                "name a folder that is there and that you may write to",
            )
        })
    }
}
