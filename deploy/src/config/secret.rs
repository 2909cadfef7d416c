//! A header that proves to a backend that a request comes from the stack.

use std::path::{Path, PathBuf};

use chat_protocol::secret::Reference;
use serde::Deserialize;

#[cfg(test)]
use super::schema::{self, shape};

/// A header with a secret value, sent with each request to a backend.
///
/// The value is neither in the config nor in the template: CloudFormation reads it during the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct SecretHeader {
    /// The header's name.
    pub name: String,
    /// The reference between `{{resolve:` and `}}` in the template
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>).
    pub reference: Reference,
    /// Where the local stack reads the value.
    pub local: Option<LocalSecret>,
}

/// Where the value is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalSecret {
    /// In this environment variable.
    Variable(String),
    /// In this file. A relative path starts at the config's folder.
    File(PathBuf),
}

/// The table as the config has it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline, extend("allOf" = schema::rules_of_secrets())))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Table {
    /// The header's name.
    #[cfg_attr(test, schemars(with = "shape::HeaderName"))]
    name: String,
    /// On AWS: the name or ARN of a secret of Secrets Manager.
    secretsmanager: Option<String>,
    /// The key of the value, where the secret is JSON.
    json_key: Option<String>,
    /// On AWS, instead: the name of a parameter of Systems Manager (`String`).
    ssm: Option<String>,
    /// On this machine: the environment variable with the value.
    variable: Option<String>,
    /// On this machine, instead: the file with the value.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    file: Option<PathBuf>,
}

/// Headers that API Gateway or the rendered template sets, and those that belong to one connection
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>).
const TAKEN: [&str; 12] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

impl TryFrom<Table> for SecretHeader {
    type Error = String;
    fn try_from(table: Table) -> Result<Self, String> {
        let reference = reference(table.secretsmanager, table.ssm, table.json_key)?;
        let local = local(table.variable, table.file)?;
        Ok(Self {
            name: header(table.name)?,
            reference,
            local,
        })
    }
}

/// The value's place on AWS: a secret of Secrets Manager, or a parameter of Systems Manager.
pub(super) fn reference(
    secretsmanager: Option<String>,
    ssm: Option<String>,
    json_key: Option<String>,
) -> Result<Reference, String> {
    match (secretsmanager, ssm) {
        (Some(_), Some(_)) => Err("a secret has `secretsmanager` or `ssm`, not both".into()),
        (None, None) => Err(
            "it does not name the value's place at AWS: add `secretsmanager = \"NAME\"` or `ssm = \"NAME\"`"
                .to_owned(),
        ),
        (Some(id), None) => secret_of(id, json_key),
        (None, Some(_)) if json_key.is_some() => {
            Err("`json-key` belongs to `secretsmanager`: a parameter is one string".into())
        }
        (None, Some(parameter)) => parameter_of(parameter),
    }
}

/// The ARN of the secret with the ARN `arn`, as a policy names it. A shortened one lacks the hyphen and the six random
/// characters at its end (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html>).
/// Secrets Manager itself takes every ARN that ends so for a whole one.
pub fn arn_in_policies(arn: &str) -> String {
    let is_whole = arn.rsplit_once('-').is_some_and(|(_, end)| {
        end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    match is_whole {
        true => arn.to_owned(),
        false => format!("{arn}-??????"),
    }
}

/// The value's place on this machine.
pub(super) fn local(
    variable_name: Option<String>,
    file: Option<PathBuf>,
) -> Result<Option<LocalSecret>, String> {
    match (variable_name, file) {
        (Some(_), Some(_)) => Err("the local stack takes `variable` or `file`, not both".into()),
        (Some(name), None) => Ok(Some(LocalSecret::Variable(variable(name)?))),
        (None, Some(path)) => Ok(Some(LocalSecret::File(path))),
        (None, None) => Ok(None),
    }
}

impl LocalSecret {
    /// The place, where a relative path starts at `folder`.
    pub(super) fn beside(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            variable => variable,
        }
    }
}

fn header(name: String) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(format!(
            "{name:?} is not a header name: 1 to 64 letters, digits, `-` and `_`"
        ));
    }
    let lower = name.to_ascii_lowercase();
    if TAKEN.contains(&lower.as_str())
        || ["sec-websocket-", "x-amz", "x-forwarded-"]
            .iter()
            .any(|prefix| lower.starts_with(prefix))
    {
        return Err(format!(
            "API Gateway sets `{name}` itself; choose another name, such as \"x-chat-secret\""
        ));
    }
    Ok(name)
}

/// `secret-id:SecretString[:json-key]`, by name or ARN
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>).
fn secret_of(id: String, json_key: Option<String>) -> Result<Reference, String> {
    let name_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
    let is_name = (1..=512).contains(&id.len()) && id.bytes().all(name_byte);
    let parts: Vec<_> = id.splitn(7, ':').collect();
    let is_arn = matches!(
        parts[..],
        ["arn", partition, "secretsmanager", region, account, "secret", name]
            if partition.starts_with("aws")
                && !region.is_empty()
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && !name.is_empty()
                && [partition, region, name].concat().bytes().all(name_byte)
    );
    if !is_name && !is_arn {
        return Err(format!(
            "{id:?} is not a secret of Secrets Manager: letters, digits and /_+=.@-, or its ARN"
        ));
    }
    let is_key = |key: &String| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        !key.is_empty() && key.bytes().all(allowed)
    };
    match json_key {
        Some(key) if !is_key(&key) => Err(format!(
            "{key:?} is not a key of a secret: letters, digits, `_`, `.` and `-`"
        )),
        json_key => Ok(Reference::Secret { id, json_key }),
    }
}

/// Below it, Systems Manager answers with secrets of Secrets Manager
/// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>).
const SECRETS: &str = "/aws/reference/secretsmanager/";

/// `parameter-name[:version]`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html>). A name with levels begins with
/// a slash, and none begins with `ssm`
/// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>).
fn parameter_of(text: String) -> Result<Reference, String> {
    let (name, version) = match text.split_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (text.as_str(), None),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    let is_version =
        |version: &str| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    if (1..=1011).contains(&name.len())
        && name.bytes().all(allowed)
        && version.is_none_or(is_version)
    {
        return match misnamed(name) {
            None => Ok(Reference::Parameter(text)),
            Some(why) => Err(format!(
                "{text:?} is not a parameter of Systems Manager: {why}"
            )),
        };
    }
    Err(format!(
        "{text:?} is not a parameter of Systems Manager: letters, digits and _.-/, then optionally `:VERSION`"
    ))
}

/// What is wrong with a parameter's `name` beside its characters.
fn misnamed(name: &str) -> Option<String> {
    if let Some(secret) = name.strip_prefix(SECRETS) {
        return Some(format!(
            "it is a secret of Secrets Manager, which needs another permission: write `secretsmanager = \"{secret}\"`"
        ));
    }
    let parts = name.strip_prefix('/').unwrap_or(name);
    if parts.split('/').any(str::is_empty) {
        return Some("a part of its name is empty".to_owned());
    }
    if parts.to_ascii_lowercase().starts_with("ssm") {
        return Some("Systems Manager keeps names that begin with `ssm` for itself".to_owned());
    }
    (parts == name && name.contains('/'))
        .then(|| format!("a name with levels begins with a slash: write \"/{name}\""))
}

fn variable(name: String) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty() && name.bytes().all(allowed) {
        return Ok(name);
    }
    Err(format!(
        "{name:?} is not the name of an environment variable: letters, digits and `_`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SecretHeader, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_secret_becomes_a_dynamic_reference() {
        for (text, reference) in [
            (
                "secretsmanager = \"chat/backend\"",
                "secretsmanager:chat/backend:SecretString",
            ),
            (
                "secretsmanager = \"chat\"\njson-key = \"token\"",
                "secretsmanager:chat:SecretString:token",
            ),
            (
                "secretsmanager = \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf\"",
                "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf:SecretString",
            ),
            ("ssm = \"/chat/backend:3\"", "ssm:/chat/backend:3"),
            ("ssm = \"chat.ssm-key\"", "ssm:chat.ssm-key"),
            // AWS publishes parameters there.
            ("ssm = \"/aws/service/x\"", "ssm:/aws/service/x"),
        ] {
            let header = parse(&format!("name = \"x-chat\"\n{text}\n")).unwrap();
            assert_eq!(header.reference.to_string(), reference);
        }
    }

    #[test]
    fn characters_that_would_end_the_reference_or_the_header_are_refused() {
        for (text, reason) in [
            ("name = \"x\"", "the value's place at AWS"),
            (
                "name = \"x\"\nssm = \"a\"\nsecretsmanager = \"b\"",
                "not both",
            ),
            ("name = \"x\"\nssm = \"a}}\"", "is not a parameter"),
            ("name = \"x\"\nssm = \"a:b\"", "is not a parameter"),
            ("name = \"x\"\nssm = \"\"", "is not a parameter"),
            ("name = \"x\"\nssm = \"chat/key\"", "write \"/chat/key\""),
            (
                "name = \"x\"\nssm = \"/chat//key\"",
                "a part of its name is empty",
            ),
            (
                "name = \"x\"\nssm = \"/chat/\"",
                "a part of its name is empty",
            ),
            ("name = \"x\"\nssm = \"/\"", "a part of its name is empty"),
            ("name = \"x\"\nssm = \"/SSM-key\"", "for itself"),
            (
                "name = \"x\"\nssm = \"/aws/reference/secretsmanager/chat/db\"",
                "write `secretsmanager = \"chat/db\"`",
            ),
            (
                "name = \"x\"\nssm = \"arn:aws:ssm:eu-west-1:123456789012:parameter/key\"",
                "is not a parameter",
            ),
            (
                "name = \"x\"\nsecretsmanager = \"a:SecretString:b\"",
                "is not a secret",
            ),
            ("name = \"x\"\nsecretsmanager = \"a'b\"", "is not a secret"),
            (
                "name = \"x\"\nsecretsmanager = \"a\"\njson-key = \"b:c\"",
                "is not a key of a secret",
            ),
            (
                "name = \"x\"\nssm = \"a\"\njson-key = \"b\"",
                "belongs to `secretsmanager`",
            ),
            ("name = \"Host\"\nssm = \"a\"", "API Gateway sets"),
            (
                "name = \"X-Amzn-Trace-Id\"\nssm = \"a\"",
                "API Gateway sets",
            ),
            (
                "name = \"Sec-WebSocket-Key\"\nssm = \"a\"",
                "API Gateway sets",
            ),
            ("name = \"x y\"\nssm = \"a\"", "is not a header name"),
            (
                "name = \"x\"\nssm = \"a\"\nvariable = \"A\"\nfile = \"b\"",
                "not both",
            ),
            (
                "name = \"x\"\nssm = \"a\"\nvariable = \"A B\"",
                "is not the name of an environment variable",
            ),
            (
                "name = \"x\"\nssm = \"a\"\nvalue = \"topsecret\"",
                "unknown field",
            ),
        ] {
            let reported = parse(text).unwrap_err();
            assert!(reported.contains(reason), "{text}: {reported}");
        }
    }
}
