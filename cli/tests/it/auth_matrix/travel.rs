//! How a token travels: what counts as one in each of its three places, and what as several.

use serde_json::json;

use super::forge::Key;
use super::stack::{Stack, Transport};
use super::{TOKEN, claims};

#[test]
fn a_token_is_found_wherever_it_may_travel_and_nowhere_else() {
    let key = Key::new();
    let stack = Stack::start(TOKEN, &[key.jwk()]);
    let good = key.sign(&key.head(), &claims(None).to_string());
    // Just as good, but another one.
    let other = claims(None).to_string().replace("}", ",\"x\":1}");
    let other = key.sign(&key.head(), &other);
    let knock = |headers: &[(&str, &str)]| {
        let mut all = vec![("msgto", "Jerry")];
        all.extend(headers);
        let answer = stack.knock(Transport::Bearer, None, &all);
        let selected = answer.text.contains("Sec-WebSocket-Protocol: chatctl\r\n");
        let is_other = answer
            .text
            .to_lowercase()
            .matches("sec-websocket-protocol")
            .count();
        assert_eq!(is_other, usize::from(selected), "{}", answer.text);
        (answer.status, selected)
    };
    for (form, status) in [
        ("bearer TOKEN", 101),
        ("BEARER TOKEN", 101),
        ("Bearer   TOKEN", 101),
        ("Bearer\tTOKEN", 401),
        ("Bearer", 401),
        ("TOKEN", 401),
        ("Token TOKEN", 401),
        ("DPoP TOKEN", 401),
        ("Bearer TOKEN, Bearer TOKEN", 403),
        ("Bearer TOKEN TOKEN", 403),
        ("Bearer \"TOKEN\"", 403),
        ("Bearer TOKEN==", 403),
    ] {
        let header = form.replace("TOKEN", &good);
        assert_eq!(
            knock(&[("Authorization", &header)]),
            (status, false),
            "{form}"
        );
    }
    for (form, outcome) in [
        ("chatctl, chatctl.token.TOKEN", (101, true)),
        ("chatctl.token.TOKEN,chatctl", (101, true)),
        ("graphql-ws, chatctl, chatctl.token.TOKEN", (101, true)),
        ("chatctl.token.TOKEN", (101, false)),
        ("CHATCTL, chatctl.token.TOKEN", (101, false)),
        (
            "chatctl, chatctl.token.TOKEN, chatctl.token.TOKEN",
            (101, true),
        ),
        (
            "chatctl, chatctl.token.TOKEN, chatctl.token.OTHER",
            (403, false),
        ),
        ("chatctl", (401, false)),
        ("chatctl, chatctl.token.", (401, false)),
        ("chatctl, Chatctl.Token.TOKEN", (401, false)),
        ("chatctl, TOKEN", (401, false)),
    ] {
        let header = form.replace("TOKEN", &good).replace("OTHER", &other);
        let found = knock(&[("Sec-WebSocket-Protocol", &header)]);
        assert_eq!(found, outcome, "{form}");
    }
    let carrier = format!("chatctl.token.{good}");
    let (name, bearer) = ("Sec-WebSocket-Protocol", format!("Bearer {good}"));
    let split = knock(&[(name, "chatctl"), (name, &carrier)]);
    assert_eq!(split, (101, true), "offers may come in two lines");
    let both = [("authorization", bearer.as_str()), (name, &carrier)];
    assert_eq!(knock(&both), (101, false), "the same token in two places");
    let different = format!("Bearer {other}");
    let both = [("authorization", different.as_str()), (name, &carrier)];
    assert_eq!(knock(&both), (403, false), "different ones");
    let two = [
        ("authorization", bearer.as_str()),
        ("Authorization", &different),
    ];
    assert_eq!(knock(&two), (403, false));
    for (query, status) in [
        (good.clone(), 101),
        (format!("{good}&token={good}"), 101),
        (good.replace('.', "%2E"), 101),
        (format!("{good}&token={other}"), 403),
        (format!("&token={good}"), 101),
        (String::new(), 401),
        (format!("&Token={good}"), 401),
        (format!("&access_token={good}"), 401),
        (format!("{good}%00"), 403),
        (format!("%20{good}"), 403),
    ] {
        let answer = stack.knock(Transport::Query, Some(&query), &[("msgto", "Jerry")]);
        assert_eq!(answer.status, status, "{query}");
    }
    let log = stack.log();
    for token in [&good, &other] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!log.contains(signature), "{}", json!(log));
    }
}
