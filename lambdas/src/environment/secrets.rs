//! Where a user's function finds its secrets.

use std::collections::BTreeMap;

use chat_protocol::secret::Reference;
use chat_protocol::variable;

use super::{Environment, EnvironmentError};

/// The services with secrets, where they are not at AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretEndpoints {
    /// Systems Manager.
    pub ssm: Option<String>,
    /// Secrets Manager.
    pub secretsmanager: Option<String>,
}

impl Environment<'_> {
    /// The references of the function's secrets, by their names.
    ///
    /// # Errors
    /// [`EnvironmentError::NotUnderstood`]
    pub fn secrets(&self) -> Result<BTreeMap<String, Reference>, EnvironmentError> {
        let Some(value) = self.optional(variable::SECRETS) else {
            return Ok(BTreeMap::new());
        };
        let invalid = |reason: String| EnvironmentError::NotUnderstood {
            variable: variable::SECRETS,
            value: value.clone(),
            remedy: format!("it must be JSON of references by name: {reason}"),
        };
        let texts: BTreeMap<String, String> =
            serde_json::from_str(&value).map_err(|error| invalid(error.to_string()))?;
        let references = texts
            .into_iter()
            .map(|(name, text)| Ok((name, text.parse().map_err(invalid)?)));
        references.collect()
    }

    /// The addresses of the services with secrets.
    ///
    /// # Errors
    /// [`EnvironmentError::NotAUrl`]
    pub fn secret_endpoints(&self) -> Result<SecretEndpoints, EnvironmentError> {
        Ok(SecretEndpoints {
            ssm: self.first_url(&["AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL"])?,
            secretsmanager: self
                .first_url(&["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_references_and_nothing_else() {
        let of = |value: &str| {
            let lookup = |name: &str| (name == "SECRETS").then(|| value.to_owned());
            Environment::new(&lookup).secrets()
        };
        let read = of(r#"{"KEY":"ssm:/chat/key"}"#).unwrap();
        assert_eq!(read["KEY"], Reference::Parameter("/chat/key".into()));
        assert_eq!(of("").unwrap().len(), 0);
        for wrong in ["[]", "{\"KEY\":\"hush\"}", "{\"KEY\":1}"] {
            let error = of(wrong).unwrap_err().to_string();
            assert!(error.contains("references by name"), "{error}");
        }
    }
}
