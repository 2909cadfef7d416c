//! The algorithms of keys and tokens.

/// The algorithm of a signature. Others are not accepted: no `none`, no shared secret (HMAC), no RSA-PSS, no larger
/// curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA over P-256 with SHA-256 (RFC 7518).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518), keys of 2,048 to 8,192 bits.
    Rs256,
}

impl Algorithm {
    /// The value of a token's `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm with this [`Algorithm::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Rs256]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    pub(crate) const fn to_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}
