//! `chatctl local-stack`, which `deploy --local` runs in the background

use std::path::PathBuf;

use crate::error::CommandError;
use crate::terminal::{Output, Terminal};

/// Run one local stack until it is told to stop
#[derive(Debug, clap::Args)]
pub(super) struct LocalStackArgs {
    folder: PathBuf,
    stack: String,
}

pub(super) async fn run(args: LocalStackArgs) -> Result<(), CommandError> {
    // The process's standard error is its log file.
    let complain = |text: &str| {
        let terminal = Terminal {
            output: Output::Text,
        };
        terminal.say(text);
    };
    Ok(chatctl_deploy::local::background::run(args.folder, args.stack, complain).await?)
}
