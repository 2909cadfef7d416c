//! Makes keys and tokens. Only the command does: a stack holds public keys only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};

use crate::key::Material;
use crate::{Algorithm, PublicKey, provider};

/// A key that makes tokens: Ed25519. Its `Debug` form shows its id only.
pub struct PrivateKey {
    seed: [u8; 32],
    public: PublicKey,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// The system has no random numbers.
    #[error("the system gave no random numbers")]
    Random,
    /// A text is no private key of ours; it is not quoted, as it may be a secret.
    #[error(
        "it is not a private key for Ed25519 as a JSON Web Key (`kty` OKP, `crv` Ed25519, `x`, `d`): {0}"
    )]
    NoKey(&'static str),
}

/// What a new token says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// Who its holder is.
    pub name: String,
    /// The only friend that its holder may write to.
    pub to: Option<String>,
    /// The only room that its holder may enter.
    pub room: Option<String>,
    /// What its holder may do; `None` leaves that to the chat's default.
    pub can: Option<Vec<String>>,
    /// Who makes it, for those who read it; the key proves it.
    pub issuer: Option<String>,
    /// Which chat it is for.
    pub audience: Option<String>,
    /// From when on it is good, in seconds since the Unix epoch.
    pub now: u64,
    /// How long it is good, in seconds.
    pub seconds: u64,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PrivateKey")
            .field("id", &self.public.id())
            .finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// A new key, by the system's random numbers.
    ///
    /// # Errors
    /// There are none.
    pub fn generate() -> Result<Self, PrivateKeyError> {
        let mut seed = [0; 32];
        let random = ring::rand::SystemRandom::new();
        random
            .fill(&mut seed)
            .map_err(|_| PrivateKeyError::Random)?;
        Self::from_seed(seed, None)
    }

    fn from_seed(seed: [u8; 32], id: Option<String>) -> Result<Self, PrivateKeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| PrivateKeyError::NoKey("`d` is no seed"))?;
        let x = pair.public_key().as_ref().to_vec();
        let public = PublicKey::new(id, Material::Ed25519 { x })
            .map_err(|_| PrivateKeyError::NoKey("its public part is damaged"))?;
        Ok(Self { seed, public })
    }

    /// Reads what [`PrivateKey::to_secret_text`] has written.
    ///
    /// # Errors
    /// It is something else, or its public part is not that of its secret one.
    pub fn from_secret_text(text: &str) -> Result<Self, PrivateKeyError> {
        let no_key = PrivateKeyError::NoKey;
        let jwk: Value = serde_json::from_str(text).map_err(|_| no_key("it is not JSON"))?;
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        if (member("kty"), member("crv")) != (Some("OKP"), Some("Ed25519")) {
            return Err(no_key("it is of another kind"));
        }
        let seed = member("d").ok_or(no_key("it has no `d`"))?;
        let seed = URL_SAFE_NO_PAD.decode(seed);
        let seed = seed.map_err(|_| no_key("its `d` is not base64url"))?;
        let seed = seed
            .try_into()
            .map_err(|_| no_key("its `d` has not 32 bytes"))?;
        let id = member("kid").map(str::to_owned);
        let key = Self::from_seed(seed, id)?;
        let Material::Ed25519 { x } = key.public.material() else {
            return Err(no_key("it is of another kind"));
        };
        if member("x") != Some(URL_SAFE_NO_PAD.encode(x).as_str()) {
            return Err(no_key("its `x` is not that of its `d`"));
        }
        Ok(key)
    }

    /// The key with its secret part, as a JSON Web Key that other libraries read, too. For a private file only.
    pub fn to_secret_text(&self) -> String {
        let mut jwk = self.public.to_jwk();
        jwk["d"] = json!(URL_SAFE_NO_PAD.encode(self.seed));
        jwk.to_string()
    }

    /// The part that a stack holds.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Makes a token.
    ///
    /// # Errors
    /// The library refuses, which no request is known to bring about.
    pub fn token(&self, request: &TokenRequest) -> Result<String, jsonwebtoken::errors::Error> {
        provider::install();
        let mut header = Header::new(Algorithm::EdDsa.of_library());
        header.kid = Some(self.public.id().to_owned());
        let mut claims = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                claims.insert(name.to_owned(), value);
            }
        };
        add("iss", json!(request.issuer));
        add("sub", json!(request.name));
        add("to", json!(request.to));
        add("room", json!(request.room));
        add("can", json!(request.can));
        add("aud", json!(request.audience));
        add("iat", json!(request.now));
        add("exp", json!(request.now.saturating_add(request.seconds)));
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&self.seed))
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        // Best effort: a compiler may leave copies.
        std::hint::black_box(&mut self.seed).fill(0);
    }
}
