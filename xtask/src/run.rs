//! Runs other programs.

use std::path::{Path, PathBuf};
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
    // These tell of xtask itself. Build scripts that look at them would run again, and what depends on them would be
    // compiled again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
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

/// The folder of everything that is built.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `error`, with the path at which it happened.
pub(crate) fn at(path: &Path, error: std::io::Error) -> StepError {
    StepError::Other(format!("{}: {error}", path.display()))
}

/// Writes an executable file.
pub(crate) fn write_program(path: &Path, bytes: &[u8]) -> Result<(), StepError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).map_err(|error| at(path, error))?;
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, executable).map_err(|error| at(path, error))
}
