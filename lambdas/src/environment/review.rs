//! What the environment says of reviews.

use std::collections::HashMap;

use chat_protocol::review::Reviewer;
use chat_protocol::variable;

use super::{Environment, EnvironmentError};

impl Environment<'_> {
    /// The reviews of the function's routes, by route key.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]: a typing error must not let messages pass.
    pub fn reviews(&self) -> Result<HashMap<String, Reviewer>, EnvironmentError> {
        let Some(value) = self.optional(variable::REVIEWS) else {
            return Ok(HashMap::new());
        };
        serde_json::from_str(&value).map_err(|reason| EnvironmentError::NotUnderstood {
            variable: variable::REVIEWS,
            remedy: format!("it must be JSON by route key: {reason}"),
            value,
        })
    }

    /// Where Lambda is, if it is not at AWS.
    ///
    /// # Errors
    /// [`EnvironmentError::NotAUrl`]
    pub fn functions_endpoint(&self) -> Result<Option<String>, EnvironmentError> {
        self.first_url(&["AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"])
    }
}
