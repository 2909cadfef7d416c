//! Why a config is refused.

use std::path::PathBuf;

use super::keys::KeysFileError;
use super::snippet::Snippet;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the messages say what its variants and their fields are"
)]
pub enum ConfigError {
    #[error("{0}")]
    Invalid(Snippet),
    #[error("could not read {path}")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("there is no {path}")]
    Missing { path: PathBuf },
    /// The public keys beside the file are damaged, or cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysFileError),
    /// The file asks for keys, and there are none.
    #[error("{0}")]
    NoKey(Snippet),
}
