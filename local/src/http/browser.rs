//! Keeps web pages away from what only programs may reach: the @connections API, the Invoke API, the tables, the Runtime
//! API.
//!
//! Any page in a browser may send requests to this machine's ports. On AWS a signature stops it; here signatures are not
//! verified, so what the browser says about itself has to do
//! (<https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site>).

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue, ORIGIN};

/// What a web page is told that asks for one of them.
pub(crate) const REFUSED: &str =
    "Web pages may not call this: it is for programs on this machine, by 127.0.0.1 or localhost";

/// Whether a web page asks, or a browser for a site whose name somebody made lead to this machine (DNS rebinding).
pub(crate) fn asks(headers: &HeaderMap) -> bool {
    let fetched = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "none");
    fetched || headers.contains_key(ORIGIN) || !headers.get(HOST).is_none_or(is_this_machine)
}

/// The names by which containers reach the machine that they run on. Programs give them; no page can have one.
const OF_CONTAINERS: [&str; 3] = [
    "gateway.docker.internal",
    "host.containers.internal",
    "host.docker.internal",
];

/// Whether a `Host` leads to this machine wherever it is asked: a loopback address in its usual spelling, a name that
/// RFC 6761 keeps for loopback, or one that containers have. Any other may be one that a stranger had lead here, and
/// `0.0.0.0` is one to which browsers add nothing that tells a page from a program.
fn is_this_machine(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) if !host.ends_with(']') => return false,
        _ => host,
    };
    if let Some(address) = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        return address
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback());
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name.parse::<Ipv4Addr>()
        .is_ok_and(|address| address.is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
        || OF_CONTAINERS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &'static str) -> bool {
        asks(&HeaderMap::from_iter([(
            name.parse().unwrap(),
            HeaderValue::from_static(value),
        )]))
    }

    #[test]
    fn programs_do_not_speak_like_a_browser() {
        assert!(!asks(&HeaderMap::new()));
        for host in [
            "127.0.0.1:4711",
            "localhost",
            "LOCALHOST:1",
            "tables.localhost:1",
            "[::1]:1",
            "[::1]",
            "127.8.9.10:1",
            "localhost.",
            "host.docker.internal:1",
        ] {
            assert!(!asked("host", host), "{host}");
        }
        assert!(!asked("sec-fetch-site", "none"));
    }

    #[test]
    fn pages_are_known_by_what_their_browser_adds() {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            assert!(asked("origin", origin), "{origin}");
        }
        for site in ["cross-site", "same-site", "same-origin"] {
            assert!(asked("sec-fetch-site", site), "{site}");
        }
    }

    #[test]
    fn a_name_that_was_made_to_lead_here_is_known_by_itself() {
        for host in [
            "evil.example",
            "evil.example:4711",
            "127.0.0.1.evil.example:1",
            "localhost.evil.example.",
            "evil.internal",
            "evil.host.docker.internal.example",
            "",
            "0.0.0.0",
            "0.0.0.0:4711",
            "0",
            "0x0:1",
            "0x7f000001",
            "2130706433",
            "127.1",
            "10.0.0.5:80",
            "[::]:1",
            "[::ffff:127.0.0.1]:1",
            "[::1",
            "::1",
            "127.0.0.1:x",
            "127.0.0.1@evil.example",
        ] {
            assert!(asked("host", host), "{host}");
        }
    }
}
