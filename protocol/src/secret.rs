//! Where a secret of a function is kept on AWS, as the function's environment names it.

use std::fmt;
use std::str::FromStr;

/// A parameter of Systems Manager, or a secret of Secrets Manager.
///
/// Its text is what stands between `{{resolve:` and `}}` in a template
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The parameter with this name, with `:VERSION` at its end or without.
    Parameter(String),
    /// The secret with this name or ARN.
    Secret {
        /// The name or the ARN.
        id: String,
        /// The member of the value, where the value is a JSON object.
        json_key: Option<String>,
    },
}

const PARAMETER: &str = "ssm:";
const SECRET: &str = "secretsmanager:";
const STRING: &str = ":SecretString";

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(out, "{PARAMETER}{name}"),
            Self::Secret { id, json_key: None } => write!(out, "{SECRET}{id}{STRING}"),
            Self::Secret {
                id,
                json_key: Some(key),
            } => write!(out, "{SECRET}{id}{STRING}:{key}"),
        }
    }
}

impl FromStr for Reference {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "{text:?} is not a reference: `ssm:NAME`, or `secretsmanager:NAME:SecretString` with `:KEY` or without"
            )
        };
        if let Some(name) = text.strip_prefix(PARAMETER) {
            return match name {
                "" => Err(unknown()),
                name => Ok(Self::Parameter(name.to_owned())),
            };
        }
        let secret = text
            .strip_prefix(SECRET)
            .and_then(|rest| rest.split_once(STRING));
        let Some((id, rest)) = secret.filter(|(id, _)| !id.is_empty()) else {
            return Err(unknown());
        };
        let json_key = match rest.strip_prefix(':') {
            _ if rest.is_empty() => None,
            Some(key) if !key.is_empty() => Some(key.to_owned()),
            _ => return Err(unknown()),
        };
        Ok(Self::Secret {
            id: id.to_owned(),
            json_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        for text in [
            "ssm:/chat/key",
            "ssm:/chat/key:3",
            "secretsmanager:chat/db:SecretString",
            "secretsmanager:chat/db:SecretString:password",
            "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf:SecretString:password",
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_references() {
        for text in [
            "",
            "ssm:",
            "/chat/key",
            "secretsmanager:chat/db",
            "secretsmanager::SecretString",
            "secretsmanager:chat:SecretString:",
            "secretsmanager:chat:SecretStringx",
            "ssm-secure:/chat/key",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
