//! `chatctl local-stack`, which `deploy --local` runs in the background

use std::path::PathBuf;

use crate::error::CommandError;

/// Run one local stack until it is told to stop
#[derive(Debug, clap::Args)]
pub(super) struct LocalStackArgs {
    folder: PathBuf,
    stack: String,
}

pub(super) async fn run(args: LocalStackArgs) -> Result<(), CommandError> {
    Ok(crate::local::background::run(args.folder, args.stack).await?)
}
