//! A token on its way to a gateway, which decides whether it is good. Nothing is verified here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat_protocol::auth::SCHEME;
use hyper::header::HeaderValue;

/// The longest token that a chat accepts, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// A signed token (JWT) that says who a client is. Its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text is no token. It is not quoted, as it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// It has no characters.
    #[error("it is empty")]
    Empty,
    /// It is longer than a header may be.
    #[error("it is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It has no three parts in Base64.
    #[error("it is not a signed token (JWT): three parts in base64url with dots between them")]
    Malformed,
}

impl Token {
    /// Takes `text` as a token if it has the shape of one; white space around it is dropped.
    ///
    /// # Errors
    /// [`NoToken`]
    pub fn parse(text: &str) -> Result<Self, NoToken> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NoToken::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(NoToken::TooLong);
        }
        let is_part = |part: &str| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !part.is_empty() && part.bytes().all(is_allowed)
        };
        let is_token = text.split('.').count() == 3 && text.split('.').all(is_part);
        match is_token {
            true => Ok(Self(text.to_owned())),
            false => Err(NoToken::Malformed),
        }
    }

    /// The token itself, for a header or for its holder.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// The value of the header that carries it, marked so that no library shows it.
    pub(in crate::engine) fn header(&self) -> HeaderValue {
        let value = format!("{SCHEME} {}", self.0);
        let mut value =
            HeaderValue::from_str(&value).expect("base64url and dots fit into a header");
        value.set_sensitive(true);
        value
    }

    /// The text that it has as `claim`.
    pub fn claim(&self, claim: &str) -> Option<String> {
        Some(self.claims()?[claim].as_str()?.to_owned())
    }

    fn claims(&self) -> Option<serde_json::Value> {
        let claims = self.0.split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    /// When it expires by its own word, in seconds since the Unix epoch; `None` where it does not say.
    pub fn expires_at(&self) -> Option<u64> {
        let claims = self.claims()?;
        let expiry = &claims["exp"];
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a second does not matter, and what is out of range becomes a limit"
        )]
        let rounded = || expiry.as_f64().map(|seconds| seconds as u64);
        expiry.as_u64().or_else(rounded)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_shape_of_a_token_is_one_and_it_is_never_shown() {
        let token = Token::parse(" aa.b-_.c9\r\n").unwrap();
        assert_eq!(token.secret(), "aa.b-_.c9");
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(Token::parse(" \n"), Err(NoToken::Empty));
        for text in [
            "a.b",
            "a..c",
            "a.b.c.d",
            "a.b.c=",
            "a.b.c\r\nx: y.d",
            "a.b.ü",
            "Bearer a.b.c",
        ] {
            assert_eq!(Token::parse(text), Err(NoToken::Malformed), "{text:?}");
        }
        let long = format!("a.b.{}", "c".repeat(MAX_BYTES));
        assert_eq!(Token::parse(&long), Err(NoToken::TooLong));
    }

    #[test]
    fn a_token_tells_when_it_expires_where_it_says_so() {
        let expiry = |claims: &str| {
            let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
            Token::parse(&token).unwrap().expires_at()
        };
        assert_eq!(expiry(r#"{"exp":1800000000}"#), Some(1_800_000_000));
        assert_eq!(expiry(r#"{"exp":1800000000.9}"#), Some(1_800_000_000));
        for claims in ["{}", r#"{"exp":"soon"}"#, "[]", "x"] {
            assert_eq!(expiry(claims), None, "{claims}");
        }
    }
}
