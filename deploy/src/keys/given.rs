//! Public keys that the user hands over: a backend's, as JWK or PEM.

use chat_identity::{KeyError, PublicKey};
use serde_json::{Value, json};

use crate::engine::{ErrorKind, TargetError};

/// The public keys in `text`: a JWK, a JWK Set or PEM. `source` is what errors call it, `id` the id of the only key.
///
/// # Errors
/// One of them is private, or no key for tokens; or `id` is given and there are several. No message quotes the text.
pub fn public_keys(
    text: &str,
    source: &str,
    id: Option<&str>,
) -> Result<Vec<PublicKey>, TargetError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let read = match text.starts_with('{') {
        true => from_json(text),
        false => from_pem(text),
    };
    let keys = read.map_err(|problem| problem.error(source))?;
    let Some(id) = id else {
        return Ok(keys);
    };
    let [key] = keys.as_slice() else {
        let message = format!(
            "could not add the keys in {source}: one id cannot be that of {} keys",
            keys.len()
        );
        let hint = "leave `--id` out; each key has an id of its own";
        return Err(TargetError::new(ErrorKind::Usage, message).with_hint(hint));
    };
    let mut jwk = key.to_jwk();
    jwk["kid"] = json!(id);
    let renamed = PublicKey::from_jwk(&jwk).map_err(|error| Problem::from(error).error(source))?;
    Ok(vec![renamed])
}

/// Why there is no key, and what to do about it.
struct Problem {
    reason: String,
    hint: String,
}

impl Problem {
    fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: hint.into(),
        }
    }

    fn error(self, source: &str) -> TargetError {
        let message = format!("could not add the key in {source}: {}", self.reason);
        TargetError::new(ErrorKind::Usage, message).with_hint(self.hint)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Private => Self::new(
                "it is a private key, which no stack and no project's folder may hold; nothing was added",
                "add its public part: of PEM, `openssl pkey -in FILE -pubout` prints it; of a JWK, it is what is left \
                 without `d`, `p`, `q`, `dp`, `dq`, `qi`",
            ),
            error => Self::new(error.to_string(), WANTED),
        }
    }
}

const WANTED: &str = "give a public key for EdDSA (Ed25519), ES256 (P-256) or RS256 (RSA), as a JWK or as PEM (`-----BEGIN PUBLIC KEY-----`)";

fn from_json(text: &str) -> Result<Vec<PublicKey>, Problem> {
    let object = chat_identity::object(text)
        .map_err(|error| Problem::new(format!("it is not a JSON object: {error}"), WANTED))?;
    let list = match object.get("keys") {
        Some(Value::Array(list)) => list.clone(),
        _ => vec![Value::Object(object)],
    };
    if list.is_empty() {
        return Err(Problem::new("it is a JWK Set without a key", WANTED));
    }
    let is_secret = |jwk: &Value| jwk["kty"] == "oct";
    if list.iter().any(is_secret) {
        return Err(Problem::new(
            "it is a shared secret (HMAC), which would have to lie in the stack; nothing was added",
            "have the backend sign with a key pair instead: EdDSA, ES256 or RS256",
        ));
    }
    let keys = list.iter().map(PublicKey::from_jwk);
    keys.collect::<Result<_, _>>().map_err(Problem::from)
}

fn from_pem(text: &str) -> Result<Vec<PublicKey>, Problem> {
    if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") {
        return Err(Problem::new(
            "it is in the format of OpenSSH",
            "convert it: `ssh-keygen -e -m PKCS8 -f FILE` prints RSA and P-256 keys as PEM; for Ed25519 use \
             `openssl pkey -pubout` on the private key",
        ));
    }
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(Problem::new(
            "it is a certificate",
            "`openssl x509 -in FILE -noout -pubkey` prints the public key in it",
        ));
    }
    match text.contains("-----BEGIN ") {
        true => Ok(vec![PublicKey::from_pem(text)?]),
        false => Err(Problem::new("it is neither JSON nor PEM", WANTED)),
    }
}

#[cfg(test)]
mod tests {
    use chat_identity::PrivateKey;

    use super::*;

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
                       MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
                       -----END PUBLIC KEY-----\n";

    #[test]
    fn a_key_comes_as_jwk_as_set_and_as_pem() {
        let one = PrivateKey::generate().unwrap().public().clone();
        let jwk = one.to_jwk();
        let read = |text: &str| public_keys(text, "FILE", None).unwrap();
        let wanted = [one];
        assert_eq!(read(&jwk.to_string()), wanted);
        assert_eq!(read(&format!("\u{feff}\n{jwk:#}\n")), wanted);
        assert_eq!(read(&json!({ "keys": [jwk] }).to_string()), wanted);
        assert_eq!(read(PEM)[0].algorithm().name(), "EdDSA");
        let named = public_keys(PEM, "FILE", Some("backend 1")).unwrap();
        assert_eq!(named[0].id(), "backend 1");
    }

    #[test]
    fn what_is_secret_is_refused_with_the_way_to_its_public_part_and_is_not_quoted() {
        let secret = PrivateKey::generate().unwrap().to_secret_text();
        let d: Value = serde_json::from_str(&secret).unwrap();
        let in_set = format!("{{\"keys\":[{secret}]}}");
        let pem = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        let both = format!("{PEM}{pem}");
        for (text, reason, hint) in [
            (&secret[..], "a private key", "openssl pkey"),
            (&in_set, "a private key", "openssl pkey"),
            (pem, "a private key", "openssl pkey"),
            (&both, "a private key", "openssl pkey"),
            (
                &pem.replace("PRIVATE", "ENCRYPTED PRIVATE"),
                "a private key",
                "openssl pkey",
            ),
            (
                &pem.replace("PRIVATE", "OPENSSH PRIVATE"),
                "a private key",
                "openssl pkey",
            ),
            (
                r#"{"kty":"oct","k":"c2VjcmV0"}"#,
                "shared secret",
                "key pair",
            ),
        ] {
            let error = public_keys(text, "FILE", None).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage);
            assert!(error.message.contains(reason), "{}", error.message);
            assert!(error.hint.as_deref().unwrap().contains(hint));
            let reported = format!("{error:?}");
            assert!(!reported.contains("c2VjcmV0") && !reported.contains(d["d"].as_str().unwrap()));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_what_is_wanted() {
        for (text, reason) in [
            ("", "neither JSON nor PEM"),
            ("hello", "neither JSON nor PEM"),
            ("{", "not a JSON object"),
            ("{}", "not a key"),
            (r#"{"keys":[]}"#, "without a key"),
            (r#"{"kty":"OKP","kty":"RSA"}"#, "a duplicate name"),
            ("ssh-ed25519 AAAA me", "OpenSSH"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
                "certificate",
            ),
            (
                "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
                "not valid PEM",
            ),
        ] {
            let error = public_keys(text, "FILE", None).unwrap_err();
            assert!(error.message.contains(reason), "{text}: {}", error.message);
        }
    }
}
