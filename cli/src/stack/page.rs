//! The chat page, filled in for one stack.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::config::Settings;
use crate::config::names::PersonName;

/// The page as it lies in the repository; opened as a file, it asks for everything.
const DOCUMENT: &str = include_str!("../../../examples/web/index.html");
/// What it says where settings go.
const UNSET: &str = r#"<script type="application/json" id="settings">{}</script>"#;

/// What the page knows about `settings`' stack at `endpoint`; without one, the page takes the host that serves it.
pub(crate) fn page_settings(settings: &Settings, endpoint: Option<&str>) -> serde_json::Value {
    let routes: Vec<_> = settings
        .routes
        .iter()
        .map(|key| json!({ "key": key, "receivers": "friend" }))
        .collect();
    let mut value = json!({
        "title": settings.stack,
        "stage": settings.stage,
        "names": "required",
        "routes": routes,
    });
    if let Some(endpoint) = endpoint {
        value["endpoint"] = endpoint.into();
    }
    value
}

/// The page with `settings` in it.
pub(crate) fn html(settings: &serde_json::Value) -> String {
    // No `<` can end the block early, or begin a comment in it.
    let settings = settings.to_string().replace('<', "\\u003c");
    DOCUMENT.replacen(UNSET, &UNSET.replace("{}", &settings), 1)
}

/// The page's `Content-Security-Policy`: its own script and style by their digests, WebSockets anywhere, nothing else.
///
/// See <https://www.w3.org/TR/CSP3/>. `ws:` and `wss:` are open because the endpoint is a field of the page.
pub(crate) fn policy() -> String {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; connect-src ws: wss:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        digest_of("<script>", "</script>"),
        digest_of("<style>", "</style>"),
    )
}

fn digest_of(start: &str, end: &str) -> String {
    let inside = DOCUMENT
        .split_once(start)
        .and_then(|(_, rest)| rest.split_once(end));
    let (inside, _) = inside.expect("a test holds the page to one script and one style");
    format!("sha256-{}", STANDARD.encode(Sha256::digest(inside)))
}

/// The page's addresses for the two people of the connect commands: whoever opens one is connected as its person.
pub(crate) fn links(base: &str, from: &PersonName, to: &PersonName) -> [String; 2] {
    [(from, to), (to, from)].map(|(from, to)| {
        let (from, to) = (query_value(from.as_ref()), query_value(to.as_ref()));
        format!("{base}?from={from}&to={to}")
    })
}

/// Where the page of the local stack at `endpoint` (`ws://HOST/STAGE`) is.
pub(crate) fn beside(endpoint: &str) -> String {
    let host = endpoint.trim_start_matches("ws://").split('/').next();
    format!("http://{}/", host.unwrap_or_default())
}

/// `text` as the value of a query parameter; a space becomes `+`.
fn query_value(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut value, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => value.push(byte.into()),
            b' ' => value.push('+'),
            _ => drop(write!(value, "%{byte:02X}")),
        }
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_document_has_one_script_one_style_one_place_for_settings_and_asks_for_nothing_outside() {
        for once in [UNSET, "<script>", "<style>", "<script ", "</style>"] {
            assert_eq!(DOCUMENT.matches(once).count(), 1, "{once}");
        }
        assert_eq!(DOCUMENT.matches("</script>").count(), 2);
        for never in [
            "innerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "src=",
            "@import",
            "url(",
            " style=\"",
            " onclick=",
            "fetch(",
            "localStorage",
            "cookie",
        ] {
            assert!(!DOCUMENT.contains(never), "{never}");
        }
    }

    #[test]
    fn settings_cannot_end_their_block() {
        let page = html(&json!({ "title": "</script><script>alert(1)//<!--" }));
        assert_eq!(page.matches("<script>").count(), 1);
        assert!(page.contains(r#"{"title":"\u003c/script>\u003cscript>alert(1)//\u003c!--"}"#));
    }

    #[test]
    fn the_policy_allows_the_pages_own_code_and_no_other() {
        let policy = policy();
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(
            policy.contains("default-src 'none'; script-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }

    #[test]
    fn names_survive_their_link() {
        let links = links(
            "http://127.0.0.1:1/",
            &"Ann Lee".parse().unwrap(),
            &"O'Neil+1@x".parse().unwrap(),
        );
        expect![[r#"
            http://127.0.0.1:1/?from=Ann+Lee&to=O%27Neil%2B1%40x
            http://127.0.0.1:1/?from=O%27Neil%2B1%40x&to=Ann+Lee"#]]
        .assert_eq(&links.join("\n"));
    }

    #[test]
    fn the_page_of_a_local_stack_is_at_the_root_of_its_port() {
        assert_eq!(beside("ws://127.0.0.1:4711/v1"), "http://127.0.0.1:4711/");
    }
}
