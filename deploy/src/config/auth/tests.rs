//! What `[auth]` may say, and the errors where it may not.

use super::*;
use crate::config::{ConfigError, FILE_NAME, Overrides, Settings};
use chat_identity::PrivateKey;
use chat_protocol::auth::KEYS_FILE;
use expect_test::{Expect, expect};

fn load_with(text: &str, keys: Option<&KeySet>) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
    if let Some(keys) = keys {
        std::fs::write(folder.path().join(KEYS_FILE), keys::to_text(keys)).unwrap();
    }
    Settings::load(folder.path(), Overrides::default())
}

fn check(auth: &str, expected: Expect) {
    let error = load_with(&format!("[auth]\n{auth}\n"), None).expect_err(auth);
    let reported = error.to_string();
    let reported: Vec<_> = reported.lines().take(1).collect();
    expected.assert_eq(&reported.concat());
}

#[test]
fn what_does_not_go_together_is_refused_with_its_line_and_a_remedy() {
    check(
        "mode = \"jwt\"",
        expect![[
            r#"chatctl.toml:2:8: `mode = "jwt"` needs `issuer`, the https address of an OpenID Connect issuer"#
        ]],
    );
    check(
        "mode = \"jwt\"\nissuer = \"https://i.example\"",
        expect![[
            r#"chatctl.toml:2:8: `mode = "jwt"` needs `audience`, or tokens that the issuer made for other services would be accepted, too: `audience = ["chat"]`, or the client's id"#
        ]],
    );
    check(
        "mode = \"token\"\nissuer = \"https://i.example\"",
        expect![[
            r#"chatctl.toml:3:10: `issuer` belongs to `mode = "jwt"`: a token of `mode = "token"` names its holder in `sub` and the stack in `aud`"#
        ]],
    );
    check(
        "audience = [\"chat\"]",
        expect![[
            r#"chatctl.toml:2:12: `audience` belongs to `mode = "jwt"`: without a mode nothing proves a name"#
        ]],
    );
    check(
        "mode = \"jwt\"\nissuer = \"http://i.example\"\naudience = [\"chat\"]",
        expect![[
            r#"chatctl.toml:3:10: "http://i.example" is not the address of an issuer: keys that travel unencrypted prove nothing: give an https address (http only for an issuer on this machine, and for the local stack)"#
        ]],
    );
    check(
        "mode = \"jwt\"\nissuer = \"https://i.example\"\naudience = [\"*\"]",
        expect![[
            r#"chatctl.toml:4:13: an audience is compared letter by letter, so `*` stands for nothing else: write it out"#
        ]],
    );
    check(
        "origins = [\"https://*.example\"]",
        expect![[
            r#"chatctl.toml:2:11: "https://*.example" is not the origin of a web page: `*` would stand for hosts of others: name each address"#
        ]],
    );
    check(
        "origins = []",
        expect![[
            r#"chatctl.toml:2:11: `origins` is empty: name the origins of your pages, or leave `origins` out to accept every page"#
        ]],
    );
    check(
        "mode = \"open\"",
        expect![[
            r#"chatctl.toml:2:8: unknown value `open`, expected one of `claimed`, `token`, `jwt`"#
        ]],
    );
}

#[test]
fn where_a_backend_decides_who_connects_no_mode_and_no_origin_can_be_asked_for() {
    let routes = ["$connect", "$disconnect", "$default"]
        .map(|key| format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://backend.example\"\n"));
    for line in [
        "mode = \"token\"",
        "handler = \"door\"",
        "origins = [\"https://chat.example\"]",
    ] {
        let text = format!("{}[auth]\n{line}\n", routes.concat());
        let error = load_with(&text, None).unwrap_err().to_string();
        assert!(error.contains("leads to your backend"), "{error}");
    }
    let text = format!("{}[auth]\nmode = \"claimed\"\n", routes.concat());
    load_with(&text, None).unwrap();
}

#[test]
fn a_mode_that_needs_a_key_says_where_it_was_asked_for_and_which_command_makes_one() {
    let text = "[auth]\nmode = \"token\"\n";
    // What shows and changes keys must load all the same.
    let without = load_with(text, None).unwrap();
    let error = without.check_keys().unwrap_err().to_string();
    assert!(error.starts_with("chatctl.toml:2:8: "), "{error}");
    assert!(error.contains("chatctl.keys.json has none"), "{error}");
    let key = PrivateKey::generate().unwrap().public().clone();
    let with = load_with(text, Some(&KeySet::new([key]).unwrap())).unwrap();
    with.check_keys().unwrap();
    load_with("", None).unwrap().check_keys().unwrap();
}

#[test]
fn keys_beyond_what_a_function_s_environment_holds_are_refused_before_anything_is_built() {
    use base64::Engine;
    let encode = |byte: u8, length| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![byte; length])
    };
    let rsa = |byte: u8, bits: usize| {
        let n = encode(byte, bits / 8);
        let jwk = serde_json::json!({"kty": "RSA", "n": n, "e": "AQAB"});
        chat_identity::PublicKey::from_jwk(&jwk).unwrap()
    };
    let settings = |count, bits| {
        let keys = (0..count).map(|at| rsa(200 + at, bits));
        let keys = KeySet::new(keys).unwrap();
        load_with("[auth]\nmode = \"token\"\n", Some(&keys)).unwrap()
    };
    settings(7, 2_048).check_keys().unwrap();
    let error = settings(5, 4_096).check_keys().unwrap_err().to_string();
    assert!(error.contains("retire a key"), "{error}");
}

#[test]
fn a_user_s_authorizer_decides_alone_and_its_folder_starts_at_the_config() {
    for (beside, place) in [
        ("mode = \"token\"", "3:8"),
        ("mode = \"claimed\"", "3:8"),
        ("issuer = \"https://issuer.example\"", "3:10"),
        ("audience = [\"chat\"]", "3:12"),
        ("name-claim = \"sub\"", "3:14"),
    ] {
        let text = format!("[auth]\nhandler = \"door\"\n{beside}\n");
        let error = load_with(&text, None).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("chatctl.toml:{place}: ")),
            "{error}"
        );
        assert!(error.contains("cannot stand beside `handler`"), "{error}");
    }
    check(
        "permissions = []",
        expect![
            "chatctl.toml:2:15: `permissions` belong to `handler`, which names the folder of your authorizer's crate; chatctl's own needs none"
        ],
    );
    check(
        "handler = \"\"",
        expect![
            "chatctl.toml:2:11: the folder of the handler's crate is empty: write `.` for this one"
        ],
    );
    let text = "[auth]\nhandler = \"door\"\norigins = [\"https://chat.example\"]\n";
    let settings = load_with(text, None).unwrap();
    let handler = settings.auth.handler().unwrap();
    assert_eq!(handler.folder, settings.folder.join("door"));
    assert_eq!(settings.auth.mode(), chat_protocol::Mode::Handler);
    assert_eq!(settings.cautions(), [""; 0]);
}

#[test]
fn permissions_of_the_authorizer_that_iam_would_refuse_are_refused_with_their_line() {
    let arns: Vec<_> = (0..100)
        .map(|number| format!("\"arn:aws:s3:::{}{number}\"", "a".repeat(100)))
        .collect();
    let text = format!(
        "[auth]\nhandler = \"door\"\npermissions = [{{ actions = [\"s3:GetObject\"], resources = [{}] }}]\n",
        arns.join(", ")
    );
    let error = load_with(&text, None).unwrap_err().to_string();
    assert!(error.starts_with("chatctl.toml:3:15: "), "{error}");
    assert!(error.contains("which IAM limits to"), "{error}");
}
