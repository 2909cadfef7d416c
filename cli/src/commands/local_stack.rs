//! `chatctl local-stack`, which `deploy --local` runs in the background

use std::path::PathBuf;

use super::{Context, Run};
use crate::error::CommandError;
use crate::terminal::Terminal;

/// Run one local stack until a command stops it
#[derive(Debug, clap::Args)]
pub(super) struct LocalStackArgs {
    folder: PathBuf,
    stack: String,
}

impl Run for LocalStackArgs {
    async fn run(self, _context: &Context) -> Result<(), CommandError> {
        // The process's standard error is its log file.
        let complain = |text: &str| {
            Terminal::default().say(text);
        };
        Ok(chatctl_deploy::local::background::run(self.folder, self.stack, complain).await?)
    }
}
