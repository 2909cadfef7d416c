//! `[auth]`: what chatctl refuses, the schema refuses too, except where what is wrong is in how values go together.

use super::verdicts;

/// A list with this many entries, each in quotes.
fn many(count: usize, entry: impl Fn(usize) -> String) -> String {
    let entries: Vec<_> = (0..count).map(|at| format!("\"{}\"", entry(at))).collect();
    format!("[{}]", entries.join(","))
}

/// `[auth]` of `mode = "jwt"`, in which `key` has this value instead of a good one.
fn jwt(key: &str, value: &str) -> String {
    let good = [
        ("issuer", "\"https://issuer.example\""),
        ("audience", "[\"chat\"]"),
        ("name-claim", "\"sub\""),
    ];
    let lines = good.map(|(name, good)| match name == key {
        true => format!("{name} = {value}\n"),
        false => format!("{name} = {good}\n"),
    });
    format!("[auth]\nmode = \"jwt\"\n{}", lines.concat())
}

#[test]
fn what_auth_may_say_both_accept() {
    for config in [
        "[auth]".to_owned(),
        "[auth]\nmode = \"claimed\"\norigins = [\"https://chat.example:8443\", \"http://127.0.0.1:8080\"]".into(),
        "[auth]\nmode = \"token\"\norigins = [\"http://[::1]:1\"]".into(),
        jwt("", ""),
        jwt("issuer", "\"https://example.eu.auth0.com/\""),
        jwt("issuer", "\"https://keycloak.example:8443/realms/a@b\""),
        jwt("issuer", "\"http://127.0.0.1:4000/x\""),
        jwt("issuer", "\"http://localhost\""),
        jwt("issuer", "\"http://[::1]:4000\""),
        jwt("audience", &many(16, |at| format!("audience {at}"))),
        jwt("name-claim", "\"cognito:username\""),
        jwt("name-claim", "\"https://example.com/name\""),
    ] {
        assert_eq!(verdicts(&config), (true, true), "{config}");
    }
}

#[test]
fn what_auth_may_not_say_both_refuse() {
    let long = format!("\"{}\"", "x".repeat(257));
    let far = format!("\"https://{}.example\"", "x".repeat(512));
    let mut configs: Vec<String> = Vec::new();
    for value in [
        "\"open\"",
        "\"\"",
        "\"Token\"",
        "\"none\"",
        "1",
        "true",
        "[\"token\"]",
        "{}",
    ] {
        configs.push(format!("[auth]\nmode = {value}"));
    }
    for value in [
        "\"\"",
        "1",
        "[\"https://issuer.example\"]",
        "\"issuer.example\"",
        "\"ftp://issuer.example\"",
        "\"https://\"",
        "\"https:// issuer.example\"",
        "\"https://issuer.example/?a=b\"",
        "\"https://issuer.example/#a\"",
        "\"https://*.example\"",
        "\"https://user:word@issuer.example\"",
        "\"https://issuer.example/.well-known/openid-configuration\"",
        "\"http://issuer.example\"",
        "\"http://127.0.0.1.issuer.example\"",
        "\"http://localhost.issuer.example\"",
        "\"http://192.168.0.7\"",
        &far,
    ] {
        configs.push(jwt("issuer", value));
    }
    let several = many(17, |at| at.to_string());
    for value in [
        "\"chat\"",
        "[]",
        "[\"\"]",
        "[1]",
        "[\"*\"]",
        "[\"a*\"]",
        "[\"a\\n\"]",
        "[\"a\", \"a\"]",
        &several,
    ] {
        configs.push(jwt("audience", value));
    }
    configs.push(jwt("audience", &format!("[{long}]")));
    for value in ["\"\"", "1", "[\"sub\"]", "\"*\"", "\"s\\tub\"", &long] {
        configs.push(jwt("name-claim", value));
    }
    let several = many(17, |at| format!("https://{at}.example"));
    let far = format!("[{far}]");
    for value in [
        "\"https://chat.example\"",
        "[]",
        "[\"\"]",
        "[1]",
        "[\"*\"]",
        "[\"null\"]",
        "[\"chat.example\"]",
        "[\"wss://chat.example\"]",
        "[\"https://chat.example/\"]",
        "[\"https://chat.example/x\"]",
        "[\"https://chat.example?x\"]",
        "[\"https://Chat.example\"]",
        "[\"https://*.example\"]",
        "[\"https://a@chat.example\"]",
        "[\"https://a.example\", \"https://a.example\"]",
        &several,
        &far,
    ] {
        configs.push(format!("[auth]\norigins = {value}"));
    }
    configs.extend(["[auth]\norgins = []", "auth = \"token\"", "[[auth]]"].map(str::to_owned));
    for config in configs {
        assert_eq!(verdicts(&config), (false, false), "{config}");
    }
}

/// A schema could say some of it, at a length that would show in every editor.
#[test]
fn what_does_not_go_together_only_chatctl_refuses() {
    let backend = ["$connect", "$disconnect", "$default"]
        .map(|key| format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://backend.example\"\n"))
        .concat();
    for config in [
        "[auth]\nmode = \"jwt\"".to_owned(),
        "[auth]\nmode = \"jwt\"\nissuer = \"https://issuer.example\"".into(),
        "[auth]\nmode = \"jwt\"\naudience = [\"chat\"]".into(),
        "[auth]\nmode = \"token\"\nissuer = \"https://issuer.example\"".into(),
        "[auth]\nmode = \"token\"\naudience = [\"chat\"]".into(),
        "[auth]\nname-claim = \"sub\"".into(),
        "[auth]\norigins = [\"https://chat.example:443\"]".into(),
        "[auth]\norigins = [\"http://chat.example:80\"]".into(),
        "[auth]\norigins = [\"https://chat.example:0\"]".into(),
        "[auth]\norigins = [\"https://chat.example:65536\"]".into(),
        jwt("issuer", "\"https://issuer.example:0\""),
        jwt("issuer", "\"http://127.0.0.1:99999\""),
        // More than a function's environment holds.
        format!(
            "[auth]\norigins = {}",
            many(10, |at| format!("https://{at}{}.example", "x".repeat(450)))
        ),
        format!("{backend}[auth]\nmode = \"token\""),
        format!("{backend}[auth]\norigins = [\"https://chat.example\"]"),
    ] {
        assert_eq!(verdicts(&config), (true, false), "{config}");
    }
}
