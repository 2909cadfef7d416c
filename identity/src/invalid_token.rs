//! Why a token is refused, for a function's log. A client only gets a status.

/// Why a token does not prove an identity. It contains no part of the token's signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// It is no JWT.
    #[error("it is not a signed token (JWT): {0}")]
    Malformed(&'static str),
    /// It is longer than is read.
    #[error("it is longer than {} bytes", crate::MAX_TOKEN_BYTES)]
    TooLong,
    /// Its algorithm is not that of its key.
    #[error("it is signed with {0}, which is not the algorithm of an accepted key")]
    Algorithm(String),
    /// It is not for access.
    #[error("it is of type {0}, not an access or identity token")]
    Type(String),
    /// Its key is unknown, or was removed.
    #[error("its key `{0}` is not accepted")]
    UnknownKey(String),
    /// It names no key, and there are several or none.
    #[error("it names no key (`kid`), but not exactly one is accepted")]
    NoKey,
    /// It was changed, or signed with another key.
    #[error("its signature was not made with its key `{0}`")]
    Signature(String),
    /// Its claims are not a JSON object, or have a duplicate.
    #[error("its claims are invalid: {0}")]
    Unreadable(String),
    /// A required claim is missing.
    #[error("it has no claim `{0}`")]
    Missing(String),
    /// A claim has a value of the wrong type.
    #[error("its claim `{0}` is not {1}")]
    Kind(String, &'static str),
    /// It has expired.
    #[error("it expired {0} s ago")]
    Expired(u64),
    /// It is not valid yet.
    #[error("it is not valid for another {0} s")]
    NotYet(u64),
    /// It has another issuer.
    #[error("its issuer is `{0}`")]
    Issuer(String),
    /// It is for another service.
    #[error("it is for another audience than this chat")]
    Audience,
}

impl InvalidToken {
    /// Whether a newer set of keys could contain the one that this token names.
    pub const fn needs_newer_keys(&self) -> bool {
        matches!(self, Self::UnknownKey(_))
    }
}

/// `text` in a form for log lines, because it comes from an unknown client.
pub(crate) fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 64;
    let plain = text.chars().map(|c| match c {
        ' '..='~' => c,
        _ => '\u{fffd}',
    });
    plain.take(MAX_CHARS).collect()
}
