//! `chatctl.keys.json`: the public keys of `mode = "token"`, a JWK Set (RFC 7517) that is committed beside the config.

use std::ops::Range;
use std::path::{Path, PathBuf};

use chat_identity::{KeySet, PublicKey};
use chat_protocol::auth::{KEYS_FILE, MAX_ENVIRONMENT_BYTES, MAX_KEYS, MAX_KEYS_BYTES};
use serde_json::Value;

use super::snippet::Snippet;
use crate::reading::beginning_at;

/// Why the keys of a stack cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "the messages say what its variants and their fields are"
)]
pub enum KeysFileError {
    /// It is there, and cannot be read.
    #[error("could not read {path}")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    /// It is no file of public keys.
    #[error("{0}")]
    Invalid(Snippet),
    /// Each key is fine, and together they are more than a function's environment holds.
    #[error(
        "the keys in {path} and the rest of `[auth]` come to {bytes} bytes, and the environment of the function that checks \
         tokens holds {MAX_ENVIRONMENT_BYTES}: retire a key, or use Ed25519 instead of RSA"
    )]
    TooLarge { path: PathBuf, bytes: usize },
}

/// Where the keys of a config in `folder` are.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join(KEYS_FILE)
}

/// Reads the keys in `path`; without a file there are none.
///
/// # Errors
/// [`KeysFileError`]
pub fn load(path: &Path) -> Result<KeySet, KeysFileError> {
    let unreadable = |source| KeysFileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    match beginning_at(path, MAX_KEYS_BYTES as u64 + 1) {
        Ok(text) => parse(path, &text).map_err(KeysFileError::Invalid),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(KeySet::default()),
        Err(error) => Err(unreadable(error)),
    }
}

/// Reads `text`, which `path` names in errors.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(path: &Path, text: &str) -> Result<KeySet, Snippet> {
    let problem = |place, message: String| Snippet::new(path, text, place, message);
    if text.len() > MAX_KEYS_BYTES {
        let message = format!("the file has more than {MAX_KEYS_BYTES} bytes");
        return Err(problem(0..0, message));
    }
    if text.contains("PRIVATE KEY-----") {
        let place = place_of(text, "PRIVATE KEY-----").unwrap_or_default();
        return Err(problem(place, PRIVATE.into()));
    }
    let document: Value = serde_json::from_str(text).map_err(|error| {
        let place = offset(text, error.line(), error.column());
        problem(place..place, format!("not JSON: {error}"))
    })?;
    let Some(list) = document.get("keys").and_then(Value::as_array) else {
        let message = "not a set of keys (JWK Set, RFC 7517): it has no list `keys`";
        return Err(problem(0..0, message.into()));
    };
    if list.len() > MAX_KEYS {
        let message = format!(
            "{} keys, {MAX_KEYS} at most: retire one with `chatctl keys retire`",
            list.len()
        );
        return Err(problem(0..0, message));
    }
    let mut keys: Vec<PublicKey> = Vec::new();
    for (index, jwk) in list.iter().enumerate() {
        if let Some(member) = private_member(jwk) {
            let place = place_of(text, &format!("\"{member}\"")).unwrap_or_default();
            return Err(problem(place, PRIVATE.into()));
        }
        let id = jwk["kid"].as_str().unwrap_or_default();
        let place = place_of(text, &Value::from(id).to_string())
            .filter(|_| !id.is_empty())
            .unwrap_or_default();
        let wrong = |message: String| {
            let number = index + 1;
            Err(problem(
                place.clone(),
                format!("key {number} cannot be used: {message}"),
            ))
        };
        for member in ["kid", "alg", "use"] {
            if jwk[member].as_str().is_none_or(str::is_empty) {
                return wrong(format!(
                    "it has no text `{member}`; `chatctl keys add` writes a key with all that it needs"
                ));
            }
        }
        let key = match PublicKey::from_jwk(jwk) {
            Ok(key) => key,
            Err(error) => return wrong(error.to_string()),
        };
        if keys.iter().any(|other| other.id() == key.id()) {
            return wrong(format!("another key has the id `{}`, too", key.id()));
        }
        keys.push(key);
    }
    KeySet::new(keys).map_err(|error| problem(0..0, error.to_string()))
}

/// `keys` as the file has them.
#[cfg(test)]
pub(crate) fn to_text(keys: &KeySet) -> String {
    let text = serde_json::to_string_pretty(&keys.to_json()).expect("keys always become JSON");
    format!("{text}\n")
}

const PRIVATE: &str = "a private key, which must not be in this file: everybody who has the project could sign tokens with it. \
                       Take it out, make a new one (`chatctl keys new`), and retire the old one";

/// The member of `jwk` that only the owner of a key may have: those of RFC 7518, and any secret of a shared one.
fn private_member(jwk: &Value) -> Option<&'static str> {
    let members = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    members.into_iter().find(|member| jwk.get(member).is_some())
}

fn place_of(text: &str, part: &str) -> Option<Range<usize>> {
    let start = text.find(part)?;
    Some(start..start + part.len())
}

/// Where a line and a column, both counted from one, are.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (before + column.saturating_sub(1)).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_identity::PrivateKey;
    use serde_json::json;

    fn refused(text: &str) -> String {
        parse(Path::new(KEYS_FILE), text).unwrap_err().to_string()
    }

    #[test]
    fn what_the_command_writes_is_read_back() {
        let keys = [PrivateKey::generate(), PrivateKey::generate()]
            .map(|key| key.unwrap().public().clone());
        let set = KeySet::new(keys).unwrap();
        let text = to_text(&set);
        assert_eq!(parse(Path::new(KEYS_FILE), &text), Ok(set));
        for member in ["\"kid\"", "\"alg\": \"EdDSA\"", "\"use\": \"sig\""] {
            assert_eq!(text.matches(member).count(), 2, "{text}");
        }
    }

    #[test]
    fn a_private_key_is_refused_with_its_line() {
        let secret = PrivateKey::generate().unwrap().to_secret_text();
        let jwk: Value = serde_json::from_str(&secret).unwrap();
        let text = serde_json::to_string_pretty(&json!({ "keys": [jwk] })).unwrap();
        let line = text
            .lines()
            .position(|line| line.contains("\"d\""))
            .unwrap()
            + 1;
        let error = refused(&text);
        let start = format!("{KEYS_FILE}:{line}:");
        assert!(error.starts_with(&start), "{error}");
        assert!(error.contains("private key"), "{error}");
        assert!(refused("-----BEGIN PRIVATE KEY-----").contains("private key"));
        // A shared secret (HMAC) is one as well.
        let shared =
            r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a","alg":"HS256","use":"sig"}]}"#;
        assert!(refused(shared).contains("private key"));
    }

    #[test]
    fn what_is_no_file_of_keys_is_refused_with_the_reason() {
        let key = PrivateKey::generate().unwrap().public().to_jwk();
        let without = |member: &str| {
            let mut jwk = key.clone();
            jwk.as_object_mut().unwrap().shift_remove(member);
            json!({ "keys": [jwk] }).to_string()
        };
        let with = |member: &str, value: &str| {
            let mut jwk = key.clone();
            jwk[member] = json!(value);
            json!({ "keys": [jwk] }).to_string()
        };
        for (text, reason) in [
            ("<html>".to_owned(), "not JSON"),
            ("{}".to_owned(), "no list `keys`"),
            ("[]".to_owned(), "no list `keys`"),
            (without("kid"), "`kid`"),
            (without("alg"), "`alg`"),
            (without("use"), "`use`"),
            (with("use", "enc"), "encryption"),
            (with("alg", "RS256"), "for RS256"),
            (with("x", "AAAA"), "damaged"),
            (json!({ "keys": [key, key] }).to_string(), "another key"),
            (
                json!({ "keys": [key, key, key, key, key, key, key, key, key] }).to_string(),
                "9 keys",
            ),
            (
                format!("{{\"keys\":[]{}}}", " ".repeat(MAX_KEYS_BYTES)),
                "bytes",
            ),
        ] {
            let error = refused(&text);
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert_eq!(
            parse(Path::new(KEYS_FILE), r#"{"keys":[]}"#),
            Ok(KeySet::default())
        );
    }
}
