//! Keys and signed tokens for the benchmark of the authorizer: one of each accepted algorithm.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde_json::{Value, json};

/// Why there is no key or token.
#[derive(Debug, thiserror::Error)]
#[error("could not make {0}")]
pub(crate) struct SignError(&'static str);

/// A key that signs tokens.
#[derive(Debug)]
pub(super) enum Signer {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(rsa::KeyPair),
}

/// How often a bare verification is repeated.
const REPETITIONS: usize = 300;

impl Signer {
    /// A new key of each algorithm. That for RSA is of OpenSSL, because ring makes none.
    pub(super) fn new_for_each_algorithm() -> Result<[Self; 3], SignError> {
        let random = SystemRandom::new();
        let failed = |what| move |_| SignError(what);
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random)
            .map_err(failed("a key for EdDSA"))
            .and_then(|it| {
                Ed25519KeyPair::from_pkcs8(it.as_ref()).map_err(|_| SignError("a key for EdDSA"))
            })?;
        let scheme = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let p256 = EcdsaKeyPair::generate_pkcs8(scheme, &random)
            .map_err(failed("a key for ES256"))
            .and_then(|it| {
                EcdsaKeyPair::from_pkcs8(scheme, it.as_ref(), &random)
                    .map_err(|_| SignError("a key for ES256"))
            })?;
        let openssl = "a key for RS256; the benchmark needs the program `openssl`";
        let made = Command::new("openssl")
            .args(["genpkey", "-algorithm", "RSA", "-outform", "DER"])
            .args(["-pkeyopt", "rsa_keygen_bits:2048"])
            .output()
            .map_err(|_| SignError(openssl))?;
        // Its versions differ in whether DER has the algorithm around the key.
        let rsa = rsa::KeyPair::from_pkcs8(&made.stdout)
            .or_else(|_| rsa::KeyPair::from_der(&made.stdout))
            .map_err(|_| SignError(openssl))?;
        Ok([Self::EdDsa(ed25519), Self::Es256(p256), Self::Rs256(rsa)])
    }

    pub(super) const fn algorithm(&self) -> &'static str {
        match self {
            Self::EdDsa(_) => "EdDSA",
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        }
    }

    /// The public key as a JSON Web Key.
    pub(super) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Self::EdDsa(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
            }
            Self::Rs256(pair) => {
                let public: rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({"kty": "RSA", "n": text(&public.n), "e": text(&public.e)})
            }
        };
        jwk["kid"] = json!("bench");
        jwk["alg"] = json!(self.algorithm());
        jwk["use"] = json!("sig");
        jwk
    }

    /// A token for Tom, good for a day.
    pub(super) fn token(&self, issuer: &str) -> Result<String, SignError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_err(|_| SignError("a time of day"))?.as_secs();
        let head = json!({"alg": self.algorithm(), "kid": "bench", "typ": "JWT"});
        let claims =
            json!({"iss": issuer, "sub": "Tom", "aud": "chat", "iat": now, "exp": now + 86_400});
        let parts = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let text = parts.join(".");
        let signature = URL_SAFE_NO_PAD.encode(self.sign(text.as_bytes())?);
        Ok(format!("{text}.{signature}"))
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        let failed = |_| SignError("a signature");
        match self {
            Self::EdDsa(pair) => Ok(pair.sign(text).as_ref().to_vec()),
            Self::Es256(pair) => {
                let signature = pair.sign(&random, text).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// How long the cryptography alone takes to verify such a token's signature, once and again.
    pub(super) fn bare_verifications(&self) -> Result<Vec<Duration>, SignError> {
        let text = [b'a'; 200];
        let signature = self.sign(&text)?;
        let (scheme, key): (&dyn VerificationAlgorithm, &[u8]) = match self {
            Self::EdDsa(pair) => (&ED25519, pair.public_key().as_ref()),
            Self::Es256(pair) => (&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()),
            Self::Rs256(pair) => (&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref()),
        };
        let key = UnparsedPublicKey::new(scheme, key);
        let mut times = Vec::with_capacity(REPETITIONS);
        for _ in 0..REPETITIONS {
            let started = Instant::now();
            let verified = key.verify(&text, &signature);
            times.push(started.elapsed());
            verified.map_err(|_| SignError("a signature that its key verifies"))?;
        }
        Ok(times)
    }
}
