//! Why a token is not accepted, for a function's log. A client is told a status only.

/// Why a token says nothing about who somebody is. No part of the token's signature is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no JWT.
    #[error("it is not a signed token (JWT): {0}")]
    Malformed(&'static str),
    /// It is longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("it is longer than {} bytes", crate::MAX_TOKEN_BYTES)]
    TooLong,
    /// It wants an algorithm that its key is not for.
    #[error("it is signed by {0}, which is not the algorithm of a key that is accepted")]
    Algorithm(String),
    /// It is meant for something else than access.
    #[error("it is of type {0}, not an access or identity token")]
    Type(String),
    /// It is signed with a key that is not known, or no longer.
    #[error("its key `{0}` is not among those that are accepted")]
    UnknownKey(String),
    /// It names no key, and there are several.
    #[error("it names no key (`kid`), and more or fewer than one is accepted")]
    NoKey,
    /// It was changed, or signed by somebody else.
    #[error("its signature is not that of its key `{0}`")]
    Signature(String),
    /// Its claims are no JSON object, or one is there twice.
    #[error("its claims cannot be read: {0}")]
    Unreadable(String),
    /// A claim that it must have is missing.
    #[error("it has no claim `{0}`")]
    Missing(String),
    /// A claim has a value of a wrong kind.
    #[error("its claim `{0}` is not {1}")]
    Kind(String, &'static str),
    /// It was good until some time ago.
    #[error("it has expired {0} s ago")]
    Expired(u64),
    /// It will be good only in some time.
    #[error("it is good only in {0} s")]
    NotYet(u64),
    /// Somebody else has made it.
    #[error("its issuer is `{0}`")]
    Issuer(String),
    /// It is for another service.
    #[error("it is for another audience than this chat")]
    Audience,
}

impl Refusal {
    /// Whether a newer set of keys could have the one that this token names.
    pub const fn asks_for_newer_keys(&self) -> bool {
        matches!(self, Self::UnknownKey(_))
    }
}

/// `text` as a log line may have it: it comes from somebody who has proven nothing yet.
pub(crate) fn shown(text: &str) -> String {
    const MAX_CHARS: usize = 64;
    let plain = text.chars().map(|c| match c {
        ' '..='~' => c,
        _ => '\u{fffd}',
    });
    plain.take(MAX_CHARS).collect()
}
