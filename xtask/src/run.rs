//! Runs other programs.

use std::path::Path;
use std::process::Command;

/// Why a step failed. The program itself has printed the details.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("{program} is missing: {cure}")]
    Missing { program: String, cure: &'static str },
    #[error("{what} failed")]
    Failed { what: String },
    #[error("{0}")]
    Other(String),
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Runs `command` to its end; `cure` is the remedy if the program is missing.
pub(crate) fn finish(
    mut command: Command,
    cure: &'static str,
    what: &str,
) -> Result<(), StepError> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(StepError::Failed { what: what.into() }),
        Err(_) => Err(StepError::Missing {
            program: command.get_program().to_string_lossy().into_owned(),
            cure,
        }),
    }
}

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the workspace")
}
