//! `chatctl completions` and, for packagers, `chatctl man-pages`

use std::path::PathBuf;

use clap::CommandFactory;
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
        clap_complete::generate(self.shell, &mut Cli::command(), "chatctl", &mut script);
        let script = String::from_utf8_lossy(&script);
        context.terminal.result(script.trim_end());
        Ok(())
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
