//! Renders the web client for one stack.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chat_protocol::{Field, Mode, Receivers};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::config::Settings;
use crate::config::auth::Proof;
use crate::config::route::{Purpose, Route};
use crate::stack::connect::RequiredIdentity;

/// The web client's source. Opened as a file, it asks for all settings.
const DOCUMENT: &str = include_str!("../../../examples/web/index.html");
/// The placeholder for settings in the source.
const UNSET: &str = r#"<script type="application/json" id="settings">{}</script>"#;

/// The web client's settings for the stack of `settings`, which requires this `introduction`, at `endpoint`. Without an
/// endpoint, the client connects to the host that serves it.
pub fn page_settings(
    settings: &Settings,
    introduction: RequiredIdentity,
    proof: PageProof<'_>,
    endpoint: Option<&str>,
) -> Value {
    let names = match introduction {
        RequiredIdentity::Friends => "required",
        RequiredIdentity::Name => "optional",
        RequiredIdentity::Nothing => "none",
    };
    let mut value = json!({
        "title": settings.stack,
        "stage": settings.stage,
        "names": names,
        "asks": asked(settings, introduction),
        "routes": settings.routes.iter().map(route).collect::<Vec<_>>(),
    });
    if let Some(endpoint) = endpoint {
        value["endpoint"] = endpoint.into();
    }
    if proof.mode.needs_token() {
        value["auth"] = proof.mode.word().into();
        value["nameClaim"] = proof.name_claim.unwrap_or("sub").into();
        if let Some(renewal) = proof.renewal {
            value["renewal"] = renewal.into();
        }
    }
    value
}

/// How the page's user proves a name.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageProof<'a> {
    /// Whether a token is needed, and of which kind.
    pub mode: Mode,
    /// The claim of a token that the name is in; `None` stands for `sub`.
    pub name_claim: Option<&'a str>,
    /// Where the page gets new tokens, on its own origin; `None` lets it ask its user.
    pub renewal: Option<&'a str>,
}

impl<'a> PageProof<'a> {
    /// As the config of the page's stack has it.
    pub fn of(settings: &'a Settings) -> Self {
        Self {
            mode: settings.auth.mode(),
            name_claim: match &settings.auth.proof {
                Proof::Jwt(issuer) => Some(&issuer.name_claim),
                Proof::Claimed | Proof::Token(_) => None,
            },
            renewal: None,
        }
    }
}

fn route(route: &Route) -> Value {
    let key = &route.key;
    let text = route.purpose.text();
    match &route.purpose {
        Purpose::People { receivers, rule } => {
            let mut value = json!({
                "key": key, "receivers": receivers, "text": text, "maxTextBytes": rule.max_text_bytes,
            });
            if receivers.takes_include_sender() {
                value["includeSender"] = rule.include_sender.into();
            }
            value
        }
        Purpose::Http { .. } => json!({ "key": key, "receivers": "backend", "text": text }),
        Purpose::Handler(_) => json!({ "key": key, "receivers": "handler" }),
    }
}

/// The fields that the web client shows for the stack of `settings`, which requires this `introduction`.
fn asked(settings: &Settings, introduction: RequiredIdentity) -> Vec<&'static str> {
    let used: Vec<_> = settings.receivers().flat_map(Receivers::fields).collect();
    let said = settings.handshake();
    let is_asked = |field: &Field| match field {
        Field::From => introduction != RequiredIdentity::Nothing,
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
    introduction: RequiredIdentity,
    fragments: &[Option<String>; 2],
) -> Vec<String> {
    let Settings { from, to, .. } = settings;
    let [first, second] = fragments;
    let link = |from, to, fragment: &Option<String>| {
        let handshake = introduction.handshake(settings.handshake(), from, to);
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
mod tests {
    use super::*;
    use crate::config::Overrides;
    use chat_protocol::limit::MAX_FRAME_BYTES;
    use chat_protocol::{FRIEND_NOT_REACHABLE, auth, name};
    use expect_test::{Expect, expect};

    #[test]
    fn the_document_has_one_script_one_style_one_place_for_settings_and_no_external_resource() {
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
            "localStorage",
            "cookie",
        ] {
            assert!(!DOCUMENT.contains(never), "{never}");
        }
        // New tokens, from where its settings say, which the policy holds to the page's own origin.
        assert_eq!(DOCUMENT.matches("fetch(").count(), 1);
        assert!(DOCUMENT.contains("fetch(settings.renewal,"));
    }

    #[test]
    fn the_document_s_protocol_constants_equal_the_protocol_crate_s() {
        let handshake: serde_json::Map<_, _> = Field::ALL
            .map(|field| (field.word().to_owned(), field.name().into()))
            .into_iter()
            .collect();
        let protocol = json!({
            "handshake": handshake,
            "nameCharacters": name::MAX_CHARACTERS,
            "namePunctuation": name::PUNCTUATION,
            "everybody": name::EVERYBODY,
            "frameBytes": MAX_FRAME_BYTES,
            "friendNotReachable": FRIEND_NOT_REACHABLE,
            "subprotocol": auth::SUBPROTOCOL,
            "subprotocolToken": auth::SUBPROTOCOL_TOKEN,
            "tokenExpired": auth::TOKEN_EXPIRED,
        });
        let line = format!("\nconst PROTOCOL = {protocol};\n");
        assert!(DOCUMENT.contains(&line), "it must have the line {line}");
        for field in Field::ALL.map(Field::word) {
            assert!(
                DOCUMENT.contains(&format!("<input id=\"{field}\"")),
                "{field}"
            );
            assert!(
                DOCUMENT.contains(&format!("id=\"{field}-label\"")),
                "{field}"
            );
        }
        for name in Field::ALL.map(Field::name) {
            let quoted = format!("\"{name}\"");
            assert_eq!(DOCUMENT.matches(&quoted).count(), 1, "{name}");
        }
    }

    #[test]
    fn settings_cannot_end_their_block() {
        let page = html(&json!({ "title": "</script><script>alert(1)//<!--" }));
        assert_eq!(page.matches("<script>").count(), 1);
        assert!(page.contains(r#"{"title":"\u003c/script>\u003cscript>alert(1)//\u003c!--"}"#));
    }

    #[test]
    fn the_policy_allows_only_the_page_s_own_code() {
        let policy = policy();
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(
            policy.contains("default-src 'none'; script-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }

    fn settings(config: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), config).unwrap();
        Settings::load(folder.path(), Overrides::default()).unwrap()
    }

    fn check(config: &str, expected: Expect) {
        let settings = settings(config);
        let introduction = RequiredIdentity::from_settings(&settings);
        let base = "http://127.0.0.1:1/";
        let mut text = links(base, &settings, introduction, &[None, None]).join("\n");
        let proof = PageProof::of(&settings);
        let filled_in = page_settings(&settings, introduction, proof, None);
        text.push_str(&format!("\n{filled_in:#}\n"));
        expected.assert_eq(&text);
    }

    #[test]
    fn between_friends_the_links_carry_both_names() {
        check(
            "from = \"Ann Lee\"\nto = \"O'Neil+1@x\"\n",
            expect![[r#"
                http://127.0.0.1:1/?from=Ann+Lee&to=O%27Neil%2B1%40x
                http://127.0.0.1:1/?from=O%27Neil%2B1%40x&to=Ann+Lee
                {
                  "title": "chat",
                  "stage": "v1",
                  "names": "required",
                  "asks": [
                    "from",
                    "to"
                  ],
                  "routes": [
                    {
                      "key": "$default",
                      "receivers": "friend",
                      "text": null,
                      "maxTextBytes": 131072
                    }
                  ]
                }
            "#]],
        );
    }

    #[test]
    fn in_a_room_names_are_optional_and_the_page_has_each_route_s_receivers() {
        check(
            "[[routes]]\nkey = \"onMessage\"\nreceivers = \"room\"\ntext = \"message\"\ninclude-sender = true\n",
            expect![[r#"
                http://127.0.0.1:1/?from=Tom
                http://127.0.0.1:1/?from=Jerry
                {
                  "title": "chat",
                  "stage": "v1",
                  "names": "optional",
                  "asks": [
                    "from",
                    "room"
                  ],
                  "routes": [
                    {
                      "key": "onMessage",
                      "receivers": "room",
                      "text": "message",
                      "maxTextBytes": 32768,
                      "includeSender": true
                    }
                  ]
                }
            "#]],
        );
    }

    #[test]
    fn with_a_backend_the_page_has_no_fields_and_one_link() {
        check(
            r#"
            routes = [
              { key = "$connect", http = "https://b.example/c" }, { key = "$disconnect", http = "https://b.example/d" },
              { key = "sendMessage", http = "https://b.example/s", text = "message" },
            ]"#,
            expect![[r#"
                http://127.0.0.1:1/
                {
                  "title": "chat",
                  "stage": "v1",
                  "names": "none",
                  "asks": [],
                  "routes": [
                    {
                      "key": "sendMessage",
                      "receivers": "backend",
                      "text": "message"
                    }
                  ]
                }
            "#]],
        );
    }

    #[test]
    fn a_page_whose_names_are_proven_knows_how_and_its_links_carry_the_proof_behind_the_hash() {
        let settings = settings("");
        let introduction = RequiredIdentity::from_settings(&settings);
        let fragments = ["token=a.b.c", "key=00"].map(|it| Some(it.to_owned()));
        assert_eq!(
            links("http://127.0.0.1:1/", &settings, introduction, &fragments),
            [
                "http://127.0.0.1:1/?from=Tom&to=Jerry#token=a.b.c",
                "http://127.0.0.1:1/?from=Jerry&to=Tom#key=00"
            ]
        );
        let proof = PageProof {
            mode: Mode::Token,
            name_claim: None,
            renewal: Some("/token"),
        };
        let filled_in = page_settings(&settings, introduction, proof, None);
        assert_eq!(filled_in["auth"], "token");
        assert_eq!(filled_in["nameClaim"], "sub");
        assert_eq!(filled_in["renewal"], "/token");
    }

    #[test]
    fn the_page_of_a_local_stack_is_at_the_root_of_its_port() {
        assert_eq!(beside("ws://127.0.0.1:4711/v1"), "http://127.0.0.1:4711/");
    }
}
