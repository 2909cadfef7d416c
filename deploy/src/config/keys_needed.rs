//! Whether the keys are there that `[auth]` needs.

use std::path::PathBuf;

use chat_protocol::auth::MAX_ENVIRONMENT_BYTES;

use super::auth::{Proof, TokenKeys};
use super::keys::KeysFileError;
use super::{ConfigError, Settings};

impl Settings {
    /// Checks that there is a key where the mode needs one, and that the authorizer's environment holds them all. A stack
    /// without a key would refuse every client.
    ///
    /// # Errors
    /// [`ConfigError::NoKey`], [`ConfigError::Keys`]
    pub fn check_keys(&self) -> Result<(), ConfigError> {
        let Proof::Token(TokenKeys { file, keys, asked }) = &self.auth.proof else {
            return Ok(());
        };
        if keys.keys().is_empty() {
            return Err(ConfigError::NoKey(asked.clone()));
        }
        let bytes = self.auth.environment_bytes();
        if bytes > MAX_ENVIRONMENT_BYTES {
            return Err(ConfigError::Keys(KeysFileError::TooLarge {
                path: file.clone(),
                bytes,
            }));
        }
        Ok(())
    }

    /// The file with the public keys, where the mode has some.
    pub fn keys_file(&self) -> Option<PathBuf> {
        match &self.auth.proof {
            Proof::Token(keys) => Some(keys.file.clone()),
            Proof::Claimed | Proof::Jwt(_) | Proof::Handler(_) => None,
        }
    }
}
