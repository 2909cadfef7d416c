//! What the fuzz targets of this crate run. A test runs the same over the inputs in `fuzz/corpus`.

#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a target reports what it finds"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;

use crate::{KeySet, PrivateKey, PublicKey, Rules, Verifier};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Each target's name, and the target.
pub const TARGETS: [(&str, Target); 2] = [("token", token), ("keys", keys)];

/// The key of RFC 8037, appendix A.1.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// A token; or, in two parts with a line `---` between them, its header and its claims, which are signed here: no mutation
/// would make a signature.
pub fn token(data: &[u8]) {
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{PUBLIC}","d":"{SEED}"}}"#);
    let key = PrivateKey::from_secret_text(&jwk).expect("the RFC's key is one");
    let keys = KeySet::new([key.public().clone()]).expect("one key is a set");
    let verifier = Verifier::new(keys, Rules::default());
    let separator = b"\n---\n";
    let at = data.windows(separator.len()).position(|it| it == separator);
    let Some(at) = at else {
        let accepted = std::str::from_utf8(data).is_ok_and(|it| verifier.verify(it, 1000).is_ok());
        assert!(!accepted, "a token was accepted that was not signed here");
        return;
    };
    let (header, claims) = (&data[..at], &data[at + separator.len()..]);
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{claims}");
    let seed = URL_SAFE_NO_PAD.decode(SEED).expect("it is base64url");
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("it is a seed");
    let mut signature = pair.sign(signed.as_bytes()).as_ref().to_vec();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature));
    if let Err(refusal) = verifier.verify(&token, 1000) {
        assert!(!refusal.to_string().is_empty());
    }
    signature[0] ^= 1;
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature));
    assert!(verifier.verify(&forged, 1000).is_err());
}

/// A JWK Set, or a public key in PEM.
pub fn keys(data: &[u8]) {
    if let Ok(set) = KeySet::from_json(data) {
        let text = set.to_json().to_string();
        let again = KeySet::from_json(text.as_bytes()).expect("what it writes, it reads");
        assert_eq!(again.to_json(), set.to_json());
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(key) = PublicKey::from_pem(text)
    {
        let again = PublicKey::from_jwk(&key.to_jwk()).expect("what it writes, it reads");
        assert_eq!(again.id(), key.id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_input_of_the_corpus_makes_a_target_panic() {
        testing::corpus::replay(&TARGETS);
    }
}
