//! `chatctl completions` and, for packagers, `chatctl man-pages`

use std::path::PathBuf;

use clap_complete::Shell;

use crate::error::CommandError;
use crate::terminal::{Output, Terminal};

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

pub(super) fn run(args: &CompletionsArgs, mut command: clap::Command) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "chatctl", &mut script);
    let terminal = Terminal {
        output: Output::Text,
    };
    terminal.result(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}

pub(super) fn write_man_pages(
    args: &ManPagesArgs,
    command: clap::Command,
) -> Result<(), CommandError> {
    clap_mangen::generate_to(command, &args.folder).map_err(|error| {
        let message = format!("could not write to {}: {error}", args.folder.display());
        CommandError::usage(
            message,
            "name a folder that is there and that you may write to",
        )
    })
}
