//! Renders the web client for one stack.

mod access;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chat_protocol::{Field, Names, Receivers};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::config::Settings;
use crate::config::route::{Purpose, Route};
use crate::stack::connect::RequiredIdentity;

pub use access::{PageProof, deployed_origins, lists};

/// The web client's source. Opened as a file, it asks for all settings.
const DOCUMENT: &str = include_str!("../../../page.html");
/// The placeholder for settings in the source.
const UNSET: &str = r#"<script type="application/json" id="settings">{}</script>"#;

/// The web client's settings for the stack of `settings`, which requires this identity, at `endpoint`. Without an
/// endpoint, the client connects to the host that serves it.
pub fn page_settings(
    settings: &Settings,
    required: RequiredIdentity,
    proof: PageProof<'_>,
    endpoint: Option<&str>,
) -> Value {
    let names = match required {
        RequiredIdentity::Friends => Names::Required.word(),
        RequiredIdentity::Name => Names::Optional.word(),
        RequiredIdentity::Nothing => "none",
    };
    let mut value = json!({
        "title": settings.stack,
        "stage": settings.stage,
        "names": names,
        "asks": asked(settings, required),
        "routes": settings.routes.iter().map(route).collect::<Vec<_>>(),
    });
    if let Some(endpoint) = endpoint {
        value["endpoint"] = endpoint.into();
    }
    if !proof.origins.is_empty() {
        value["origins"] = json!(proof.origins);
    }
    if proof.mode.proves_names() {
        value["auth"] = proof.mode.word().into();
        value["nameClaim"] = proof.name_claim.unwrap_or("sub").into();
        if let Some(renewal) = proof.renewal {
            value["renewal"] = renewal.into();
        }
    }
    value
}

fn route(route: &Route) -> Value {
    let key = &route.key;
    let text = route.purpose.text();
    match &route.purpose {
        Purpose::People { receivers, rule } => {
            // All that the client has to know of a kind.
            let reached = match receivers.reach_a_room() {
                true => Receivers::Room,
                false => Receivers::Friend,
            };
            let mut value = json!({
                "key": key, "receivers": reached, "text": text, "maxTextBytes": rule.max_text_bytes,
            });
            if rule.envelope {
                value["envelope"] = true.into();
            }
            if rule.history.is_some() {
                value["history"] = true.into();
            }
            if receivers.takes_include_sender() {
                value["includeSender"] = rule.include_sender.into();
            }
            value
        }
        Purpose::Http { .. } => json!({ "key": key, "receivers": "backend", "text": text }),
        Purpose::Handler(_) => json!({ "key": key, "receivers": "handler" }),
        Purpose::Answers(answers) => json!({ "key": key, "answers": answers }),
    }
}

/// The fields that the web client shows for the stack of `settings`, which requires this identity.
fn asked(settings: &Settings, required: RequiredIdentity) -> Vec<&'static str> {
    let used: Vec<_> = settings.receivers().flat_map(Receivers::fields).collect();
    let said = settings.handshake();
    let is_asked = |field: &Field| match field {
        Field::From => required != RequiredIdentity::Nothing,
        field => used.contains(&field) || said.get(*field).is_some(),
    };
    let fields = Field::ALL.into_iter().filter(is_asked);
    fields.map(Field::word).collect()
}

/// The web client with `settings` inserted.
pub fn html(settings: &Value) -> String {
    // Escaped, so that no `<` ends the block early or begins a comment in it.
    let settings = settings.to_string().replace('<', "\\u003c");
    DOCUMENT.replacen(UNSET, &UNSET.replace("{}", &settings), 1)
}

/// The web client's `Content-Security-Policy`: its own script and style by digest, WebSockets to any host, requests to its own
/// origin, nothing else.
///
/// See <https://www.w3.org/TR/CSP3/>. `ws:` and `wss:` are open because the endpoint is a field of the web client.
pub fn policy() -> String {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; connect-src 'self' ws: wss:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        digest_of("<script>", "</script>"),
        digest_of("<style>", "</style>"),
    )
}

fn digest_of(start: &str, end: &str) -> String {
    let inside = DOCUMENT
        .split_once(start)
        .and_then(|(_, rest)| rest.split_once(end));
    let (inside, _) = inside.expect("a test checks that the page has one script and one style");
    format!("sha256-{}", STANDARD.encode(Sha256::digest(inside)))
}

/// The web client's addresses for the two users of the connect commands; each address connects as its user. Without
/// names, one address for all users.
///
/// What `fragments` has for each of them stands behind the `#`, which no browser sends to a server.
pub fn links(
    base: &str,
    settings: &Settings,
    required: RequiredIdentity,
    fragments: &[Option<String>; 2],
) -> Vec<String> {
    let Settings { from, to, .. } = settings;
    let [first, second] = fragments;
    let link = |from, to, fragment: &Option<String>| {
        let handshake = required.handshake(settings.handshake(), from, to);
        let said = handshake
            .fields()
            .map(|(field, value)| format!("{}={}", field.word(), query_value(value)));
        let query = said.collect::<Vec<_>>().join("&");
        let link = match &query[..] {
            "" => base.to_owned(),
            query => format!("{base}?{query}"),
        };
        match fragment {
            Some(fragment) => format!("{link}#{fragment}"),
            None => link,
        }
    };
    let mut links = vec![link(from, to, first), link(to, from, second)];
    links.dedup();
    links
}

/// The web client's address for the local stack at `endpoint` (`ws://HOST/STAGE`).
pub fn beside(endpoint: &str) -> String {
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
mod tests;
