//! Tokens that no library writes: heads as raw texts, and signatures at the edges of their curves.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Rules, Verifier};
use crate::{InvalidToken, KeySet, PrivateKey, PublicKey};

const NOW: u64 = 1_800_000_000;

/// A token with this head, correctly signed by `key`.
fn under(head: &str, key: &PrivateKey) -> String {
    let secret: Value = serde_json::from_str(&key.to_secret_text()).unwrap();
    let seed = URL_SAFE_NO_PAD.decode(secret["d"].as_str().unwrap());
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed.unwrap()).unwrap();
    let claims = json!({"sub": "Tom", "exp": NOW + 60}).to_string();
    let parts = [head, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let body = parts.join(".");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(body.as_bytes()));
    format!("{body}.{signature}")
}

fn verifier(keys: impl IntoIterator<Item = PublicKey>) -> Verifier {
    Verifier::new(KeySet::new(keys).unwrap(), Rules::default())
}

#[test]
fn a_head_is_one_object_with_each_name_once() {
    let (key, foreign) = (
        PrivateKey::generate().unwrap(),
        PrivateKey::generate().unwrap(),
    );
    let (id, other) = (key.public().id(), foreign.public().id());
    let verifier = verifier([key.public().clone(), foreign.public().clone()]);
    let deep = format!("{}1{}", "[".repeat(1_500), "]".repeat(1_500));
    for accepted in [
        format!(r#"{{"alg":"EdDSA","kid":"{id}"}}"#),
        format!(" {{\"alg\" :\"EdDSA\",\n\"kid\":\"{id}\"}}\t"),
        format!(r#"{{"\u0061lg":"Ed\u0044SA","kid":"{id}"}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"{id}","ALG":"none","Kid":"{other}"}}"#),
    ] {
        verifier.verify(&under(&accepted, &key), NOW).unwrap();
    }
    for refused in [
        format!(r#"{{"alg":"EdDSA","kid":"{other}","kid":"{id}"}}"#),
        format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{id}"}}"#),
        format!(r#"{{"alg":"EdDSA","\u0061lg":"none","kid":"{id}"}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"{id}","jwk":{{"x":1,"x":2}}}}"#),
        format!("\u{feff}{{\"alg\":\"EdDSA\",\"kid\":\"{id}\"}}"),
        format!(r#"{{"alg":"EdDSA","kid":"{id}"}}{{}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"{id}",}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"{id}","x":1e400}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"{id}","x":{deep}}}"#),
        format!("{{\"alg\":\"EdDSA\",\"kid\":\"{id}\",\"x\":\"\u{1}\"}}"),
        format!(r#"[{{"alg":"EdDSA","kid":"{id}"}}]"#),
        format!(r#""{{\"alg\":\"EdDSA\",\"kid\":\"{id}\"}}""#),
        "null".into(),
        String::new(),
    ] {
        let error = verifier.verify(&under(&refused, &key), NOW).unwrap_err();
        assert!(
            matches!(error, InvalidToken::Malformed(_)),
            "{refused}: {error}"
        );
    }
    // Nothing but the exact id finds a key.
    for other in [
        id.to_uppercase(),
        format!("{id} "),
        format!("./{id}"),
        format!("{id}\\u0000"),
        format!("../{id}"),
        id[1..].to_owned(),
    ] {
        let head = format!(r#"{{"alg":"EdDSA","kid":"{other}"}}"#);
        let error = verifier.verify(&under(&head, &key), NOW).unwrap_err();
        assert!(
            matches!(error, InvalidToken::UnknownKey(_)),
            "{other}: {error}"
        );
    }
    // And where two are accepted, none stands for both.
    let nameless = under(r#"{"alg":"EdDSA"}"#, &key);
    assert_eq!(verifier.verify(&nameless, NOW), Err(InvalidToken::NoKey));
}

/// The order of P-256's group (FIPS 186-4, D.1.2.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// [`ORDER`] less `number`.
fn negated(number: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let digits = ORDER.iter().zip(number).rev();
    let mut negated: Vec<u8> = digits
        .map(|(order, digit)| {
            let less = i16::from(*order) - i16::from(*digit) - borrow;
            borrow = i16::from(less < 0);
            u8::try_from(less.rem_euclid(256)).unwrap()
        })
        .collect();
    negated.reverse();
    negated
}

#[test]
fn a_signature_of_es256_has_two_numbers_of_its_group() {
    let made: Vec<Value> = serde_json::from_str(include_str!("pyjwt.json")).unwrap();
    let of_p256 = made.iter().find(|it| it["jwk"]["kty"] == "EC").unwrap();
    let key = PublicKey::from_jwk(&of_p256["jwk"]).unwrap();
    let verifier = verifier([key]);
    let (body, signature) = of_p256["token"].as_str().unwrap().rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let verify = |signature: &[u8]| {
        let token = format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature));
        verifier.verify(&token, NOW)
    };
    let (r, s) = signature.split_at(32);
    let (zero, one) = ([0; 32], {
        let mut one = [0; 32];
        one[31] = 1;
        one
    });
    let claims = verify(&signature).unwrap();
    // JOSE allows both signs of the second number, so tokens of other bytes can be the same one.
    assert_eq!(verify(&[r, &negated(s)].concat()).unwrap(), claims);
    for wrong in [
        [zero, zero].concat(),
        [&zero, s].concat(),
        [r, &zero].concat(),
        [one, one].concat(),
        [&ORDER, s].concat(),
        [r, &ORDER].concat(),
        [s, r].concat(),
        [&[0], r, s].concat(),
        r.to_vec(),
        Vec::new(),
    ] {
        let refused = verify(&wrong).unwrap_err();
        assert!(matches!(refused, InvalidToken::Signature(_)), "{refused}");
    }
}
