//! Addresses that `[auth]` names: an issuer, and the origins of web pages.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

/// The address of an OpenID Connect issuer, letter by letter as its tokens have it in `iss`: https; on this machine also
/// http, which only the local stack takes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerUrl(String);

/// The origin of a web page, as a browser sends it: scheme, host, and a port that is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// The longest of both, in bytes.
const MAX_LENGTH: usize = 512;

impl IssuerUrl {
    /// Whether it is asked over http, and therefore by the local stack only.
    pub fn is_in_clear(&self) -> bool {
        self.0.starts_with("http://")
    }
}

fn check_issuer(text: &str) -> Result<(), String> {
    let uri = address(text)?;
    if text.contains("/.well-known/") {
        return Err("name the issuer itself, without `/.well-known/…`".into());
    }
    if uri.query().is_some() {
        return Err("an issuer has no query (`?…`)".into());
    }
    if text.starts_with("http://") && !uri.host().is_some_and(is_loopback) {
        return Err("keys that travel unencrypted prove nothing: give an https address (http only for an issuer on this machine, and for the local stack)".into());
    }
    Ok(())
}

fn check_origin(text: &str) -> Result<(), String> {
    if text == "null" {
        return Err("pages without an origin of their own (`null`) cannot be distinguished".into());
    }
    let uri = address(text)?;
    // A browser's text has no `/` behind the authority, hyper's path has one at least.
    let authority = uri.authority().map_or("", |it| it.as_str());
    let end = text.split_once("://").map_or("", |(_, rest)| rest);
    if end != authority {
        return Err(format!(
            "an origin ends with host and port: write `{}://{authority}`",
            uri.scheme_str().unwrap_or("https")
        ));
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!(
            "browsers send it in lower case: write `{}`",
            text.to_ascii_lowercase()
        ));
    }
    let own = match uri.scheme_str() {
        Some("http") => 80,
        _ => 443,
    };
    if uri.port_u16() == Some(own) {
        return Err(format!("browsers leave out the port {own}: do so, too"));
    }
    Ok(())
}

/// What both have in common.
fn address(text: &str) -> Result<Uri, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("it has {} bytes, {MAX_LENGTH} at most", text.len()));
    }
    if text.contains('*') {
        return Err("`*` would stand for hosts of others: name each address".into());
    }
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Err("it must start with https:// (or http://)".into());
    }
    if text.contains('#') {
        return Err("a fragment (`#…`) does not belong to it".into());
    }
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    let authority = uri.authority().ok_or("it names no host")?;
    if authority.as_str().contains('@') {
        return Err("it must not have a user's name or password".into());
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err("it names no host".into());
    }
    let after_host = authority.as_str().rsplit(']').next().unwrap_or_default();
    if after_host.contains(':') && uri.port_u16().is_none_or(|port| port == 0) {
        return Err("its port is not a number from 1 to 65535".into());
    }
    Ok(uri)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Both are texts that were checked once.
macro_rules! checked {
    ($name:ident, $what:literal, $check:path) => {
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(reason) => Err(format!("{text:?} is not {}: {reason}", $what)),
                }
            }
        }

        impl From<$name> for String {
            fn from(it: $name) -> Self {
                it.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

checked!(IssuerUrl, "the address of an issuer", check_issuer);
checked!(Origin, "the origin of a web page", check_origin);

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Result<IssuerUrl, String> {
        IssuerUrl::try_from(text.to_owned())
    }

    fn origin(text: &str) -> Result<Origin, String> {
        Origin::try_from(text.to_owned())
    }

    #[test]
    fn an_issuer_is_asked_over_https_and_on_this_machine_also_over_http() {
        for text in [
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC",
            "https://example.eu.auth0.com/",
            "https://keycloak.example:8443/realms/chat",
            "http://127.0.0.1:4000",
            "http://localhost:4000/x",
            "http://[::1]:4000",
        ] {
            assert_eq!(issuer(text).map(String::from), Ok(text.to_owned()));
        }
        for (text, reason) in [
            ("issuer.example", "https://"),
            ("ftp://issuer.example", "https://"),
            ("http://issuer.example", "unencrypted"),
            ("http://127.0.0.1.issuer.example", "unencrypted"),
            ("http://192.168.0.7", "unencrypted"),
            ("https://*.issuer.example", "name each"),
            (
                "https://issuer.example/.well-known/openid-configuration",
                "well-known",
            ),
            ("https://issuer.example/?a=b", "query"),
            ("https://issuer.example/#a", "fragment"),
            ("https://user:word@issuer.example", "password"),
            ("https://issuer.example:0", "port"),
            ("https://issuer.example:x", ""),
            ("https://", ""),
            ("https:// issuer.example", ""),
        ] {
            let error = issuer(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn an_origin_is_written_as_a_browser_sends_it() {
        for text in [
            "https://chat.example",
            "https://chat.example:8443",
            "http://127.0.0.1:8080",
        ] {
            assert_eq!(origin(text).map(String::from), Ok(text.to_owned()));
        }
        for (text, reason) in [
            ("*", "name each"),
            ("https://*.chat.example", "name each"),
            ("null", "null"),
            ("chat.example", "https://"),
            ("https://chat.example/", "write `https://chat.example`"),
            ("https://chat.example/x", "write `https://chat.example`"),
            ("https://chat.example?x", "write `https://chat.example`"),
            ("https://Chat.example", "write `https://chat.example`"),
            ("https://chat.example:443", "443"),
            ("http://chat.example:80", "80"),
            ("https://a@chat.example", "password"),
        ] {
            let error = origin(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
