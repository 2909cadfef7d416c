use super::*;
use crate::config::Overrides;
use chat_protocol::limit::MAX_FRAME_BYTES;
use chat_protocol::{FRIEND_NOT_REACHABLE, Mode, auth, name};
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

/// The page's client, as a module for other pages.
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/web/chat.js");

/// The line with the constants that the protocol crate has.
fn constants() -> String {
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
    format!("export const PROTOCOL = {protocol};")
}

/// The client's text; with `UPDATE_EXPECT`, the constants are written into it first.
fn client() -> String {
    static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = LOCK.lock().unwrap();
    let client = std::fs::read_to_string(CLIENT).unwrap();
    let mut lines = client.lines();
    let found = lines.find(|line| line.starts_with("export const PROTOCOL = "));
    let updated = client.replace(found.expect("chat.js exports it"), &constants());
    if updated == client || std::env::var_os("UPDATE_EXPECT").is_none() {
        return client;
    }
    std::fs::write(CLIENT, &updated).unwrap();
    updated
}

#[test]
fn the_client_s_protocol_constants_equal_the_protocol_crate_s() {
    let line = constants();
    assert!(
        client().lines().any(|it| it == line),
        "UPDATE_EXPECT=1 writes into chat.js: {line}"
    );
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

/// A page that is opened as a file can load no module from a file beside it, so the document carries the client.
#[test]
fn the_document_carries_the_client_that_lies_beside_it() {
    const BEGIN: &str = "//@@ chat.js, ";
    const END: &str = "//@@ The end of chat.js.";
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/web");
    let client = client();
    let client = client.lines().map(|line| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        format!("{line}\n")
    });
    let client = client.collect::<String>();
    let (before, rest) = DOCUMENT.split_once(BEGIN).unwrap();
    let (mark, rest) = rest.split_once('\n').unwrap();
    let (carried, after) = rest.split_once(END).unwrap();
    if carried != client && std::env::var_os("UPDATE_EXPECT").is_some() {
        let document = format!("{before}{BEGIN}{mark}\n{client}{END}{after}");
        std::fs::write(folder.join("index.html"), document).unwrap();
        return;
    }
    assert!(
        carried == client,
        "examples/web/index.html carries another chat.js than that beside it: UPDATE_EXPECT=1 copies it"
    );
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
    let required = RequiredIdentity::from_settings(&settings);
    let base = "http://127.0.0.1:1/";
    let mut text = links(base, &settings, required, &[None, None]).join("\n");
    let proof = PageProof::from_settings(&settings);
    let filled_in = page_settings(&settings, required, proof, None);
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
fn a_page_with_proven_names_has_their_mode_and_links_with_the_proof_behind_the_hash() {
    let settings = settings("");
    let required = RequiredIdentity::from_settings(&settings);
    let fragments = ["token=a.b.c", "key=00"].map(|it| Some(it.to_owned()));
    assert_eq!(
        links("http://127.0.0.1:1/", &settings, required, &fragments),
        [
            "http://127.0.0.1:1/?from=Tom&to=Jerry#token=a.b.c",
            "http://127.0.0.1:1/?from=Jerry&to=Tom#key=00"
        ]
    );
    let proof = PageProof {
        mode: Mode::Token,
        name_claim: None,
        renewal: Some("/token"),
        ..PageProof::default()
    };
    let filled_in = page_settings(&settings, required, proof, None);
    assert_eq!(filled_in["auth"], "token");
    assert_eq!(filled_in["nameClaim"], "sub");
    assert_eq!(filled_in["renewal"], "/token");
}

#[test]
fn the_page_of_a_local_stack_is_at_the_root_of_its_port() {
    assert_eq!(beside("ws://127.0.0.1:4711/v1"), "http://127.0.0.1:4711/");
}
