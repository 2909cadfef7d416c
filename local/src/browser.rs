//! Keeps web pages away from what only programs may reach: the @connections API, the Invoke API, the tables, the Runtime
//! API.
//!
//! Any page in a browser may send requests to this machine's ports. On AWS a signature stops it; here signatures are not
//! verified, so what the browser says about itself has to do
//! (<https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site>).

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
    fetched || headers.contains_key(ORIGIN) || headers.get(HOST).is_some_and(is_public_name)
}

/// Whether a `Host` is a name that a stranger can have: no address, no name that public DNS never answers for.
fn is_public_name(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else {
        return true;
    };
    if host.starts_with('[') {
        return false;
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    // Reserved by RFC 6761 and by ICANN; containers reach their machine by names under the latter.
    let last = name.rsplit('.').next().unwrap_or_default();
    !(is_address || ["localhost", "internal"].contains(&last))
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
            "",
        ] {
            assert!(asked("host", host), "{host}");
        }
    }
}
