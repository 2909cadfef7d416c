//! Tokens of jose (Node) and PyJWT (Python) here, and ours there.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Owner, TOKEN_MODE};
use crate::project::peer;

/// Another library for tokens, behind a script.
#[derive(Debug, Clone, Copy)]
pub(super) enum Library {
    Jose,
    PyJwt,
}

impl Library {
    pub(super) const ALL: [Self; 2] = [Self::Jose, Self::PyJwt];

    fn answers(self, words: &[&str]) -> Value {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tokens");
        let (program, script) = match self {
            Self::Jose => (PathBuf::from("node"), scripts.join("jose.mjs")),
            Self::PyJwt => (peer("CHATCTL_PYJWT"), scripts.join("pyjwt.py")),
        };
        if let Self::Jose = self {
            let _set = peer("CHATCTL_JOSE");
        }
        let output = Command::new(program)
            .arg(script)
            .args(words)
            .output()
            .unwrap_or_else(|error| panic!("{self:?} does not start: {error}"));
        assert!(output.status.success(), "{self:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A key and a token for Tom by each algorithm, for the stack `chat`.
    pub(super) fn makes(self) -> Vec<Made> {
        let made = self.answers(&["make", "chat"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let made = made.as_array().unwrap().iter().map(|one| Made {
            algorithm: text(&one["alg"]),
            jwk: one["jwk"].to_string(),
            pem: text(&one["pem"]),
            id: text(&one["jwk"]["kid"]),
            token: text(&one["token"]),
        });
        made.collect()
    }
}

pub(super) struct Made {
    pub(super) algorithm: String,
    pub(super) jwk: String,
    pub(super) pem: String,
    pub(super) id: String,
    pub(super) token: String,
}

#[test]
fn tokens_of_other_libraries_are_accepted_by_the_keys_that_were_added_as_jwk_and_as_pem() {
    for library in Library::ALL {
        for made in library.makes() {
            for (file, text) in [("key.json", &made.jwk), ("key.pem", &made.pem)] {
                let owner = Owner::new(TOKEN_MODE);
                std::fs::write(owner.project.path().join(file), text).unwrap();
                owner.done(&["keys", "add", file, "--id", &made.id]);
                let claims = owner.verified(&made.token, "chat").unwrap();
                assert_eq!(claims.name, "Tom", "{library:?} {}", made.algorithm);
                assert_eq!(claims.to.unwrap(), ["Jerry"]);
            }
        }
    }
}

#[test]
fn other_libraries_accept_our_tokens_by_the_key_in_the_file() {
    let owner = Owner::with_key(TOKEN_MODE);
    let token = owner.done(&["token", "--as", "Tom", "--to", "Jerry", "--can", "send"]);
    let keys: Value = serde_json::from_slice(&owner.public_keys()).unwrap();
    let jwk = keys["keys"][0].to_string();
    for library in Library::ALL {
        let claims = library.answers(&["verify", &token, &jwk, "chat"]);
        assert_eq!(claims["sub"], "Tom", "{library:?}: {claims}");
        assert_eq!(claims["to"], "Jerry");
        assert_eq!(claims["can"], serde_json::json!(["send"]));
    }
}
