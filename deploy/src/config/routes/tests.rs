//! Resolved tables, and refused ones with the place of the problem.

use super::*;
use crate::config::parse::parse;
use crate::config::secret::LocalSecret;
use chat_protocol::Rule;
use expect_test::{Expect, expect};

fn routes(text: &str) -> Routes {
    parse(Path::new("chatctl.toml"), text, Path::new("/chat"))
        .unwrap()
        .1
}

/// Shows where each of these route tables is wrong, and why.
fn check(tables: &[&str], expected: Expect) {
    let refusals = tables.iter().map(|table| {
        let text = format!("[[routes]]\n{}\n", table.replace("; ", "\n"));
        let error = parse(Path::new("x"), &text, Path::new(""))
            .expect_err(table)
            .to_string();
        error.lines().next().unwrap_or_default().to_owned() + "\n"
    });
    expected.assert_eq(&refusals.collect::<String>());
}

#[test]
fn missing_options_of_a_route_get_their_defaults() {
    let text = "[[routes]]\nkey = \"a\"\n[[routes]]\nkey = \"b\"\nreceivers = \"room\"\n";
    let [a, b] = &routes(text).messages[..] else {
        panic!("two routes");
    };
    let people = |receivers, max_text_bytes| Purpose::People {
        receivers,
        rule: Rule {
            text: None,
            include_sender: false,
            max_text_bytes,
            envelope: false,
            history: None,
        },
    };
    assert_eq!(a.purpose, people(Receivers::Friend, 131_072));
    assert_eq!(b.purpose, people(Receivers::Room, 32_768));
}

#[test]
fn every_option_of_a_room_is_kept() {
    let text = "[[routes]]\nkey = \"onMessage\"\nreceivers = \"room\"\ntext = \"message\"\n\
                include-sender = true\nmax-text-bytes = 10\nenvelope = true\nhistory = \"7d\"\n";
    let rule = Rule {
        text: Some("message".into()),
        include_sender: true,
        max_text_bytes: 10,
        envelope: true,
        history: Some(604_800),
    };
    let receivers = Receivers::Room;
    let purpose = Purpose::People { receivers, rule };
    assert_eq!(routes(text).messages[0].purpose, purpose);
}

#[test]
fn a_handler_s_folder_starts_at_the_config_and_its_permissions_are_kept() {
    let text = "[[routes]]\nkey = \"roll\"\nhandler = \"dice\"\nreply = true\n[[routes.permissions]]\n\
                actions = [\"dynamodb:Query\"]\nresources = [\"table\"]\n";
    let Purpose::Handler(handler) = &routes(text).messages[0].purpose else {
        panic!("a handler");
    };
    assert_eq!(handler.folder, Path::new("/chat/dice"));
    assert!(handler.reply);
    assert_eq!(handler.grants.len(), 1);
}

#[test]
fn a_backend_takes_connect_and_disconnect_together() {
    let url = |path: &str| format!("http = \"https://b.example/{path}\"\n");
    let text = format!(
        "[[routes]]\nkey = \"$connect\"\n{}[[routes]]\nkey = \"$disconnect\"\n{}[[routes]]\nkey = \"send\"\n{}text = \"message\"\n",
        url("in"),
        url("out"),
        url("send")
    );
    let routes = routes(&text);
    assert_eq!(
        routes.lifecycle.unwrap().disconnect.url.to_string(),
        "https://b.example/out"
    );
    assert_eq!(routes.messages.len(), 1);
}

#[test]
fn a_backend_has_a_secret_header_and_nothing_else_has_one() {
    let secret = "secret-header = { name = \"x-chat\", ssm = \"/chat\", file = \"secret\" }\n";
    let routes = routes(&format!(
        "[[routes]]\nkey = \"$default\"\nhttp = \"https://b.example/\"\n{secret}"
    ));
    let Purpose::Http { backend, .. } = &routes.messages[0].purpose else {
        panic!("{routes:?}");
    };
    let header = backend.secret.as_ref().unwrap();
    assert_eq!(
        (header.name.as_str(), &*header.reference.to_string()),
        ("x-chat", "ssm:/chat")
    );
    // A relative path starts at the config's folder.
    let file = LocalSecret::File(Path::new("/chat").join("secret"));
    assert_eq!(header.local, Some(file));
}

#[test]
fn options_that_do_not_belong_together_are_refused_at_their_place() {
    check(
        &[
            "key = 'a'; receivers = 'room'; secret-header = { name = 'x', ssm = 'a' }",
            "key = 'a'; handler = 'roll'; secret-header = { name = 'x', ssm = 'a' }",
            "key = 'a'; http = 'https://b.example'; secret-header = { name = 'host', ssm = 'a' }",
            "key = 'a'; http = 'https://b.example'; secret-header = { name = 'x' }",
            "key = 'a'; include-sender = true",
            "key = 'a'; receivers = 'room'; http = 'https://b.example'",
            "key = 'a'; handler = 'h'; http = 'https://b.example'",
            "key = 'a'; handler = 'h'; receivers = 'friend'",
            "key = 'a'; reply = true",
            "key = 'a'; http = 'https://b.example'; reply = true",
            "key = 'a'; http = 'https://b.example'; max-text-bytes = 3",
            "key = 'a'; http = 'https://b.example'; envelope = true",
            "key = 'a'; handler = 'h'; envelope = false",
            "key = 'a'; announce = true",
            "key = 'a'; receivers = 'room'; announce = true",
            "key = 'a'; http = 'https://b.example'; announce = true",
            "key = 'a'; handler = 'h'; announce = false",
            "key = 'a'; answers = 'kick'; announce = true",
            "key = 'a'; text = 'ref'; envelope = true",
            "key = 'a'; review = 'filter'",
            "key = 'a'; review = 'filter'; envelope = false",
            "key = 'a'; envelope = true; review-timeout = '1s'",
            "key = 'a'; envelope = true; review-fallback = 'allow'",
            "key = 'a'; handler = 'h'; review = 'filter'",
            "key = 'a'; answers = 'who'; review-fallback = 'allow'",
            "key = 'a'; http = 'https://b.example'; review-permissions = []",
            "key = 'a'; history = '7d'",
            "key = 'a'; history = '7d'; envelope = false",
            "key = 'a'; http = 'https://b.example'; history = '7d'",
            "key = 'a'; handler = 'h'; history = '7d'",
            "key = 'a'; answers = 'history'; history = '7d'",
            "key = 'a'; answers = 'who'",
            "key = 'a'; answers = 'who'; receivers = 'room'",
            "key = 'a'; answers = 'who'; text = 'x'",
            "key = 'a'; handler = 'h'; text = 'x'",
            "key = 'a'; [[routes.permissions]]; actions = ['s3:GetObject']; resources = ['table']",
        ],
        expect![[r#"
            x:4:17: `secret-header` belongs to a route with `http`
            x:4:17: `secret-header` belongs to a route with `http`, and this one has `handler`
            x:4:17: API Gateway sets `host` itself; choose another name, such as "x-chat-secret"
            x:4:17: it does not name the value's place at AWS: add `secretsmanager = "NAME"` or `ssm = "NAME"`
            x:3:18: `include-sender` belongs to rooms (`receivers = "room"`): a friend is one other person
            x:4:8: a route has `receivers` or `http`, not both
            x:3:11: a route has `http` or `handler`, not both
            x:3:11: a route has `receivers` or `handler`, not both
            x:3:9: `reply` belongs to a route with `handler`
            x:4:9: `reply` belongs to a route with `handler`, and this one has `http`
            x:4:18: `max-text-bytes` belongs to a route with `receivers`, and this one has `http`
            x:4:12: `envelope` belongs to a route with `receivers`, and this one has `http`
            x:4:12: `envelope` belongs to a route with `receivers`, and this one has `handler`
            x:3:12: `announce` belongs to a route with `answers = "who"`
            x:4:12: `announce` belongs to a route with `answers = "who"`
            x:4:12: `announce` belongs to a route with `answers = "who"`, and this one has `http`
            x:4:12: `announce` belongs to a route with `answers = "who"`, and this one has `handler`
            x:4:12: `announce` belongs to a route with `answers = "who"`, and this one answers something else
            x:3:8: with `envelope`, the member `ref` is for receipts and `attributes` for other texts: choose another name for the member with the text
            x:3:10: `review` needs `envelope = true`: without it a message has neither a sender nor an id, and a refusal no `ref`; add that line
            x:3:10: `review` needs `envelope = true`: without it a message has neither a sender nor an id, and a refusal no `ref`; add that line
            x:4:18: `review-timeout` belongs to `review`, which names the folder of your review function's crate: add `review`
            x:4:19: `review-fallback` belongs to `review`, which names the folder of your review function's crate: add `review`
            x:4:10: `review` belongs to a route with `receivers`, and this one has `handler`
            x:4:19: `review-fallback` belongs to a route with `receivers`, and this one has `answers`
            x:4:22: `review-permissions` belongs to a route with `receivers`, and this one has `http`
            x:3:11: `history` keeps messages with their id, sender and time: add `envelope = true` to this route
            x:3:11: `history` keeps messages with their id, sender and time: add `envelope = true` to this route
            x:4:11: `history` belongs to a route with `receivers`, and this one has `http`
            x:4:11: `history` belongs to a route with `receivers`, and this one has `handler`
            x:4:11: `history` belongs to a route with `receivers`, and this one has `answers`
            x:2:7: no route takes messages: add one, for example with the key `$default`
            x:3:11: a route has `receivers` or `answers`, not both
            x:4:8: `text` belongs to a route with `receivers` or `http`, and this one has `answers`
            x:4:8: `text` belongs to a route with `receivers` or `http`, and this one has `handler`
            x:3:1: `permissions` belongs to a route with `handler`
        "#]],
    );
}

#[test]
fn a_request_that_cannot_be_answered_is_refused_at_its_place() {
    let settings = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
        crate::config::Settings::load(folder.path(), crate::config::Overrides::default())
    };
    let jwt = "[auth]\nmode = \"jwt\"\nissuer = \"https://i.example\"\naudience = [\"chat\"]\n";
    let route = |key: &str, more: &str| format!("[[routes]]\nkey = \"{key}\"\n{more}\n");
    let friend = route("$default", "");
    let room = route("say", "receivers = \"room\"");
    let who = route("who", "answers = \"who\"");
    let kick = route("kick", "answers = \"kick\"");
    let announce = route("who", "answers = \"who\"\nannounce = true");
    let kept = route("say", "envelope = true\nhistory = \"12h\"");
    let [history, delete] =
        ["history", "delete"].map(|it| route(it, &format!("answers = \"{it}\"")));
    for (text, reason) in [
        (
            format!("{friend}{who}"),
            "no route has `receivers = \"room\"`",
        ),
        (format!("{jwt}{who}{kick}"), "no route takes messages"),
        (
            format!("{room}{who}{kick}"),
            "only a sender with the right `moderate`",
        ),
        (
            format!("{friend}{announce}"),
            "no route has `receivers = \"room\"`",
        ),
        (format!("{room}{who}{history}"), "no route keeps any"),
        (format!("{room}{delete}"), "no route keeps any"),
    ] {
        let error = settings(&text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    for text in [
        format!("{room}{who}"),
        format!("{kept}{history}{delete}"),
        format!("{jwt}{friend}{kick}"),
        format!("{jwt}{room}{who}{kick}"),
    ] {
        assert!(!settings(&text).unwrap().announces);
    }
    assert!(settings(&format!("{room}{announce}")).unwrap().announces);
}

#[test]
fn values_that_mean_nothing_are_refused_at_their_place() {
    check(
        &[
            "key = 'a'; receivers = 'everybody'",
            "key = 'a'; text = ''",
            "key = 'a'; text = 'a.b'",
            "key = 'a'; max-text-bytes = 0",
            "key = 'a'; max-text-bytes = 131073",
            "key = 'a'; http = 'https://b.example:22/'",
            "key = 'a'; handler = ''",
            "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = ['query']; resources = ['table']",
            "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = ['s3:GetObject']; resources = ['*']",
            "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = []; resources = ['table']",
            "key = 'a'; handler = 'h'; [[routes.permissions]]; actions = ['s3:GetObject']",
            "key = 'a'; envelope = true; review = ''",
            "key = 'a'; envelope = true; review = 'f'; review-fallback = 'deny'",
            "key = 'a'; envelope = true; review = 'f'; review-timeout = '1m'",
            "key = 'a'; envelope = true; review = 'f'; review-timeout = 2",
            "key = 'a'; history = 7; envelope = true",
            "key = 'a'; history = '59m'; envelope = true",
            "key = 'a'; history = '0h'; envelope = true",
            "key = 'a'; history = '366d'; envelope = true",
            "key = 'a'; history = '8761h'; envelope = true",
            "key = 'a'; history = '07d'; envelope = true",
            "key = 'a'; history = '+7d'; envelope = true",
            "key = 'a'; history = '9999999999d'; envelope = true",
            "key = 'a'; sender = true",
        ],
        expect![[r#"
            x:3:13: unknown value `everybody`, expected `friend` or `room`
            x:3:8: "" is not a name of a JSON field: it is empty
            x:3:8: "a.b" is not a name of a JSON field: '.' is not allowed, only letters, digits, `_` and `-`
            x:3:18: 0 is not a message size: 1 to 131072 bytes, API Gateway's maximum
            x:3:18: 131073 is not a message size: 1 to 131072 bytes, API Gateway's maximum
            x:3:8: "https://b.example:22/" is not the URL of a backend: API Gateway can only reach the ports 80, 443 and 1024 to 65535, not 22
            x:3:11: the folder of the handler's crate is empty: write `.` for this one
            x:5:11: "query" is not an action: a service and one of its actions, for example "dynamodb:Query"
            x:6:13: "*" is everything in the account: name the resource: "table", "connections" or an ARN
            x:5:11: the list is empty
            x:4:1: missing field `resources`
            x:4:10: the folder of the handler's crate is empty: write `.` for this one
            x:5:19: unknown value `deny`, expected `allow` or `refuse`
            x:5:18: "1m" is not a time for a review: "100ms" to "10s", for example "500ms" or "2s"
            x:5:18: expected a string in quotes, found the number 2
            x:3:11: expected a string in quotes, found the number 7
            x:3:11: "59m" is no time for which messages are kept: 1 hour to 365 days, such as "12h" or "7d"
            x:3:11: "0h" is no time for which messages are kept: 1 hour to 365 days, such as "12h" or "7d"
            x:3:11: "366d" is no time for which messages are kept: 1 hour to 365 days, such as "12h" or "7d"
            x:3:11: "8761h" is no time for which messages are kept: 1 hour to 365 days, such as "12h" or "7d"
            x:3:11: "07d" is no time for which messages are kept: 1 hour to 365 days, such as "12h" or "7d"
            x:3:11: "+7d" is no time for which messages are kept: 1 hour to 365 days, such as "12h" or "7d"
            x:3:11: "9999999999d" is no time for which messages are kept: 1 hour to 365 days, such as "12h" or "7d"
            x:3:1: unknown field `sender`, expected one of `key`, `receivers`, `http`, `secret-header`, `handler`, `answers`, `announce`, `text`, `include-sender`, `max-text-bytes`, `envelope`, `review`, `review-fallback`, `review-timeout`, `review-permissions`, `history`, `reply`, `permissions`, `binary`, `environment`, `secrets`, `memory`, `timeout`, `log-level`, `reserved-concurrency`, `vpc`, `review-binary`, `review-environment`, `review-secrets`, `review-memory`, `review-log-level`, `review-reserved-concurrency`, `review-vpc`
        "#]],
    );
}

#[test]
fn routes_that_do_not_fit_together_are_refused_at_their_place() {
    let connect = "key = '$connect'; http = 'https://b.example/in'";
    let disconnect = "[[routes]]; key = '$disconnect'; http = 'https://b.example/out'";
    check(
        &[
            "key = 'send'; ; [[routes]]; key = 'send'",
            "key = '$connect'",
            "key = '$disconnect'; handler = 'h'",
            &format!("{connect}; text = 'x'"),
            &format!("{connect}; reply = true"),
            &format!("{connect}; [[routes]]; key = 'a'; http = 'https://b.example/'"),
            "key = '$disconnect'; http = 'https://b.example/out'; [[routes]]; key = 'a'",
            &format!("{connect}; {disconnect}"),
            &format!("{connect}; {disconnect}; [[routes]]; key = 'a'"),
            &format!("{connect}; {disconnect}; [[routes]]; key = 'a'; receivers = 'room'"),
        ],
        expect![[r#"
            x:5:7: route key `send` is already used on line 1
            x:2:7: chatctl creates the `$connect` route itself; its only option is `http`, which gives it to a backend
            x:2:7: chatctl creates the `$disconnect` route itself; its only option is `http`, which gives it to a backend
            x:4:8: `$connect` carries no message, so it has no `text`
            x:4:9: `reply` belongs to a route with `handler`, and this one has `http`
            x:2:7: a backend that handles `$connect` must also handle `$disconnect`: add a route with that key
            x:2:7: a backend that handles `$disconnect` must also handle `$connect`: add a route with that key
            x:2:7: no route takes messages: add one, for example with the key `$default`
            x:8:7: with `$connect` at a backend, the stack has no record of connections, so messages find no receivers: give this route `http` or `handler`, or remove the `$connect` and `$disconnect` routes
            x:9:13: with `$connect` at a backend, the stack has no record of connections, so messages find no receivers: give this route `http` or `handler`, or remove the `$connect` and `$disconnect` routes
        "#]],
    );
}

#[test]
fn more_than_a_function_s_environment_holds_is_refused() {
    let tables: String = (0..60)
        .map(|n| {
            format!("[[routes]]\nkey = \"route-{n}\"\nreceivers = \"room\"\ntext = \"text\"\n")
        })
        .collect();
    let error = parse(Path::new("x"), &tables, Path::new("")).expect_err("must be refused");
    assert!(error.to_string().contains("4 KB"), "{error}");
}

/// A config whose handler has one grant for an ARN of `length` characters.
fn granting(length: usize) -> String {
    let arn = format!("arn:aws:s3:::{}", "x".repeat(length - 13));
    format!(
        "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"roll\"\nhandler = \"dice\"\n[[routes.permissions]]\n\
         actions = [\"s3:GetObject\"]\nresources = [\"{arn}\"]\n"
    )
}

#[test]
fn permissions_that_do_not_fit_into_the_handler_s_role_are_refused_at_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let load = |text: &str, stack: &str| {
        std::fs::write(folder.path().join("chatctl.toml"), text).unwrap();
        let overrides = crate::config::Overrides {
            stack: Some(stack.parse().unwrap()),
            ..Default::default()
        };
        crate::config::Settings::load(folder.path(), overrides).map_err(|error| error.to_string())
    };
    // The rest, with the log and the longest Region, takes less than 500 characters.
    assert!(load(&granting(9_740), "chat").is_ok());
    let message = load(&granting(10_240), "chat").unwrap_err();
    assert!(
        message.starts_with("chatctl.toml:6:1: the permissions of the handler of `roll` take 10"),
        "{message}"
    );
    assert!(
        message.contains("IAM limits to 10240 in total"),
        "{message}"
    );
    // The stack's name is a part of what its own resources are called.
    let most = (9_740..10_240)
        .rev()
        .find(|length| load(&granting(*length), "chat").is_ok())
        .unwrap();
    assert!(load(&granting(most), &"s".repeat(128)).is_err());
}
