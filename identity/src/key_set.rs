//! A set of keys: an issuer's, or a stack's.

use serde_json::{Value, json};

use crate::{KeyError, PublicKey};

/// The most keys in a set.
pub const MAX_KEYS: usize = 64;

/// The largest document with keys, in bytes.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// The keys that tokens may be signed with. Their ids are unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

/// Why a document is not a set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// It is too large.
    #[error("it has {0} bytes, {MAX_KEY_SET_BYTES} at most")]
    TooLarge(usize),
    /// It is not JSON, or has no list `keys`.
    #[error("it is not a set of keys (JWK Set): {0}")]
    NoSet(String),
    /// It has too many keys.
    #[error("it has {0} keys, {MAX_KEYS} at most")]
    TooMany(usize),
    /// None of its keys is for tokens.
    #[error("none of its {count} keys can be used; the first one: {first}")]
    NoUsable {
        /// The number of keys.
        count: usize,
        /// The problem of the first one.
        first: KeyError,
    },
    /// Two keys have the same id.
    #[error("two of its keys have the id `{0}`")]
    SameId(String),
}

impl KeySet {
    /// Makes a set of these keys.
    ///
    /// # Errors
    /// Two have the same id, or there are too many.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Result<Self, KeySetError> {
        let keys: Vec<PublicKey> = keys.into_iter().collect();
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany(keys.len()));
        }
        for (index, key) in keys.iter().enumerate() {
            if keys[..index].iter().any(|other| other.id() == key.id()) {
                return Err(KeySetError::SameId(key.id().to_owned()));
            }
        }
        Ok(Self { keys })
    }

    /// Parses a JWK Set (RFC 7517). Keys of other kinds, and those for other uses, are ignored, as the RFC requires; a key that
    /// stands there twice is one.
    ///
    /// # Errors
    /// It is too large, not a set, or has no usable key.
    pub fn from_json(bytes: &[u8]) -> Result<Self, KeySetError> {
        if bytes.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetError::TooLarge(bytes.len()));
        }
        let document: Value =
            serde_json::from_slice(bytes).map_err(|error| KeySetError::NoSet(error.to_string()))?;
        let Some(list) = document.get("keys").and_then(Value::as_array) else {
            return Err(KeySetError::NoSet("it has no list `keys`".into()));
        };
        if list.len() > MAX_KEYS {
            return Err(KeySetError::TooMany(list.len()));
        }
        let read: Vec<_> = list.iter().map(PublicKey::from_jwk).collect();
        let first = read.iter().find_map(|it| it.as_ref().err().cloned());
        let mut keys: Vec<PublicKey> = Vec::with_capacity(read.len());
        for key in read.into_iter().flatten() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        match first {
            Some(first) if keys.is_empty() => Err(KeySetError::NoUsable {
                count: list.len(),
                first,
            }),
            _ => Self::new(keys),
        }
    }

    /// The set as a JWK Set.
    pub fn to_json(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(PublicKey::to_jwk).collect();
        json!({ "keys": keys })
    }

    /// The keys, in their order.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The key of tokens with this `kid`. Without a `kid`, it is the only key, if there is only one.
    pub fn find(&self, id: Option<&str>) -> Option<&PublicKey> {
        match (id, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id() == id),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn jwk(byte: u8, id: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([byte; 32]), "kid": id})
    }

    fn read(document: &Value) -> Result<KeySet, KeySetError> {
        KeySet::from_json(document.to_string().as_bytes())
    }

    #[test]
    fn keys_for_other_uses_are_left_out() {
        let other = json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "b"});
        let set = read(&json!({"keys": [other, jwk(1, "a")]})).unwrap();
        assert_eq!(set.keys().len(), 1);
        assert_eq!(read(&set.to_json()).unwrap(), set);
    }

    #[test]
    fn a_key_that_stands_there_twice_is_one_and_two_keys_of_one_id_are_no_set() {
        let twice = read(&json!({"keys": [jwk(1, "a"), jwk(1, "a"), jwk(2, "b")]})).unwrap();
        assert_eq!(twice.keys().len(), 2);
        let error = read(&json!({"keys": [jwk(1, "a"), jwk(2, "a")]})).unwrap_err();
        assert_eq!(error, KeySetError::SameId("a".into()));
    }

    #[test]
    fn a_key_is_found_by_its_id_or_if_it_is_the_only_one() {
        let one = read(&json!({"keys": [jwk(1, "a")]})).unwrap();
        let two = read(&json!({"keys": [jwk(1, "a"), jwk(2, "b")]})).unwrap();
        assert_eq!(two.find(Some("b")).unwrap().id(), "b");
        assert!(two.find(Some("c")).is_none());
        assert!(two.find(None).is_none());
        assert_eq!(one.find(None).unwrap().id(), "a");
    }

    #[test]
    fn unusable_sets_are_refused_with_the_reason() {
        let many: Vec<Value> = (0..65).map(|it| jwk(it, &it.to_string())).collect();
        for (document, reason) in [
            (json!(null), "no list `keys`"),
            (json!({"keys": {}}), "no list `keys`"),
            (
                json!({"keys": [{"kty": "oct", "k": ""}]}),
                "none of its 1 keys",
            ),
            (json!({"keys": [jwk(1, "a"), jwk(2, "a")]}), "the id `a`"),
            (json!({ "keys": many }), "65 keys"),
        ] {
            let error = read(&document).unwrap_err().to_string();
            assert!(error.contains(reason), "{document}: {error}");
        }
        assert!(KeySet::from_json(b"<html>").is_err());
        let large = vec![b' '; MAX_KEY_SET_BYTES + 1];
        assert!(matches!(
            KeySet::from_json(&large),
            Err(KeySetError::TooLarge(_))
        ));
        // An issuer may publish no keys for a while; then no token is accepted.
        assert_eq!(read(&json!({"keys": []})).unwrap(), KeySet::default());
    }
}
