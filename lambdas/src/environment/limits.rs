//! What the environment says of `[limits]`.

use chat_protocol::history::MAX_SECONDS;
use chat_protocol::variable;

use super::{Environment, EnvironmentError};
use crate::limits::{Limits, Recording};

impl Environment<'_> {
    /// How much the chat accepts.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]: a misspelt value must not allow more.
    pub fn limits(&self) -> Result<Limits, EnvironmentError> {
        Ok(Limits {
            messages_per_second: self.count(variable::MESSAGES_PER_SECOND)?,
            connections_per_name: self.count(variable::CONNECTIONS_PER_NAME)?,
            room_size: self.count(variable::ROOM_SIZE)?,
        })
    }

    /// How new connections are recorded.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]
    pub fn recording(&self) -> Result<Recording, EnvironmentError> {
        Ok(Recording {
            names: self.names()?,
            index: self.index()?,
            limits: self.limits()?,
        })
    }

    /// For how many seconds the stack's routes keep messages at most.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]
    pub fn history_seconds(&self) -> Result<u32, EnvironmentError> {
        Ok(self.count(variable::HISTORY)?.unwrap_or(MAX_SECONDS))
    }

    fn count(&self, variable: &'static str) -> Result<Option<u32>, EnvironmentError> {
        let Some(value) = self.optional(variable) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(count @ 1..) => Ok(Some(count)),
            _ => Err(EnvironmentError::NotUnderstood {
                variable,
                value,
                remedy: "it must be a whole number from 1".to_owned(),
            }),
        }
    }
}
