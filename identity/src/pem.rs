//! Public keys in PEM.

use pkcs1::RsaPublicKeyRef;
use spki::der::{Decode, Document};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::key::{Material, trimmed};
use crate::{KeyError, PublicKey};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

impl PublicKey {
    /// Parses a key in PEM: `PUBLIC KEY` (RFC 7468) or `RSA PUBLIC KEY` (RFC 8017). Its id is its thumbprint.
    ///
    /// # Errors
    /// It is not a key, or has another kind, or is damaged, or private.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let no_key = |what: &str| KeyError::NoKey(what.to_owned());
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        let (label, document) = Document::from_pem(text).map_err(|_| no_key("not valid PEM"))?;
        let material = match label {
            "PUBLIC KEY" => public_key(document.as_bytes())?,
            "RSA PUBLIC KEY" => rsa(document.as_bytes())?,
            _ => return Err(no_key("PEM of something else than a public key")),
        };
        Self::new(None, material)
    }
}

fn public_key(der: &[u8]) -> Result<Material, KeyError> {
    let no_key = |what: &str| KeyError::NoKey(what.to_owned());
    let info = SubjectPublicKeyInfoRef::from_der(der)
        .map_err(|_| no_key("a public key that cannot be parsed"))?;
    let bytes = info
        .subject_public_key
        .as_bytes()
        .ok_or_else(|| no_key("a public key with an incomplete byte"))?;
    match info.algorithm.oid {
        RSA => rsa(bytes),
        ED25519 => Ok(Material::Ed25519 { x: bytes.to_vec() }),
        EC => {
            let curve = info.algorithm.parameters_oid();
            if curve != Ok(P256) {
                return Err(KeyError::OtherKind("of another curve than P-256".into()));
            }
            match bytes {
                [4, point @ ..] if point.len() == 64 => Ok(Material::P256 {
                    x: point[..32].to_vec(),
                    y: point[32..].to_vec(),
                }),
                _ => Err(KeyError::Damaged {
                    kind: "P-256",
                    what: "its point is not an uncompressed one",
                }),
            }
        }
        other => Err(KeyError::OtherKind(format!("of kind {other}"))),
    }
}

fn rsa(der: &[u8]) -> Result<Material, KeyError> {
    let key = RsaPublicKeyRef::from_der(der).map_err(|_| KeyError::Damaged {
        kind: "RSA",
        what: "it cannot be parsed",
    })?;
    Ok(Material::Rsa {
        n: trimmed(key.modulus.as_bytes().to_vec()),
        e: trimmed(key.public_exponent.as_bytes().to_vec()),
    })
}
