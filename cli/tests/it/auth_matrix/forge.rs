//! Tokens of every kind, good and bad, signed by hand: no library makes most of them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_identity::PrivateKey;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `head.claims`, signed by `sign`.
pub(super) fn token(head: &Value, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", encode(head.to_string()), encode(claims));
    let signature = encode(sign(text.as_bytes()));
    format!("{text}.{signature}")
}

/// `claims` with what `change` says; `null` takes a claim away.
pub(super) fn with(claims: &Value, change: &Value) -> String {
    let mut claims = claims.as_object().unwrap().clone();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => claims.shift_remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    Value::Object(claims).to_string()
}

/// HS256 with `secret`.
pub(super) fn hmac(secret: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    move |text| ring::hmac::sign(&key, text).as_ref().to_vec()
}

/// A key for Ed25519 that signs whatever it is given.
pub(super) struct Key {
    private: PrivateKey,
    pair: Ed25519KeyPair,
}

impl Key {
    pub(super) fn new() -> Self {
        let private = PrivateKey::generate().unwrap();
        let jwk: Value = serde_json::from_str(&private.to_secret_text()).unwrap();
        let seed = URL_SAFE_NO_PAD.decode(jwk["d"].as_str().unwrap()).unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        Self { private, pair }
    }

    pub(super) fn jwk(&self) -> Value {
        self.private.public().to_jwk()
    }

    pub(super) fn id(&self) -> &str {
        self.private.public().id()
    }

    /// The bytes of the public key.
    pub(super) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(super) fn head(&self) -> Value {
        json!({"alg": "EdDSA", "kid": self.id(), "typ": "JWT"})
    }

    pub(super) fn sign(&self, head: &Value, claims: &str) -> String {
        token(head, claims, |text| self.signature(text))
    }

    pub(super) fn signature(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }
}

/// A key for ES256, as a backend or an issuer has one: its JWK, and a way to sign.
pub(super) struct EcKey {
    pair: EcdsaKeyPair,
    /// The same key, whose signatures have the form that certificates use.
    der: EcdsaKeyPair,
}

impl EcKey {
    pub(super) fn new() -> Self {
        let random = ring::rand::SystemRandom::new();
        let scheme = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        let of = |scheme| EcdsaKeyPair::from_pkcs8(scheme, document.as_ref(), &random).unwrap();
        Self {
            pair: of(scheme),
            der: of(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        }
    }

    pub(super) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "use": "sig",
            "x": encode(&point[1..33]), "y": encode(&point[33..])})
    }

    pub(super) fn sign(&self, claims: &str) -> String {
        Self::signed(&self.pair, claims)
    }

    /// As OpenSSL signs, and JSON Web Signatures are not.
    pub(super) fn sign_in_der(&self, claims: &str) -> String {
        Self::signed(&self.der, claims)
    }

    fn signed(pair: &EcdsaKeyPair, claims: &str) -> String {
        let head = json!({"alg": "ES256", "kid": "ec"});
        let random = ring::rand::SystemRandom::new();
        let sign = |text: &[u8]| pair.sign(&random, text).unwrap().as_ref().to_vec();
        token(&head, claims, sign)
    }
}
