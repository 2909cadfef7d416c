//! `[domain]`: a name of the user's own for the endpoint on AWS.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use toml::Spanned;

use super::arn::CertificateArn;
#[cfg(test)]
use super::schema::shape;
use super::snippet::Snippet;

/// The longest path of an API mapping
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mappings.html>).
pub(super) const MAX_PATH: usize = 300;

/// The longest name of a certificate
/// (<https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>).
const MAX_NAME: usize = 253;

/// The longest part of it (RFC 1035).
const MAX_LABEL: usize = 63;

/// The longest common name of a certificate, which is the first that ACM is asked for; longer names are alternative ones
/// (<https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>).
const MAX_COMMON_NAME: usize = 64;

/// The endpoint's own name. It has no effect on a local stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Such as `chat.example.com`, in small letters.
    pub name: DomainName,
    /// What comes behind the name in the endpoint.
    pub path: Option<MappingPath>,
    /// The certificate; with `None`, ACM is asked for one.
    pub certificate: Option<CertificateArn>,
    /// Where the record is made.
    pub zone: Zone,
    /// Whether API Gateway's own address is closed.
    pub disable_default_endpoint: bool,
    /// The name's place in the config.
    at: Snippet,
}

impl Domain {
    /// `HOST` or `HOST/PATH`, without a scheme.
    pub fn address(&self) -> String {
        match &self.path {
            Some(path) => format!("{}/{path}", self.name),
            None => self.name.to_string(),
        }
    }

    /// The endpoint for WebSocket clients.
    pub fn url(&self) -> String {
        format!("wss://{}", self.address())
    }

    /// `message` with the line of the name.
    pub(crate) fn saying(&self, message: String) -> Snippet {
        self.at.saying(message)
    }
}

/// Where the record of the name is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Zone {
    /// In the account's public hosted zone that contains the name, if there is one.
    #[default]
    Found,
    /// In the hosted zone with this id.
    Id(String),
    /// Nowhere: its owner makes it.
    Elsewhere,
}

/// `[domain]`, as the file has it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct DomainTable {
    /// The endpoint's host name on AWS. Each name belongs to one stack.
    #[cfg_attr(test, schemars(with = "shape::DomainName"))]
    pub(super) name: Spanned<DomainName>,
    /// The ARN of the certificate. Without it, ACM is asked for one that fits the name.
    #[cfg_attr(test, schemars(with = "Option<shape::CertificateArn>"))]
    pub(super) certificate: Option<Spanned<CertificateArn>>,
    /// What follows the name in the endpoint. Without it, nothing does.
    #[cfg_attr(test, schemars(with = "Option<shape::MappingPath>"))]
    path: Option<MappingPath>,
    /// The id of the Route 53 hosted zone for the record, or `false` to make none. Without it, the account's public zone is
    /// looked for.
    #[cfg_attr(test, schemars(with = "Option<shape::Zone>"))]
    zone: Option<ZoneOrFalse>,
    /// Whether API Gateway's own address is closed, so that only the name leads to the chat.
    #[cfg_attr(test, schemars(default))]
    #[serde(default)]
    disable_default_endpoint: bool,
}

impl DomainTable {
    /// The settings; `snippet` shows a place in the config.
    pub(super) fn resolve(
        &self,
        snippet: impl Fn(std::ops::Range<usize>, String) -> Snippet,
    ) -> Domain {
        Domain {
            name: self.name.get_ref().clone(),
            path: self.path.clone(),
            certificate: self.certificate.as_ref().map(|it| it.get_ref().clone()),
            zone: self.zone.as_ref().map_or(Zone::Found, |it| it.0.clone()),
            disable_default_endpoint: self.disable_default_endpoint,
            at: snippet(self.name.span(), self.name.get_ref().to_string()),
        }
    }
}

/// A host name, in small letters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DomainName(String);

impl TryFrom<String> for DomainName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let reason = if text.contains("://") {
            "leave out the scheme: clients connect by wss"
        } else if text.contains('/') {
            "what follows the name is `path`"
        } else if text.contains(':') {
            "an endpoint has no port but 443"
        } else if text.contains('*') {
            "a stack has one name, no pattern; its certificate may have a wildcard"
        } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            "API Gateway takes small letters only"
        } else if text.contains('_') {
            "API Gateway takes no underscore"
        } else if !text.is_ascii() {
            "write its labels with other letters in their ASCII form, which begins with `xn--`"
        } else if text.ends_with('.') {
            "leave out the last dot"
        } else if text.len() > MAX_NAME {
            "it has 253 characters at most"
        } else if text.split('.').any(|label| label.len() > MAX_LABEL) {
            "each part between dots has 63 characters at most"
        } else if !text.contains('.') || !is_host(&text) {
            "it has at least two parts of letters, digits and `-`, such as chat.example.com"
        } else if text.ends_with(|c: char| c.is_ascii_digit()) {
            "it is an address, and certificates are for names"
        } else {
            return Ok(Self(text));
        };
        Err(format!("{text:?} is not a name for an endpoint: {reason}"))
    }
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.split('.').all(is_label)
}

impl DomainName {
    /// The arguments with which the AWS CLI asks ACM for a certificate for this name. A longer one than a certificate's
    /// common name can be stands beside another name.
    pub fn asked_of_acm(&self) -> String {
        let mut above = self.0.as_str();
        while above.len() > MAX_COMMON_NAME {
            above = above.split_once('.').map_or("", |(_, rest)| rest);
        }
        if above == self.0 {
            return format!("--domain-name {self}");
        }
        // A top-level domain is not the user's.
        let above = match above.contains('.') {
            true => above,
            false => "SHORTER_NAME",
        };
        format!("--domain-name {above} --subject-alternative-names {self}")
    }

    /// Whether a certificate for `pattern` is one for this name. A wildcard stands for one label, the first.
    pub(crate) fn is_covered_by(&self, pattern: &str) -> bool {
        let pattern = pattern.to_ascii_lowercase();
        match pattern.strip_prefix("*.") {
            None => self.0 == pattern,
            Some(parent) => self
                .0
                .split_once('.')
                .is_some_and(|(_, rest)| rest == parent),
        }
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The path of an API mapping, of one level. Of the characters that API Gateway takes, these need no encoding in a URL and
/// no quotes in a shell. With several levels it would make the names of all headers small.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MappingPath(String);

impl TryFrom<String> for MappingPath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let reason = if ["ping", "sping"].contains(&text.as_str()) {
            "API Gateway keeps `ping` and `sping` for itself"
        } else if text.is_empty() || text == "." || text == ".." {
            "leave the key out for no path"
        } else if text.contains('/') {
            "it is one part, without `/`"
        } else if !text.chars().all(is_plain) || text.len() > MAX_PATH {
            "it has letters, digits and -_. only, 300 at most"
        } else {
            return Ok(Self(text));
        };
        Err(format!("{text:?} is not a path for an endpoint: {reason}"))
    }
}

impl fmt::Display for MappingPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[derive(Debug)]
struct ZoneOrFalse(Zone);

impl<'de> Deserialize<'de> for ZoneOrFalse {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct IdOrFalse;
        impl Visitor<'_> for IdOrFalse {
            type Value = ZoneOrFalse;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("the id of a hosted zone, or `false`")
            }
            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<ZoneOrFalse, E> {
                match is_on {
                    false => Ok(ZoneOrFalse(Zone::Elsewhere)),
                    true => Err(E::invalid_value(de::Unexpected::Bool(true), &self)),
                }
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ZoneOrFalse, E> {
                let is_id = (1..=32).contains(&text.len())
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
                match is_id {
                    true => Ok(ZoneOrFalse(Zone::Id(text.to_owned()))),
                    false => Err(E::custom(format!(
                        "{text:?} is not the id of a hosted zone, such as Z0123456789ABCDEFGHIJ"
                    ))),
                }
            }
        }
        from.deserialize_any(IdOrFalse)
    }
}
