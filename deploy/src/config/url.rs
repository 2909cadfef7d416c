//! The address of a user's backend.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

/// A backend's address that API Gateway accepts: http or https, on a port that its HTTP integrations can reach
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html>).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackendUrl(String);

/// The longest address, in bytes. Longer than real ones, and far below the size limit of templates.
const MAX_LENGTH: usize = 2_048;

impl BackendUrl {
    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        let host = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0[host..].find(['/', '?']);
        &self.0[..end.map_or(self.0.len(), |end| host + end)]
    }

    /// Whether requests travel unencrypted.
    pub fn is_in_clear(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// Why only this machine or its network can reach the address; `None` if others may.
    ///
    /// No name is looked up, so a public name of a private address is not recognised.
    pub fn private(&self) -> Option<&'static str> {
        let uri: Uri = self.0.parse().ok()?;
        let host = uri
            .host()?
            .trim_matches(['[', ']'])
            .trim_end_matches('.')
            .to_ascii_lowercase();
        match host.parse::<IpAddr>() {
            Ok(address) => private_address(address),
            Err(_) if host == "localhost" || host.ends_with(".localhost") => {
                Some("it is this machine")
            }
            Err(_) if !host.contains('.') => Some("its host has no domain"),
            Err(_)
                if [".local", ".internal", ".lan", ".home.arpa"]
                    .iter()
                    .any(|end| host.ends_with(end)) =>
            {
                Some("its host's domain belongs to local networks")
            }
            Err(_) => None,
        }
    }
}

fn private_address(address: IpAddr) -> Option<&'static str> {
    let v4 = match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped(),
    };
    if address.is_loopback() || v4.is_some_and(|v4| v4.is_loopback()) {
        return Some("it is this machine");
    }
    let is_private = match (v4, address) {
        (Some(v4), _) => {
            let [a, b, ..] = v4.octets();
            // Carriers share the last one: <https://www.rfc-editor.org/rfc/rfc6598>.
            v4.is_private()
                || v4.is_link_local()
                || v4.is_unspecified()
                || (a == 100 && (64..128).contains(&b))
        }
        (None, IpAddr::V6(v6)) => {
            v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified()
        }
        (None, IpAddr::V4(_)) => false,
    };
    is_private.then_some("its address belongs to local networks")
}

fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("it has {} bytes, {MAX_LENGTH} at most", text.len()));
    }
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return Err("it must start with http:// or https://".into());
    }
    if let Some(c) = text.chars().find(|c| "{}$".contains(*c)) {
        // API Gateway would read them as its own variables.
        return Err(format!("{c:?} is not allowed; write %{:02X}", u32::from(c)));
    }
    if text.contains('#') {
        return Err("a fragment (`#…`) is never sent to a server".into());
    }
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    let authority = uri.authority().ok_or("it has no host")?;
    if authority.as_str().contains('@') {
        return Err(
            "it must not contain a user name or password: they would be readable in the template"
                .into(),
        );
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err("it has no host".into());
    }
    let has_colon = authority
        .as_str()
        .rsplit(']')
        .next()
        .is_some_and(|end| end.contains(':'));
    match uri.port_u16() {
        None if has_colon => Err("its port is not a number from 1 to 65535".into()),
        None | Some(80 | 443 | 1024..) => Ok(()),
        Some(port) => Err(format!(
            "API Gateway can only reach the ports 80, 443 and 1024 to 65535, not {port}"
        )),
    }
}

impl TryFrom<String> for BackendUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match check(&text) {
            Ok(()) => Ok(Self(text)),
            Err(reason) => Err(format!("{text:?} is not the URL of a backend: {reason}")),
        }
    }
}

impl From<BackendUrl> for String {
    fn from(url: BackendUrl) -> String {
        url.0
    }
}

impl fmt::Display for BackendUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Result<BackendUrl, String> {
        BackendUrl::try_from(text.to_owned())
    }

    #[test]
    fn addresses_that_api_gateway_cannot_call_are_refused_with_the_reason() {
        for (text, reason) in [
            ("ftp://x.example/", "http:// or https://"),
            ("backend.example/send", "http:// or https://"),
            ("http://", ""),
            ("http://x.example:22/", "not 22"),
            ("http://x.example:99999/", ""),
            ("http://x.example:/", "port"),
            ("http://me:secret@x.example/", "password"),
            ("http://x.example/{id}", "%7B"),
            ("http://x.example/${stageVariables.a}", "%24"),
            ("http://x.example/#a", "fragment"),
            ("http://x.example/a b", ""),
        ] {
            let error = url(text).expect_err(text);
            assert!(error.starts_with(&format!("{text:?} is not the URL of a backend: ")));
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn ordinary_addresses_are_accepted_unchanged() {
        for text in [
            "https://backend.example/send",
            "https://backend.example",
            "http://127.0.0.1:3000/send?x=1&y=%7B",
            "http://[::1]:8080/",
        ] {
            let url = url(text).unwrap();
            assert_eq!(url.to_string(), text);
            assert!(text.starts_with(url.origin()) && !url.origin()[8..].contains(['/', '?']));
        }
    }

    #[test]
    fn addresses_that_only_this_machine_or_its_network_can_reach_are_recognised() {
        for text in [
            "http://127.0.0.1:3000/",
            "http://localhost/",
            "http://app.localhost/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.0.1/",
            "http://169.254.169.254/",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://backend/",
            "http://nas.local/",
            "http://LOCALHOST./",
        ] {
            assert!(url(text).unwrap().private().is_some(), "{text}");
        }
        for text in [
            "https://backend.example/",
            "http://203.0.113.7/",
            "http://[2001:db8::1]/",
            "http://100.128.0.1/",
        ] {
            assert_eq!(url(text).unwrap().private(), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_check_panic_and_accepted_text_is_kept(text in "(https?://)?.*") {
            if let Ok(url) = url(&text) {
                let _private = url.private();
                prop_assert_eq!(url.to_string(), text);
            }
        }
    }
}
