//! Refuses web pages where only programs may connect: the @connections API, the Invoke API, Systems Manager, Secrets
//! Manager, the tables, the Runtime API.
//!
//! Any page in a browser can send requests to this machine's ports. AWS would refuse them for lack of a signature; here
//! signatures are not verified, so the browser's own headers decide
//! (<https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site>).

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue, ORIGIN};

/// The message to a web page that requests one of them.
pub(crate) const REFUSED: &str = "Web pages may not call this API: it is for programs on this machine, at 127.0.0.1 or localhost";

/// Whether the request comes from a web page, or for a host name that was made to resolve to this machine (DNS
/// rebinding).
pub(crate) fn is_web_page(headers: &HeaderMap) -> bool {
    let fetched = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "none");
    fetched || headers.contains_key(ORIGIN) || !headers.get(HOST).is_none_or(is_this_machine)
}

/// The names of the machine inside its containers. Programs send them; no web page can have one.
const OF_CONTAINERS: [&str; 3] = [
    "gateway.docker.internal",
    "host.containers.internal",
    "host.docker.internal",
];

/// Whether a `Host` always means this machine: a loopback address in its usual spelling, a name that RFC 6761 reserves
/// for loopback, or one that containers use. Any other name may belong to an attacker who made it resolve to this
/// machine, and for `0.0.0.0` browsers add no header that distinguishes a page from a program.
pub(super) fn is_this_machine(host: &HeaderValue) -> bool {
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
        is_web_page(&HeaderMap::from_iter([(
            name.parse().unwrap(),
            HeaderValue::from_static(value),
        )]))
    }

    #[test]
    fn requests_of_programs_are_not_taken_for_a_browser_s() {
        assert!(!is_web_page(&HeaderMap::new()));
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
    fn requests_of_pages_are_recognised_by_their_browser_s_headers() {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            assert!(asked("origin", origin), "{origin}");
        }
        for site in ["cross-site", "same-site", "same-origin"] {
            assert!(asked("sec-fetch-site", site), "{site}");
        }
    }

    #[test]
    fn a_rebound_host_name_is_recognised() {
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
