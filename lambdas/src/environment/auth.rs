//! What the environment says of proofs.

use chat_identity::{KeySet, Rules};
use chat_protocol::{Mode, variable};

use super::{Environment, EnvironmentError};

impl Environment<'_> {
    /// Why names are believed.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]: a typing error must not open a door.
    pub fn mode(&self) -> Result<Mode, EnvironmentError> {
        let choices = Mode::ALL.map(|mode| (mode.word(), mode));
        self.choice(variable::AUTH_MODE, Mode::Claimed, &choices)
    }

    /// The error of this binary's authorizer where a handler of the user's is the stack's.
    pub(crate) fn not_ours(&self) -> EnvironmentError {
        EnvironmentError::NotUnderstood {
            variable: variable::AUTH_MODE,
            value: Mode::Handler.word().to_owned(),
            remedy: "the function's code must be the user's authorizer".to_owned(),
        }
    }

    /// The origins whose pages may connect; none stands for all.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]
    pub fn origins(&self) -> Result<Vec<String>, EnvironmentError> {
        Ok(self.list(variable::AUTH_ORIGINS)?.unwrap_or_default())
    }

    /// The stack's own keys.
    ///
    /// # Errors
    /// [`EnvironmentError`] when there is none, or they cannot be read.
    pub fn keys(&self) -> Result<KeySet, EnvironmentError> {
        let variable = variable::AUTH_KEYS;
        let value = self.required(variable, "the stack sets it to the keys in its project")?;
        let keys = KeySet::from_json(value.as_bytes());
        let reason = match keys {
            Ok(keys) if !keys.keys().is_empty() => return Ok(keys),
            Ok(_) => "it has no key".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(EnvironmentError::NotUnderstood {
            variable,
            value,
            remedy: format!("it must be a JWK Set: {reason}"),
        })
    }

    /// The issuer of tokens that are not the stack's own.
    ///
    /// # Errors
    /// [`EnvironmentError`] when it is not named, or not a URL.
    pub fn issuer(&self) -> Result<String, EnvironmentError> {
        let url = self.first_url(&[variable::AUTH_ISSUER])?;
        url.ok_or(EnvironmentError::Missing {
            variable: variable::AUTH_ISSUER,
            remedy: "the stack sets it to the issuer in its config",
        })
    }

    /// What a token must say, of `issuer` or of any owner of one of the stack's keys.
    ///
    /// # Errors
    /// [`EnvironmentError`] when no audience is named: a token for anything else would be accepted.
    pub fn rules(&self, issuer: Option<String>) -> Result<Rules, EnvironmentError> {
        let variable = variable::AUTH_AUDIENCE;
        let audience = self.list(variable)?.unwrap_or_default();
        if audience.is_empty() {
            let remedy = "the stack sets it to whom tokens are made for";
            return Err(EnvironmentError::Missing { variable, remedy });
        }
        let rules = Rules::default();
        Ok(Rules {
            issuer,
            audience,
            name_claim: self
                .optional(variable::AUTH_NAME_CLAIM)
                .unwrap_or(rules.name_claim),
        })
    }

    fn list(&self, variable: &'static str) -> Result<Option<Vec<String>>, EnvironmentError> {
        let Some(value) = self.optional(variable) else {
            return Ok(None);
        };
        match serde_json::from_str(&value) {
            Ok(list) => Ok(Some(list)),
            Err(error) => Err(EnvironmentError::NotUnderstood {
                variable,
                value,
                remedy: format!("it must be a JSON list of texts: {error}"),
            }),
        }
    }
}
