//! Verifies tokens.

use jsonwebtoken::Validation;
use serde_json::{Map, Value};

use crate::claims::{Unique, texts, time};
use crate::invalid_token::shown;
use crate::{Algorithm, Claims, InvalidToken, KeySet, MAX_TOKEN_BYTES, PublicKey, provider};

/// The tolerated difference between clocks, in seconds.
pub const LEEWAY_SECONDS: u64 = 60;

/// The requirements for a token besides its signature and its expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The value of `iss`; `None` accepts any, which is only safe with keys that sign for this chat alone.
    pub issuer: Option<String>,
    /// One of them must be in `aud`; an empty list accepts any. Cognito's access tokens have it in `client_id` instead
    /// (<https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html>).
    pub audience: Vec<String>,
    /// The claim with the user's name.
    pub name_claim: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: Vec::new(),
            name_claim: "sub".into(),
        }
    }
}

/// Keys and rules, for any number of tokens.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: KeySet,
    rules: Rules,
}

impl Verifier {
    /// Tokens must be signed with one of `keys` and satisfy `rules`.
    pub fn new(keys: KeySet, rules: Rules) -> Self {
        provider::install();
        Self { keys, rules }
    }

    /// The same rules with other keys.
    pub fn with_keys(&self, keys: KeySet) -> Self {
        Self::new(keys, self.rules.clone())
    }

    /// The accepted keys.
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Verifies `token` at `now`, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// It is refused. Then none of its claims may be trusted, not even its name.
    pub fn verify(&self, token: &str, now: u64) -> Result<Claims, InvalidToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken::TooLong);
        }
        let key = self.key(token)?;
        let all = signed(token, key)?;
        let expires_at =
            time(&all.0, "exp")?.ok_or_else(|| InvalidToken::Missing("exp".to_owned()))?;
        if expires_at.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(InvalidToken::Expired(now - expires_at));
        }
        for claim in ["nbf", "iat"] {
            if let Some(from) = time(&all.0, claim)?
                && from > now.saturating_add(LEEWAY_SECONDS)
            {
                return Err(InvalidToken::NotYet(from - now));
            }
        }
        self.check_issuer(&all.0)?;
        self.check_audience(&all.0)?;
        Claims::new(all, &self.rules.name_claim, expires_at)
    }

    /// The key that the token's header names, if the header's algorithm is the key's.
    fn key(&self, token: &str) -> Result<&PublicKey, InvalidToken> {
        let header = read_header(token)?;
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.as_str()),
            Some(_) => return Err(InvalidToken::Malformed("`kid` is not a string")),
        };
        if Algorithm::from_name(algorithm).is_none() {
            return Err(InvalidToken::Algorithm(shown(algorithm)));
        }
        let key = self.keys.find(id).ok_or_else(|| match id {
            Some(id) => InvalidToken::UnknownKey(shown(id)),
            None => InvalidToken::NoKey,
        })?;
        if key.algorithm().name() != algorithm {
            return Err(InvalidToken::Algorithm(shown(algorithm)));
        }
        Ok(key)
    }

    fn check_issuer(&self, all: &Map<String, Value>) -> Result<(), InvalidToken> {
        let Some(expected) = &self.rules.issuer else {
            return Ok(());
        };
        match all.get("iss") {
            Some(Value::String(issuer)) if issuer == expected => Ok(()),
            Some(Value::String(issuer)) => Err(InvalidToken::Issuer(shown(issuer))),
            Some(_) => Err(InvalidToken::Kind("iss".into(), "a string")),
            None => Err(InvalidToken::Missing("iss".into())),
        }
    }

    fn check_audience(&self, all: &Map<String, Value>) -> Result<(), InvalidToken> {
        if self.rules.audience.is_empty() {
            return Ok(());
        }
        let named = match texts(all, "aud")? {
            Some(audience) => audience,
            // An access token of Cognito has no `aud`.
            None if all.get("token_use").and_then(Value::as_str) == Some("access") => {
                texts(all, "client_id")?.unwrap_or_default()
            }
            None => return Err(InvalidToken::Missing("aud".into())),
        };
        if named.iter().any(|it| self.rules.audience.contains(it)) {
            return Ok(());
        }
        Err(InvalidToken::Audience)
    }
}

/// The token's header, which is not verified yet.
fn read_header(token: &str) -> Result<Map<String, Value>, InvalidToken> {
    use base64::Engine;
    let mut parts = token.split('.');
    let (Some(head), Some(_), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(InvalidToken::Malformed("it does not have three parts"));
    };
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(head)
        .map_err(|_| InvalidToken::Malformed("its header is not base64url"))?;
    let Unique(head) = serde_json::from_slice(&head)
        .map_err(|_| InvalidToken::Malformed("its header is not JSON, or has a duplicate name"))?;
    // RFC 8725, 3.11: a token for another purpose must not pass for an access token.
    match head
        .get("typ")
        .map(|it| it.as_str().map(str::to_ascii_lowercase))
    {
        None => {}
        Some(Some(kind)) => {
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            if !matches!(kind, "jwt" | "at+jwt") {
                return Err(InvalidToken::Type(shown(kind)));
            }
        }
        Some(None) => return Err(InvalidToken::Malformed("`typ` is not a string")),
    }
    // No extension is supported, and a critical one must be (RFC 7515, 4.1.11).
    if head.contains_key("crit") || head.contains_key("b64") {
        return Err(InvalidToken::Malformed("it requires an extension (`crit`)"));
    }
    Ok(head)
}

/// The claims, after the signature was verified with `key`.
fn signed(token: &str, key: &PublicKey) -> Result<Unique, InvalidToken> {
    use jsonwebtoken::errors::ErrorKind;
    // The caller checks times, issuer and audience above, more strictly, by its own clock.
    let mut validation = Validation::new(key.algorithm().to_library());
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    match jsonwebtoken::decode::<Unique>(token, &key.to_library(), &validation) {
        Ok(read) => Ok(read.claims),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidSignature => InvalidToken::Signature(shown(key.id())),
            ErrorKind::InvalidAlgorithm => InvalidToken::Algorithm("another".into()),
            ErrorKind::Json(error) => InvalidToken::Unreadable(match error.is_data() {
                true => "they have a duplicate name, or are not an object".into(),
                false => "they are not JSON".into(),
            }),
            _ => InvalidToken::Malformed("a part of it cannot be parsed"),
        }),
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
