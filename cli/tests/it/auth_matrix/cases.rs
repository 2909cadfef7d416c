//! Tokens that must be refused, and some that must not, each with what becomes of it.

use serde_json::{Value, json};

use super::forge::{EcKey, Key, encode, hmac, now, token, with};

/// One handshake, to be made over each transport.
pub(super) struct Case {
    pub(super) what: &'static str,
    pub(super) token: Option<String>,
    pub(super) says: Vec<(&'static str, &'static str)>,
    /// 101 lets it in.
    pub(super) status: u16,
    /// What the authorizer's log says of a refusal.
    pub(super) reason: &'static str,
}

/// What all cases of a stack are made of.
pub(super) struct Maker<'a> {
    /// The key that signs good tokens.
    pub(super) key: &'a Key,
    /// Another accepted one, of another algorithm.
    pub(super) backend: &'a EcKey,
    /// What a good token says.
    pub(super) claims: Value,
}

pub(super) const TO_JERRY: (&str, &str) = ("msgto", "Jerry");

impl Maker<'_> {
    pub(super) fn good(&self) -> String {
        self.changed(&json!({}))
    }

    pub(super) fn changed(&self, change: &Value) -> String {
        self.key.sign(&self.key.head(), &with(&self.claims, change))
    }

    /// With another head.
    fn headed(&self, change: &Value) -> String {
        let head = with(&self.key.head(), change);
        let head = serde_json::from_str(&head).unwrap();
        self.key.sign(&head, &self.claims.to_string())
    }

    fn unsigned(&self, algorithm: &str) -> String {
        let head = json!({"alg": algorithm, "kid": self.key.id()});
        token(&head, &self.claims.to_string(), |_| Vec::new())
    }

    /// HS256 with something that everybody can read as the secret.
    fn hmac(&self, secret: &[u8]) -> String {
        let head = json!({"alg": "HS256", "kid": self.key.id(), "typ": "JWT"});
        token(&head, &self.claims.to_string(), hmac(secret))
    }

    /// Those that are the same in every mode with tokens.
    pub(super) fn cases(&self) -> Vec<Case> {
        let now = now();
        let mut cases = Vec::new();
        let mut add = |what, token, says: &[(&'static str, &'static str)], status, reason| {
            cases.push(Case {
                what,
                token: Some(token),
                says: says.to_vec(),
                status,
                reason,
            });
        };
        let to_jerry: &[_] = &[TO_JERRY];
        let mut ok = |what, token, says| add(what, token, says, 101, "");
        ok("good", self.good(), to_jerry);
        ok(
            "good, with the name",
            self.good(),
            &[("msgfrom", "Tom"), TO_JERRY],
        );
        ok(
            "of another accepted key",
            self.backend.sign(&self.claims.to_string()),
            to_jerry,
        );
        ok(
            "expired within the leeway",
            self.changed(&json!({"exp": now - 20})),
            to_jerry,
        );
        ok(
            "narrowed to a friend",
            self.changed(&json!({"to": "Jerry"})),
            &[],
        );
        ok(
            "narrowed, and said",
            self.changed(&json!({"to": ["Jerry", "Ann"]})),
            to_jerry,
        );
        ok(
            "narrowed to a room",
            self.changed(&json!({"room": "hall"})),
            &[TO_JERRY, ("msgroom", "hall")],
        );
        ok(
            "for several audiences",
            self.changed(&json!({"aud": ["x", self.claims["aud"]]})),
            to_jerry,
        );
        let mut no = |what, token, reason| add(what, token, to_jerry, 403, reason);
        no(
            "expired",
            self.changed(&json!({"exp": now - 100})),
            "it expired",
        );
        no(
            "expiry of a wrong kind",
            self.changed(&json!({"exp": "9999999999"})),
            "`exp` is not a time",
        );
        no(
            "without expiry",
            self.changed(&json!({"exp": null})),
            "no claim `exp`",
        );
        no(
            "not yet valid",
            self.changed(&json!({"nbf": now + 300})),
            "it is not valid for another",
        );
        no(
            "made in the future",
            self.changed(&json!({"iat": now + 300})),
            "it is not valid for another",
        );
        no(
            "for another audience",
            self.changed(&json!({"aud": "other"})),
            "another audience",
        );
        no(
            "for no audience",
            self.changed(&json!({"aud": null})),
            "no claim `aud`",
        );
        no(
            "without a name",
            self.changed(&json!({"sub": null})),
            "no claim `sub`",
        );
        no(
            "with a name that is none",
            self.changed(&json!({"sub": "a/b"})),
            "cannot be used in a chat",
        );
        no(
            "with a number as name",
            self.changed(&json!({"sub": 7})),
            "`sub` is not a string",
        );
        let foreign = Key::new();
        let claims = self.claims.to_string();
        no(
            "of a wrong key",
            foreign.sign(&self.key.head(), &claims),
            "its signature was not made",
        );
        no(
            "of an unknown key",
            foreign.sign(&foreign.head(), &claims),
            "is not accepted",
        );
        no(
            "without a key",
            self.headed(&json!({"kid": null})),
            "names no key",
        );
        no("none", self.unsigned("none"), "signed with none");
        no("None", self.unsigned("None"), "signed with None");
        no("no algorithm", self.unsigned(""), "signed with ");
        no(
            "hmac by the public key",
            self.hmac(self.key.public()),
            "signed with HS256",
        );
        no(
            "hmac by the encoded key",
            self.hmac(encode(self.key.public()).as_bytes()),
            "signed with HS256",
        );
        no(
            "hmac by the jwk",
            self.hmac(self.key.jwk().to_string().as_bytes()),
            "signed with HS256",
        );
        no(
            "RS256 by an Ed25519 key",
            self.headed(&json!({"alg": "RS256"})),
            "signed with RS256",
        );
        no(
            "ES256 by an Ed25519 key",
            self.headed(&json!({"alg": "ES256"})),
            "signed with ES256",
        );
        no(
            "EdDSA by the key for ES256",
            self.headed(&json!({"kid": "ec"})),
            "signed with EdDSA",
        );
        no(
            "for something else",
            self.headed(&json!({"typ": "logout+jwt"})),
            "of type logout+jwt",
        );
        no(
            "with an extension",
            self.headed(&json!({"crit": ["x"], "x": 1})),
            "requires an extension",
        );
        let twice = format!("{{\"sub\":\"Tom\",{}", &claims[1..]);
        no(
            "with a claim twice",
            self.key.sign(&self.key.head(), &twice),
            "its claims are invalid",
        );
        let changed = self
            .good()
            .replacen('.', &format!(".{}", encode("{\"a\":1,")), 1);
        no("changed", changed, "");
        no("nonsense", "nonsense".into(), "three parts");
        no("more nonsense", "a.b.c".into(), "its header");
        no(
            "rights of a wrong kind",
            self.changed(&json!({"can": "a", "room": 7})),
            "`room` is not",
        );
        let mut not_allowed =
            |what, change: Value, says: &[(&'static str, &'static str)], reason| {
                add(what, self.changed(&change), says, 403, reason);
            };
        let other_name: &[_] = &[("msgfrom", "Eve"), TO_JERRY];
        not_allowed(
            "under another name",
            json!({}),
            other_name,
            "`msgfrom` is not the name",
        );
        not_allowed(
            "to another friend",
            json!({"to": "Ann"}),
            to_jerry,
            "`msgto`",
        );
        not_allowed("to nobody", json!({"to": []}), &[], "`msgto`");
        not_allowed(
            "without a choice of friends",
            json!({"to": ["Jerry", "Ann"]}),
            &[],
            "`msgto`",
        );
        not_allowed(
            "into another room",
            json!({"room": "attic"}),
            &[TO_JERRY, ("msgroom", "hall")],
            "`msgroom`",
        );
        not_allowed("without a friend", json!({}), &[], "`msgto` is missing");
        cases.push(Case {
            what: "no token",
            token: None,
            says: vec![("msgfrom", "Tom"), TO_JERRY],
            status: 401,
            reason: "it comes without a token",
        });
        cases
    }
}
