//! Creates keys and tokens. Only the command does: a stack has only public keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};

use crate::key::Material;
use crate::{Algorithm, PublicKey, provider};

/// A key that signs tokens: Ed25519. Its `Debug` form only shows its id.
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
    /// The text is not a private key of ours. The error does not quote it, because it may be a secret.
    #[error(
        "it is not a private key for Ed25519 as a JSON Web Key (`kty` OKP, `crv` Ed25519, `x`, `d`): {0}"
    )]
    NoKey(&'static str),
}

/// The claims of a new token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// The holder's name.
    pub name: String,
    /// The only friend that its holder may write to.
    pub to: Option<String>,
    /// The only room that its holder may enter.
    pub room: Option<String>,
    /// The holder's permissions; `None` leaves them to the chat's default.
    pub can: Option<Vec<String>>,
    /// The value of `iss`.
    pub issuer: Option<String>,
    /// The chat that it is for.
    pub audience: Option<String>,
    /// The start of its validity, in seconds since the Unix epoch.
    pub now: u64,
    /// Its validity in seconds.
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
    /// Creates a new key with the system's random numbers.
    ///
    /// # Errors
    /// The system has none.
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
            .map_err(|_| PrivateKeyError::NoKey("`d` is not a seed"))?;
        let x = pair.public_key().as_ref().to_vec();
        let public = PublicKey::new(id, Material::Ed25519 { x })
            .map_err(|_| PrivateKeyError::NoKey("its public part is damaged"))?;
        Ok(Self { seed, public })
    }

    /// Parses the output of [`PrivateKey::to_secret_text`].
    ///
    /// # Errors
    /// It is not such a key, or its public part does not belong to its secret one.
    pub fn from_secret_text(text: &str) -> Result<Self, PrivateKeyError> {
        let no_key = PrivateKeyError::NoKey;
        let jwk: Value = serde_json::from_str(text).map_err(|_| no_key("it is not JSON"))?;
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        if (member("kty"), member("crv")) != (Some("OKP"), Some("Ed25519")) {
            return Err(no_key("it is of another kind"));
        }
        let seed = member("d").ok_or(no_key("it has no `d`"))?;
        let seed = URL_SAFE_NO_PAD
            .decode(seed)
            .map_err(|_| no_key("its `d` is not base64url"))?
            .try_into()
            .map_err(|_| no_key("its `d` does not have 32 bytes"))?;
        let id = member("kid").map(str::to_owned);
        let key = Self::from_seed(seed, id)?;
        let Material::Ed25519 { x } = key.public.material() else {
            return Err(no_key("it is of another kind"));
        };
        if member("x") != Some(URL_SAFE_NO_PAD.encode(x).as_str()) {
            return Err(no_key("its `x` does not belong to its `d`"));
        }
        Ok(key)
    }

    /// The key with its secret part, as a JSON Web Key for other libraries as well. Only for a private file.
    pub fn to_secret_text(&self) -> String {
        let mut jwk = self.public.to_jwk();
        jwk["d"] = json!(URL_SAFE_NO_PAD.encode(self.seed));
        jwk.to_string()
    }

    /// The public key, for a stack.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Creates a token.
    ///
    /// # Errors
    /// The library fails, which no known request causes.
    pub fn token(&self, request: &TokenRequest) -> Result<String, jsonwebtoken::errors::Error> {
        provider::install();
        let mut header = Header::new(Algorithm::EdDsa.to_library());
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
        // Best effort: the compiler may leave copies.
        std::hint::black_box(&mut self.seed).fill(0);
    }
}
