//! Who is let in, in every mode and over every transport: a local stack, real handlers, and tokens made by hand.

mod cases;
mod forge;
mod hostile;
mod issuer;
mod stack;
mod travel;

use std::time::Instant;

use serde_json::{Value, json};
use testing::blocking::Client;

use self::cases::{Case, Maker, TO_JERRY};
use self::forge::{EcKey, Key, now};
use self::issuer::{Issuer, Mood};
use self::stack::{Stack, Transport};
use crate::project::eventually;

const TOKEN: &str = "[auth]\nmode = \"token\"\n";

/// The processes that the local target runs of one function at the same time.
const MAX_PROCESSES: usize = 10;

fn claims(issuer: Option<&str>) -> Value {
    let mut claims = json!({"sub": "Tom", "aud": "chat", "iat": now(), "exp": now() + 3_600});
    if let Some(issuer) = issuer {
        claims["iss"] = json!(issuer);
    }
    claims
}

/// Makes every handshake over every transport. Each is let in or refused as it should be; the client sees nothing but a
/// status, and the authorizer's log has the reason of each refusal and nothing of a token.
fn check(stack: &Stack, cases: &[Case]) {
    let mut refused = stack.reasons().len();
    for case in cases {
        for transport in Transport::ALL {
            let answer = stack.knock(transport, case.token.as_deref(), &case.says);
            assert_eq!(
                answer.status, case.status,
                "{} {transport:?}: {}",
                case.what, answer.text
            );
            let selected = answer.text.contains("Sec-WebSocket-Protocol: chatctl\r\n");
            let is_selected = transport == Transport::Subprotocol && case.status == 101;
            assert_eq!(selected, is_selected, "{}: {}", case.what, answer.text);
            assert!(!answer.text.contains("chatctl.token"), "{}", answer.text);
            if case.status != 101 {
                refused += 1;
                assert!(case.reason.is_empty() || !answer.text.contains(case.reason));
            }
        }
    }
    eventually("every refusal is in the log", || {
        stack.reasons().len() >= refused
    });
    let reasons = stack.reasons();
    assert_eq!(reasons.len(), refused, "{reasons:#?}");
    for case in cases.iter().filter(|case| case.status != 101) {
        let is_logged = reasons.iter().any(|reason| reason.contains(case.reason));
        assert!(
            is_logged,
            "{}: {} is not in {reasons:#?}",
            case.what, case.reason
        );
    }
    let log = stack.log();
    for token in cases.iter().filter_map(|case| case.token.as_deref()) {
        let signature = token.rsplit('.').next().unwrap();
        assert!(
            signature.len() < 20 || !log.contains(signature),
            "{token} is logged"
        );
    }
}

#[test]
fn tokens_of_the_stack_s_keys_are_let_in_and_nothing_else() {
    let (key, backend, retired) = (Key::new(), EcKey::new(), Key::new());
    let stack = Stack::start(TOKEN, &[key.jwk(), backend.jwk(), retired.jwk()]);
    let maker = Maker {
        key: &key,
        backend: &backend,
        claims: claims(None),
    };
    check(&stack, &maker.cases());
    check(&stack, &maker.hostile());
    // Who made it is said by the key, so `iss` may be anything.
    let of_others = maker.changed(&json!({"iss": "https://somebody.example"}));
    let old = retired.sign(&retired.head(), &maker.claims.to_string());
    for token in [&of_others, &old] {
        let answer = stack.knock(Transport::Bearer, Some(token), &[TO_JERRY]);
        assert_eq!(answer.status, 101, "{}", answer.text);
    }
    // Larger than any token, and than any URL.
    let oversized = maker.changed(&json!({"x": "x".repeat(6_500)}));
    let header = stack.knock(Transport::Bearer, Some(&oversized), &[TO_JERRY]);
    assert_eq!(header.status, 403);
    let query = stack.knock(Transport::Query, Some(&oversized), &[TO_JERRY]);
    assert!((400..500).contains(&query.status), "{}", query.text);
    // Two tokens are not chosen from, even if one of them is good.
    let second = format!("Bearer {old}");
    let two = [("Authorization", second.as_str()), TO_JERRY];
    let answer = stack.knock(Transport::Query, Some(&maker.good()), &two);
    assert_eq!(answer.status, 403);
    stack.change_keys(&[key.jwk(), backend.jwk()]);
    let answer = stack.knock(Transport::Bearer, Some(&old), &[TO_JERRY]);
    assert_eq!(answer.status, 403, "a retired key is not accepted");
    let answer = stack.knock(Transport::Bearer, Some(&maker.good()), &[TO_JERRY]);
    assert_eq!(answer.status, 101, "{}", answer.text);
    let reasons = stack.reasons().concat();
    for reason in ["it is longer than 8192 bytes", "several tokens"] {
        assert!(reasons.contains(reason), "{reasons}");
    }
}

/// A stack that accepts tokens of `issuer`.
fn of_issuer(issuer: &Issuer) -> Stack {
    let url = &issuer.url;
    let config =
        format!("[auth]\nmode = \"jwt\"\nissuer = \"{url}\"\naudience = [\"chat\", \"client\"]\n");
    Stack::start(&config, &[])
}

#[test]
fn tokens_of_an_issuer_are_let_in_and_nothing_else() {
    let (key, backend) = (Key::new(), EcKey::new());
    let issuer = Issuer::start(Mood::Serving(vec![key.jwk(), backend.jwk()]));
    let stack = of_issuer(&issuer);
    let maker = Maker {
        key: &key,
        backend: &backend,
        claims: claims(Some(&issuer.url)),
    };
    let mut cases = maker.cases();
    let mut add = |what, change: Value, status, reason| {
        let token = Some(maker.changed(&change));
        let says = vec![TO_JERRY];
        cases.push(Case {
            what,
            token,
            says,
            status,
            reason,
        });
    };
    add(
        "of another issuer",
        json!({"iss": "https://evil.example"}),
        403,
        "its issuer is",
    );
    add("of no issuer", json!({"iss": null}), 403, "no claim `iss`");
    add(
        "of nearly the issuer",
        json!({"iss": format!("{}/", issuer.url)}),
        403,
        "its issuer is",
    );
    // Cognito's access tokens name the client in a claim of its own, its identity tokens in `aud`.
    let access = json!({"aud": null, "client_id": "client", "token_use": "access"});
    add("Cognito's access token", access, 101, "");
    add(
        "Cognito's identity token",
        json!({"aud": "client", "token_use": "id"}),
        101,
        "",
    );
    let other = json!({"aud": null, "client_id": "other", "token_use": "access"});
    add(
        "Cognito's access token of another client",
        other,
        403,
        "another audience",
    );
    let not_access = json!({"aud": null, "client_id": "client", "token_use": "id"});
    add(
        "a client where an audience belongs",
        not_access,
        403,
        "no claim `aud`",
    );
    check(&stack, &cases);
    check(&stack, &maker.hostile());
    // Made-up keys do not turn the stack against its issuer.
    let foreign = Key::new();
    let unknown = foreign.sign(&foreign.head(), &maker.claims.to_string());
    let before = issuer.requests();
    let began = Instant::now();
    for _ in 0..40 {
        stack.knock(Transport::Bearer, Some(&unknown), &[TO_JERRY]);
    }
    let allowed = 2 * (2 + began.elapsed().as_secs() as usize / 5);
    assert!(
        issuer.requests() - before <= allowed,
        "{}",
        issuer.requests() - before
    );
}

#[test]
fn an_issuer_may_be_down_slow_or_mad_and_change_its_keys() {
    let (old, new) = (Key::new(), Key::new());
    let issuer = Issuer::start(Mood::Down);
    let stack = of_issuer(&issuer);
    let claims = claims(Some(&issuer.url)).to_string();
    let (by_old, by_new) = (
        old.sign(&old.head(), &claims),
        new.sign(&new.head(), &claims),
    );
    let knock = |token: &str| {
        stack
            .knock(Transport::Bearer, Some(token), &[TO_JERRY])
            .status
    };
    let not_a_key =
        r#"{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys","keys":[]}"#;
    let moods = [
        Mood::Down,
        Mood::Slow,
        Mood::Saying("<html>maintenance</html>"),
        Mood::Saying(not_a_key),
        Mood::Endless,
    ];
    for mood in moods {
        issuer.become_(mood.clone());
        // Without keys nothing can be said about a token; clients should come back.
        let before = issuer.requests();
        eventually("the issuer is asked", || {
            let began = Instant::now();
            assert_eq!(knock(&by_old), 500, "{mood:?}");
            assert!(began.elapsed().as_secs() < 9, "{mood:?}");
            issuer.requests() > before
        });
    }
    issuer.become_(Mood::Serving(vec![old.jwk()]));
    eventually("the keys are fetched", || knock(&by_old) == 101);
    let mut talk = stack.open(&by_old, &[TO_JERRY]);
    // The keys serve on where they are; a process that starts meanwhile has none, and says nothing about a token.
    for mood in [Mood::Down, Mood::Slow, Mood::Saying("[]")] {
        issuer.become_(mood.clone());
        let unknown = knock(&by_new);
        assert!(matches!(unknown, 403 | 500), "{mood:?}: {unknown}");
        // The process that was used last gets the next event: only handshakes at the same time reach all processes.
        eventually("a token is accepted by the keys of before", || {
            let statuses = std::thread::scope(|scope| {
                let knocks: Vec<_> = (0..MAX_PROCESSES)
                    .map(|_| scope.spawn(|| knock(&by_old)))
                    .collect();
                knocks
                    .into_iter()
                    .map(|knock| knock.join().unwrap())
                    .collect::<Vec<_>>()
            });
            let is_expected = |status| matches!(status, 101 | 500);
            assert!(
                statuses.iter().copied().all(is_expected),
                "{mood:?}: {statuses:?}"
            );
            statuses.contains(&101)
        });
    }
    // The issuer changes its key in the middle of a conversation.
    issuer.become_(Mood::Serving(vec![new.jwk()]));
    eventually("the new key is fetched, and the old one forgotten", || {
        knock(&by_new) == 101 && knock(&by_old) == 403
    });
    talk.send("still here");
    assert!(talk.receive().contains("not reachable"));
    let log = stack.log();
    assert!(
        log.contains("keys not fetched") && log.contains("keys fetched"),
        "{log}"
    );
    assert!(log.contains("no answer within"), "{log}");
}

#[test]
fn rights_and_expiry_hold_for_every_frame() {
    let (key, backend) = (Key::new(), EcKey::new());
    let rooms = "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"all\"\nreceivers = \"room\"\n";
    let stack = Stack::start(&format!("{TOKEN}{rooms}"), &[key.jwk()]);
    let maker = Maker {
        key: &key,
        backend: &backend,
        claims: claims(None),
    };
    let jerry = maker.changed(&json!({"sub": "Jerry"}));
    let mut jerry = stack.open(&jerry, &[("msgto", "Tom")]);
    let mut reader = stack.open(&maker.changed(&json!({"can": ["moderate"]})), &[TO_JERRY]);
    let expiry = now() + 5;
    let short = maker.changed(&json!({ "exp": expiry }));
    let [mut brief, mut brief_too] = [(); 2].map(|()| stack.open(&short, &[TO_JERRY]));
    let error =
        |frame: &str| -> Value { serde_json::from_str::<Value>(frame).unwrap()["error"].clone() };
    for frame in ["hi", r#"{"action":"all"}"#] {
        reader.send(frame);
        assert_eq!(error(&reader.receive()), "NotAllowed");
    }
    brief.send("hi");
    assert_eq!(jerry.receive(), "hi");
    // Both tokens have expired once the clock says so.
    eventually("the tokens expire", || now() > expiry);
    for (talk, frame) in [
        (&mut brief, "again"),
        (&mut brief_too, r#"{"action":"all"}"#),
    ] {
        talk.send(frame);
        assert_eq!(error(&talk.receive()), "TokenExpired");
        assert_eq!(talk.receive_or_close_code(), Err(1000));
    }
    // Nothing of it has arrived.
    reader.send("bye");
    assert_eq!(error(&reader.receive()), "NotAllowed");
    brief_again(&stack, &maker).send("last");
    assert_eq!(jerry.receive(), "last");
}

fn brief_again(stack: &Stack, maker: &Maker<'_>) -> Client {
    stack.open(&maker.good(), &[TO_JERRY])
}

#[test]
fn another_origin_is_refused_in_every_mode_and_what_is_no_browser_is_not() {
    let key = Key::new();
    let origins = "origins = [\"https://chat.example\", \"http://127.0.0.1:8080\"]\n";
    let claimed = Stack::start(&format!("[auth]\n{origins}"), &[]);
    let proven = Stack::start(&format!("{TOKEN}{origins}"), &[key.jwk()]);
    let token = key.sign(&key.head(), &claims(None).to_string());
    for (stack, token, transport) in [
        (&claimed, None, Transport::Bearer),
        (&proven, Some(token.as_str()), Transport::Bearer),
        (&proven, Some(token.as_str()), Transport::Subprotocol),
        (&proven, Some(token.as_str()), Transport::Query),
    ] {
        for (origin, status) in [
            (None, 101),
            (Some("https://chat.example"), 101),
            (Some("http://127.0.0.1:8080"), 101),
            (Some("https://evil.example"), 403),
            (Some("https://chat.example.evil.example"), 403),
            (Some("https://chat.example:444"), 403),
            (Some("http://chat.example"), 403),
            (Some("null"), 403),
        ] {
            let mut headers = vec![("msgfrom", "Tom"), TO_JERRY];
            headers.extend(origin.map(|origin| ("Origin", origin)));
            let answer = stack.knock(transport, token, &headers);
            assert_eq!(answer.status, status, "{origin:?}: {}", answer.text);
        }
    }
}

#[test]
fn where_names_are_claims_a_token_means_nothing() {
    let stack = Stack::start("", &[]);
    let foreign = Key::new();
    let token = foreign.sign(&foreign.head(), &claims(None).to_string());
    for transport in Transport::ALL {
        for token in [None, Some(token.as_str()), Some("nonsense")] {
            let says = [("msgfrom", "Eve"), TO_JERRY];
            let answer = stack.knock(transport, token, &says);
            assert_eq!(answer.status, 101, "{}", answer.text);
            let nameless = stack.knock(transport, token, &[TO_JERRY]);
            assert_eq!(
                nameless.status, 401,
                "a token gives no name: {}",
                nameless.text
            );
        }
    }
}
