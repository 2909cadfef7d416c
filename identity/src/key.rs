//! One public key, as a JSON Web Key (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value, json};

use crate::{Algorithm, small_order};

/// A public key for tokens. Two keys are equal if their material is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: String,
    material: Material,
}

/// The material of a key. Numbers are big-endian, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    Ed25519 { x: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Why a value is not a key for tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Another kind of key, or one for another use than signatures.
    #[error("it is {0}; keys for Ed25519, P-256 (ES256) and RSA (RS256) are accepted")]
    OtherKind(String),
    /// A key of an accepted kind with invalid content.
    #[error("it is a damaged {kind} key: {what}")]
    Damaged {
        /// The kind of the key.
        kind: &'static str,
        /// The problem.
        what: &'static str,
    },
    /// It contains private parts.
    #[error("it is a private key: only pass the public one")]
    Private,
    /// It is not a key.
    #[error("it is not a key: {0}")]
    NoKey(String),
}

/// A key's id comes from its issuer, and is only shown and compared.
const MAX_ID_CHARS: usize = 256;

impl PublicKey {
    /// A key with an explicit id; by default the id is its thumbprint (RFC 7638).
    pub(crate) fn new(id: Option<String>, material: Material) -> Result<Self, KeyError> {
        material.check()?;
        let id = id.unwrap_or_else(|| material.thumbprint());
        Ok(Self { id, material })
    }

    /// Parses a JSON Web Key. Fields that are not about signatures are ignored.
    ///
    /// # Errors
    /// It has another kind or use, or is damaged, or private.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let Value::Object(members) = jwk else {
            return Err(KeyError::NoKey("not a JSON object".into()));
        };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if ["d", "p", "q", "k"]
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(KeyError::Private);
        }
        let kind = text("kty").ok_or_else(|| KeyError::NoKey("no `kty`".into()))?;
        let other = |what: String| Err(KeyError::OtherKind(what));
        let material = match (kind, text("crv")) {
            ("OKP", Some("Ed25519")) => Material::Ed25519 {
                x: number(members, "x", "Ed25519")?,
            },
            ("EC", Some("P-256")) => Material::P256 {
                x: number(members, "x", "P-256")?,
                y: number(members, "y", "P-256")?,
            },
            ("RSA", None) => Material::Rsa {
                n: trimmed(number(members, "n", "RSA")?),
                e: trimmed(number(members, "e", "RSA")?),
            },
            (kind, Some(curve)) => return other(format!("of kind {kind} {curve}")),
            (kind, None) => return other(format!("of kind {kind}")),
        };
        // A restriction that cannot be read is none that may be passed over.
        for name in ["use", "alg", "kid"] {
            if members
                .get(name)
                .is_some_and(|it| !it.is_string() && !it.is_null())
            {
                return Err(KeyError::NoKey(format!("its `{name}` is not a string")));
            }
        }
        if text("use").is_some_and(|it| it != "sig") {
            return other("a key for encryption".into());
        }
        if let Some(operations) = members.get("key_ops").filter(|it| !it.is_null()) {
            let list = operations.as_array();
            if !list.is_some_and(|it| it.iter().any(|it| it == "verify")) {
                return other("not meant to verify signatures".into());
            }
        }
        if let Some(algorithm) = text("alg")
            && algorithm != material.algorithm().name()
        {
            return other(format!("for {algorithm}"));
        }
        let id = text("kid").filter(|id| !id.is_empty()).map(str::to_owned);
        if id
            .as_ref()
            .is_some_and(|id| id.chars().count() > MAX_ID_CHARS)
        {
            return Err(KeyError::NoKey(format!(
                "its id has more than {MAX_ID_CHARS} characters"
            )));
        }
        Self::new(id, material)
    }

    /// The key as a JSON Web Key.
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.material.fields();
        jwk.insert("kid".into(), json!(self.id));
        jwk.insert("alg".into(), json!(self.algorithm().name()));
        jwk.insert("use".into(), json!("sig"));
        Value::Object(jwk)
    }

    pub(crate) const fn material(&self) -> &Material {
        &self.material
    }

    /// The `kid` of tokens that are signed with this key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The algorithm of tokens that this key verifies.
    pub const fn algorithm(&self) -> Algorithm {
        self.material.algorithm()
    }

    /// The thumbprint of RFC 7638, by SHA-256, in base64url.
    pub fn thumbprint(&self) -> String {
        self.material.thumbprint()
    }

    pub(crate) fn to_library(&self) -> DecodingKey {
        match &self.material {
            Material::Ed25519 { x } => DecodingKey::from_ed_der(x),
            Material::P256 { x, y } => {
                let point: Vec<u8> = [&[4], x.as_slice(), y].concat();
                DecodingKey::from_ec_der(&point)
            }
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        }
    }
}

impl Material {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519 { .. } => Algorithm::EdDsa,
            Self::P256 { .. } => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    fn check(&self) -> Result<(), KeyError> {
        let damaged = |kind, what| Err(KeyError::Damaged { kind, what });
        match self {
            Self::Ed25519 { x } if x.len() != 32 => damaged("Ed25519", "it does not have 32 bytes"),
            Self::Ed25519 { x } if small_order::contains(x) => damaged(
                "Ed25519",
                "any client could sign for it (a point of small order)",
            ),
            Self::P256 { x, y } if x.len() != 32 || y.len() != 32 => {
                damaged("P-256", "its coordinates do not have 32 bytes each")
            }
            Self::Rsa { n, .. } if !(256..=1024).contains(&n.len()) => {
                damaged("RSA", "it has fewer than 2,048 or more than 8,192 bits")
            }
            // ring accepts odd exponents from 3 to 2^33 - 1; in use are only 65,537, and 3 in old keys.
            Self::Rsa { e, .. } if !matches!(e.as_slice(), [3] | [1, 0, 1]) => {
                damaged("RSA", "its exponent is neither 65,537 nor 3")
            }
            Self::Ed25519 { .. } | Self::P256 { .. } | Self::Rsa { .. } => Ok(()),
        }
    }

    /// The fields of the key's material, in the order of a thumbprint.
    fn fields(&self) -> Map<String, Value> {
        let text = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
        let members = match self {
            Self::Ed25519 { x } => vec![
                ("crv", json!("Ed25519")),
                ("kty", json!("OKP")),
                ("x", text(x)),
            ],
            Self::P256 { x, y } => vec![
                ("crv", json!("P-256")),
                ("kty", json!("EC")),
                ("x", text(x)),
                ("y", text(y)),
            ],
            Self::Rsa { n, e } => vec![("e", text(e)), ("kty", json!("RSA")), ("n", text(n))],
        };
        let members = members.into_iter();
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn thumbprint(&self) -> String {
        let members = self.fields();
        let parts: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        let text = format!("{{{}}}", parts.join(","));
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        URL_SAFE_NO_PAD.encode(digest)
    }
}

fn number(
    members: &Map<String, Value>,
    name: &str,
    kind: &'static str,
) -> Result<Vec<u8>, KeyError> {
    let damaged = |what| KeyError::Damaged { kind, what };
    let text = members
        .get(name)
        .and_then(Value::as_str)
        .ok_or(damaged("a part of it is missing"))?;
    // Some writers add padding, although RFC 7515 forbids it.
    let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    decoded.map_err(|_| damaged("a part of it is not base64url"))
}

/// `bytes` without leading zeros, which some writers add for the number's sign.
pub(crate) fn trimmed(bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638, section 3.1.
    const RFC_7638: &str = concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6",
        "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9",
        "1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    );

    #[test]
    fn a_thumbprint_is_that_of_the_rfc() {
        let key = PublicKey::from_jwk(&json!({"kty": "RSA", "n": RFC_7638, "e": "AQAB"})).unwrap();
        let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(key.thumbprint(), thumbprint);
        assert_eq!(key.id(), thumbprint);
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
    }

    #[test]
    fn a_leading_zero_and_padding_do_not_change_a_key() {
        let bytes = URL_SAFE_NO_PAD.decode(RFC_7638).unwrap();
        let padded =
            base64::engine::general_purpose::URL_SAFE.encode([&[0], bytes.as_slice()].concat());
        let plain = PublicKey::from_jwk(&json!({"kty": "RSA", "n": RFC_7638, "e": "AQAB"}));
        let other = PublicKey::from_jwk(&json!({"kty": "RSA", "n": padded, "e": "AAEAAQ=="}));
        assert_eq!(plain, other);
    }

    #[test]
    fn what_is_null_is_not_said() {
        let key = json!({"kty": "RSA", "n": RFC_7638, "e": "AQAB", "use": null, "alg": null, "kid": null, "key_ops": null});
        let key = PublicKey::from_jwk(&key).unwrap();
        assert_eq!(key.id(), key.thumbprint());
    }

    #[test]
    fn values_that_are_not_keys_for_tokens_are_refused_with_the_reason() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        for (jwk, reason) in [
            (json!([]), "not a JSON object"),
            (json!({}), "no `kty`"),
            (json!({"kty": "oct", "k": "c2VjcmV0"}), "private"),
            (json!({"kty": "OKP", "crv": "X25519", "x": x}), "OKP X25519"),
            (
                json!({"kty": "EC", "crv": "P-384", "x": x, "y": x}),
                "EC P-384",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
                "32 bytes",
            ),
            (json!({"kty": "OKP", "crv": "Ed25519"}), "missing"),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "!"}),
                "base64url",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": x}),
                "private",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "HS256"}),
                "for HS256",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "enc"}),
                "encryption",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "key_ops": ["sign"]}),
                "verify",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "key_ops": "verify"}),
                "verify",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": ["sig"]}),
                "`use` is not a string",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": {}}),
                "`alg` is not a string",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": 7}),
                "`kid` is not a string",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k".repeat(257)}),
                "256 characters",
            ),
            (json!({"kty": "RSA", "n": x, "e": "AQAB"}), "2,048"),
            (json!({"kty": "RSA", "n": RFC_7638, "e": "AQ"}), "exponent"),
            (
                json!({"kty": "RSA", "n": RFC_7638, "e": "AQAB", "alg": "PS256"}),
                "for PS256",
            ),
        ] {
            let error = PublicKey::from_jwk(&jwk).unwrap_err().to_string();
            assert!(error.contains(reason), "{jwk}: {error}");
        }
    }
}
