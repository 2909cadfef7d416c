use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use serde_json::json;

use super::*;
use crate::{PrivateKey, TokenRequest};

/// An arbitrary time.
const NOW: u64 = 1_800_000_000;

/// Keys and tokens made by PyJWT 2: one of each algorithm, valid for an hour from [`NOW`] on.
const OF_PYJWT: &str = include_str!("pyjwt.json");

fn rules() -> Rules {
    Rules {
        issuer: Some("https://issuer.example".into()),
        audience: vec!["chat".into(), "other".into()],
        name_claim: "sub".into(),
    }
}

fn of_pyjwt() -> Vec<Value> {
    serde_json::from_str(OF_PYJWT).unwrap()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn verifier(keys: impl IntoIterator<Item = PublicKey>, rules: Rules) -> Verifier {
    Verifier::new(KeySet::new(keys).unwrap(), rules)
}

/// A token with any header and claims, signed by `key`.
fn token_of(key: &PrivateKey, head: &Value, claims: &str) -> String {
    let secret: Value = serde_json::from_str(&key.to_secret_text()).unwrap();
    let seed = URL_SAFE_NO_PAD
        .decode(secret["d"].as_str().unwrap())
        .unwrap();
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let body = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(head.to_string()),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(body.as_bytes()));
    format!("{body}.{signature}")
}

fn head(key: &PrivateKey) -> Value {
    json!({"alg": "EdDSA", "kid": key.public().id()})
}

/// The result of verifying `claims`, correctly signed.
fn judged(claims: &Value, rules: Rules) -> Result<Claims, InvalidToken> {
    let key = PrivateKey::generate().unwrap();
    let token = token_of(&key, &head(&key), &claims.to_string());
    verifier([key.public().clone()], rules).verify(&token, NOW)
}

#[test]
fn tokens_of_another_library_are_accepted_for_each_algorithm_and_form_of_key() {
    for made in of_pyjwt() {
        let token = text(&made, "token");
        let mut keys = vec![
            PublicKey::from_jwk(&made["jwk"]).unwrap(),
            PublicKey::from_pem(&text(&made, "pem")).unwrap(),
        ];
        if made["pkcs1"].is_string() {
            keys.push(PublicKey::from_pem(&text(&made, "pkcs1")).unwrap());
        }
        for key in keys {
            let verifier = verifier([key], rules());
            let claims = verifier.verify(&token, NOW).unwrap();
            assert_eq!(
                (claims.name.as_str(), claims.expires_at),
                ("Tom", NOW + 3600)
            );
            assert_eq!(claims.all["aud"], "chat");
        }
    }
}

#[test]
fn a_key_only_verifies_its_own_algorithm() {
    let made = of_pyjwt();
    let rsa = PublicKey::from_jwk(&made[0]["jwk"]).unwrap();
    let verifier = verifier([rsa.clone()], Rules::default());
    let refused = verifier.verify(&text(&made[0], "rs512"), NOW).unwrap_err();
    assert_eq!(refused, InvalidToken::Algorithm("RS512".into()));
    let elliptic = verifier.verify(&text(&made[1], "token"), NOW).unwrap_err();
    assert_eq!(elliptic, InvalidToken::Algorithm("ES256".into()));
    // The classic attacks: the public key as the secret of an HMAC, and no signature at all.
    let pem = text(&made[0], "pem");
    let claims = json!({"sub": "Eve", "exp": NOW + 60}).to_string();
    let body = |algorithm: &str| {
        let head = json!({"alg": algorithm, "kid": rsa.id()}).to_string();
        let parts = [head, claims.clone()].map(|part| URL_SAFE_NO_PAD.encode(part));
        parts.join(".")
    };
    let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, pem.as_bytes());
    let signed = body("HS256");
    let signature = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&hmac, signed.as_bytes()));
    for (token, algorithm) in [
        (format!("{signed}.{signature}"), "HS256"),
        (format!("{}.", body("none")), "none"),
        (format!("{}.", body("None")), "None"),
        (format!("{}.", body("")), ""),
    ] {
        let refused = verifier.verify(&token, NOW).unwrap_err();
        assert_eq!(refused, InvalidToken::Algorithm(algorithm.into()));
    }
    let unsigned = format!("{}.", body("RS256"));
    let refused = verifier.verify(&unsigned, NOW).unwrap_err();
    assert_eq!(refused, InvalidToken::Signature(rsa.id().into()));
}

#[test]
fn a_token_of_our_own_has_the_requested_claims() {
    let key = PrivateKey::generate().unwrap();
    let key = PrivateKey::from_secret_text(&key.to_secret_text()).unwrap();
    let token = key
        .token(&TokenRequest {
            name: "Tom".into(),
            to: Some("Jerry".into()),
            room: Some("kitchen".into()),
            can: Some(vec!["send".into(), "moderate".into()]),
            issuer: Some("chatctl".into()),
            audience: Some("chat".into()),
            now: NOW,
            seconds: 60,
        })
        .unwrap();
    let rules = Rules {
        issuer: None,
        ..rules()
    };
    let claims = verifier([key.public().clone()], rules.clone())
        .verify(&token, NOW)
        .unwrap();
    assert_eq!(claims.name, "Tom");
    assert_eq!(claims.to.unwrap(), ["Jerry"]);
    assert_eq!(claims.rooms.unwrap(), ["kitchen"]);
    assert_eq!(claims.can.unwrap(), ["send", "moderate"]);
    let other = PrivateKey::generate().unwrap();
    let refused = verifier([other.public().clone()], rules).verify(&token, NOW);
    assert_eq!(
        refused.unwrap_err(),
        InvalidToken::UnknownKey(key.public().id().into())
    );
    assert!(!format!("{key:?}").contains("seed"));
}

#[test]
fn clocks_may_differ_by_at_most_a_minute() {
    let good = |exp: u64, nbf: u64, iat: u64| {
        judged(
            &json!({"sub": "Tom", "exp": exp, "nbf": nbf, "iat": iat}),
            Rules::default(),
        )
    };
    good(NOW - 59, NOW + 60, NOW + 60).unwrap();
    assert_eq!(good(NOW - 60, 0, 0).unwrap_err(), InvalidToken::Expired(60));
    assert_eq!(
        good(NOW + 1, NOW + 61, 0).unwrap_err(),
        InvalidToken::NotYet(61)
    );
    assert_eq!(
        good(NOW + 1, 0, NOW + 61).unwrap_err(),
        InvalidToken::NotYet(61)
    );
    assert!(good(u64::MAX, 0, 0).is_ok());
}

#[test]
fn required_claims_must_have_the_right_type() {
    let complete =
        json!({"sub": "Tom", "exp": NOW + 60, "iss": "https://issuer.example", "aud": "chat"});
    judged(&complete, rules()).unwrap();
    for (claim, value, refused) in [
        ("exp", json!(null), "not a time"),
        ("exp", json!("1800000060"), "not a time"),
        ("exp", json!(-1), "not a time"),
        ("nbf", json!("soon"), "not a time"),
        ("iat", json!([]), "not a time"),
        (
            "iss",
            json!("https://evil.example"),
            "its issuer is `https://evil.example`",
        ),
        ("iss", json!(["https://issuer.example"]), "not a string"),
        ("iss", json!("https://issuer.example/"), "its issuer is"),
        ("aud", json!("chats"), "another audience"),
        ("aud", json!([]), "another audience"),
        ("aud", json!({"chat": true}), "a list of strings"),
        ("aud", json!(["chat", 1]), "a list of strings"),
        ("sub", json!(7), "not a string"),
        ("to", json!(7), "a list of strings"),
        ("room", json!({}), "a list of strings"),
        ("can", json!(true), "a list of strings"),
    ] {
        let mut claims = complete.clone();
        claims[claim] = value.clone();
        let error = judged(&claims, rules()).unwrap_err().to_string();
        assert!(error.contains(refused), "{claim} {value}: {error}");
    }
    for claim in ["exp", "iss", "aud", "sub"] {
        let mut claims = complete.clone();
        claims.as_object_mut().unwrap().remove(claim);
        assert_eq!(
            judged(&claims, rules()).unwrap_err(),
            InvalidToken::Missing(claim.into())
        );
    }
    let several =
        json!({"sub": "Tom", "exp": NOW, "iss": "https://issuer.example", "aud": ["x", "other"]});
    judged(&several, rules()).unwrap();
}

#[test]
fn only_access_tokens_of_cognito_have_the_audience_in_client_id() {
    let claims = |more: &str, value: &str| {
        let mut claims =
            json!({"sub": "Tom", "exp": NOW, "iss": "https://issuer.example", "client_id": "chat"});
        claims[more] = json!(value);
        judged(&claims, rules())
    };
    claims("token_use", "access").unwrap();
    assert_eq!(
        claims("token_use", "id").unwrap_err(),
        InvalidToken::Missing("aud".into())
    );
    assert_eq!(
        claims("client_id", "chat").unwrap_err(),
        InvalidToken::Missing("aud".into())
    );
}

#[test]
fn a_header_of_another_kind_of_token_is_refused() {
    let key = PrivateKey::generate().unwrap();
    let claims = json!({"sub": "Tom", "exp": NOW}).to_string();
    let verifier = verifier([key.public().clone()], Rules::default());
    let id = key.public().id();
    for accepted in [
        json!({"alg": "EdDSA"}),
        json!({"alg": "EdDSA", "typ": "jwt"}),
        json!({"alg": "EdDSA", "typ": "application/at+JWT", "kid": id}),
        // References to keys in a token are ignored.
        json!({"alg": "EdDSA", "jku": "https://evil.example", "x5c": ["AAAA"]}),
    ] {
        verifier
            .verify(&token_of(&key, &accepted, &claims), NOW)
            .unwrap();
    }
    for (refused, reason) in [
        (
            json!({"alg": "EdDSA", "typ": "logout+jwt"}),
            "of type logout+jwt",
        ),
        (json!({"alg": "EdDSA", "typ": 7}), "`typ` is not a string"),
        (json!({"alg": "EdDSA", "crit": ["exp"]}), "an extension"),
        (json!({"alg": "EdDSA", "b64": false}), "an extension"),
        (json!({"alg": "EdDSA", "kid": 7}), "`kid` is not a string"),
        (
            json!({"alg": "EdDSA", "kid": "other\u{1b}[2J"}),
            "its key `other\u{fffd}[2J`",
        ),
        (json!({"alg": ["EdDSA"]}), "signed with ,"),
        (json!({}), "signed with ,"),
        (json!([]), "its header is not JSON"),
    ] {
        let error = verifier
            .verify(&token_of(&key, &refused, &claims), NOW)
            .unwrap_err();
        assert!(error.to_string().contains(reason), "{refused}: {error}");
    }
}

#[test]
fn duplicate_claims_and_claims_that_are_not_an_object_are_refused() {
    let key = PrivateKey::generate().unwrap();
    let verifier = verifier([key.public().clone()], Rules::default());
    for claims in [
        r#"{"sub":"Tom","exp":1800000060,"sub":"Eve"}"#,
        r#"{"sub":"Tom","exp":1800000060,"a":{"b":1,"b":2}}"#,
        r#"{"sub":"Tom","exp":1,"exp":1800000060}"#,
        "[]",
        "7",
        "",
        "{",
    ] {
        let error = verifier
            .verify(&token_of(&key, &head(&key), claims), NOW)
            .unwrap_err();
        assert!(
            matches!(error, InvalidToken::Unreadable(_)),
            "{claims}: {error}"
        );
    }
}

#[test]
fn a_token_is_short_and_has_three_parts() {
    let key = PrivateKey::generate().unwrap();
    let verifier = verifier([key.public().clone()], Rules::default());
    for token in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c",
        "eyJ9.e30.",
        "Bearer a.b.c",
    ] {
        assert!(
            matches!(verifier.verify(token, NOW), Err(InvalidToken::Malformed(_))),
            "{token}"
        );
    }
    let long = "a".repeat(MAX_TOKEN_BYTES + 1);
    assert_eq!(verifier.verify(&long, NOW), Err(InvalidToken::TooLong));
    // Padding and the other alphabet are not base64url: two different texts must not be the same token.
    let good = token_of(
        &key,
        &head(&key),
        &json!({"sub": "Tom", "exp": NOW}).to_string(),
    );
    verifier.verify(&good, NOW).unwrap();
    assert!(verifier.verify(&format!("{good}="), NOW).is_err());
    assert!(verifier.verify(&format!("{good} "), NOW).is_err());
}

#[test]
fn without_keys_nothing_is_accepted() {
    let key = PrivateKey::generate().unwrap();
    let token = token_of(&key, &json!({"alg": "EdDSA"}), "{}");
    let none = Verifier::new(KeySet::default(), Rules::default());
    assert_eq!(none.verify(&token, NOW), Err(InvalidToken::NoKey));
}

#[test]
fn a_private_key_is_only_parsed_from_its_own_text() {
    let key = PrivateKey::generate().unwrap();
    let text = key.to_secret_text();
    let other = PrivateKey::generate().unwrap().to_secret_text();
    let changed = |name: &str, value: Value| {
        let mut jwk: Value = serde_json::from_str(&text).unwrap();
        jwk[name] = value;
        jwk.to_string()
    };
    let other: Value = serde_json::from_str(&other).unwrap();
    for wrong in [
        String::new(),
        "-----BEGIN PRIVATE KEY-----".into(),
        key.public().to_jwk().to_string(),
        changed("kty", json!("EC")),
        changed("d", json!("AAAA")),
        changed("d", json!("?")),
        changed("d", other["d"].clone()),
        changed("x", other["x"].clone()),
    ] {
        let error = PrivateKey::from_secret_text(&wrong)
            .unwrap_err()
            .to_string();
        assert!(!error.contains(text.split('"').max_by_key(|it| it.len()).unwrap()));
    }
    assert!(PublicKey::from_pem("-----BEGIN PRIVATE KEY-----\n").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_token_that_was_changed_anywhere_is_refused(place in any::<proptest::sample::Index>(), with in any::<u8>()) {
        let key = PrivateKey::generate().unwrap();
        let claims = json!({"sub": "Tom", "exp": NOW}).to_string();
        let token = token_of(&key, &head(&key), &claims);
        let mut bytes = token.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = with;
        if let Ok(changed) = String::from_utf8(bytes) {
            let verified = verifier([key.public().clone()], Rules::default()).verify(&changed, NOW);
            prop_assert!(changed == token || verified.is_err());
        }
    }

    #[test]
    fn no_text_makes_it_panic(token in "[\\PC.]{0,200}|([A-Za-z0-9_-]{0,40}\\.){0,3}[A-Za-z0-9_-]{0,40}") {
        let key = PrivateKey::generate().unwrap();
        let _refused = verifier([key.public().clone()], Rules::default()).verify(&token, NOW);
        let _no_set = KeySet::from_json(token.as_bytes());
        let _no_key = PublicKey::from_pem(&token);
    }
}
