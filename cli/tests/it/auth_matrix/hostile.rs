//! Tokens from clients who know the standards and what libraries make of them.

use serde_json::{Value, json};

use super::cases::{Case, Maker, TO_JERRY};
use super::forge::{EcKey, Key, encode, now, token};

/// Cases whose friend is Jerry.
struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, what: &'static str, token: String, status: u16, reason: &'static str) {
        self.0.push(Case {
            what,
            token: Some(token),
            says: vec![TO_JERRY],
            status,
            reason,
        });
    }
}

impl Maker<'_> {
    /// A token whose claims are this text.
    fn raw(&self, claims: &str) -> String {
        self.key.sign(&self.key.head(), claims)
    }

    /// A token in which `claim` is this JSON text, which may be what no parser writes.
    fn odd(&self, claim: &str, value: &str) -> String {
        let mut claims = self.claims.as_object().unwrap().clone();
        claims.shift_remove(claim);
        let claims = Value::Object(claims).to_string();
        self.raw(&format!("{{\"{claim}\":{value},{}", &claims[1..]))
    }

    /// A token with this head, whatever stands in the usual one.
    fn under(&self, head: Value) -> String {
        let mut whole = self.key.head();
        for (name, value) in head.as_object().unwrap() {
            whole[name] = value.clone();
        }
        self.key.sign(&whole, &self.claims.to_string())
    }

    /// What is the same in every mode with tokens.
    pub(super) fn hostile(&self) -> Vec<Case> {
        let mut cases = Cases(Vec::new());
        self.times(&mut cases);
        self.audiences(&mut cases);
        self.names(&mut cases);
        self.headers(&mut cases);
        self.signatures(&mut cases);
        self.texts(&mut cases);
        cases.0
    }

    fn times(&self, cases: &mut Cases) {
        let soon = now() + 600;
        let mut ok = |what, token| cases.add(what, token, 101, "");
        ok("a fraction in exp", self.odd("exp", &format!("{soon}.75")));
        ok(
            "exp with an exponent",
            self.odd("exp", &format!("{soon}e0")),
        );
        ok(
            "exp after all of us",
            self.odd("exp", "18446744073709551615"),
        );
        ok("nbf at the beginning of time", self.odd("nbf", "0"));
        for (claim, value, reason) in [
            ("exp", "18446744073709551616", "`exp` is not a time"),
            ("exp", "1e300", "`exp` is not a time"),
            ("exp", "-1", "`exp` is not a time"),
            ("exp", "null", "`exp` is not a time"),
            ("exp", "true", "`exp` is not a time"),
            ("exp", "[9999999999]", "`exp` is not a time"),
            (
                "exp",
                "{\"$numberLong\":\"9999999999\"}",
                "`exp` is not a time",
            ),
            ("exp", "-0.0", "it expired"),
            ("exp", "1e400", "claims are invalid"),
            ("nbf", "\"0\"", "`nbf` is not a time"),
            ("nbf", "null", "`nbf` is not a time"),
            ("nbf", "1e300", "`nbf` is not a time"),
            ("iat", "\"\"", "`iat` is not a time"),
            ("iat", "false", "`iat` is not a time"),
            ("iat", "9999999999", "not valid for another"),
        ] {
            cases.add("a time", self.odd(claim, value), 403, reason);
        }
    }

    fn audiences(&self, cases: &mut Cases) {
        for (value, reason) in [
            ("[]", "another audience"),
            ("[\"CHAT\",\"chat \"]", "another audience"),
            ("\"\"", "another audience"),
            ("[\"chat\",7]", "`aud` is not a string or a list"),
            ("[[\"chat\"]]", "`aud` is not a string or a list"),
            ("{\"chat\":\"chat\"}", "`aud` is not a string or a list"),
            ("null", "`aud` is not a string or a list"),
        ] {
            cases.add("an audience", self.odd("aud", value), 403, reason);
        }
    }

    fn names(&self, cases: &mut Cases) {
        let long = format!("\"{}\"", "x".repeat(64));
        cases.add("the longest name", self.odd("sub", &long), 101, "");
        let longer = format!("\"{}\"", "x".repeat(65));
        let none = "cannot be used in a chat";
        cases.add(
            "a name that is too long",
            self.odd("sub", &longer),
            403,
            none,
        );
        for (value, reason) in [
            ("\"\"", none),
            ("\" Tom\"", none),
            ("\"Tom \"", none),
            ("\"Tom\\n\"", none),
            ("\"To\\u0000m\"", none),
            ("\"Tom\\u202e\"", none),
            ("\"T\\u00f6m\"", none),
            ("\"#anonymous\"", none),
            ("null", "`sub` is not a string"),
            ("[\"Tom\"]", "`sub` is not a string"),
            ("{\"name\":\"Tom\"}", "`sub` is not a string"),
            ("true", "`sub` is not a string"),
        ] {
            cases.add("a name", self.odd("sub", value), 403, reason);
        }
        for (claim, value) in [
            ("to", "[7]"),
            ("room", "null"),
            ("can", "{}"),
            ("to", "true"),
        ] {
            let reason = "is not a string or a list";
            cases.add("a narrowing", self.odd(claim, value), 403, reason);
        }
        let mut twice = |what, says: &[(&'static str, &'static str)]| {
            let says = [says, &[TO_JERRY]].concat();
            cases.0.push(Case {
                what,
                token: Some(self.good()),
                says,
                status: 403,
                reason: "`msgfrom` is not the name",
            });
        };
        twice("two names", &[("msgfrom", "Tom"), ("msgfrom", "Eve")]);
        twice(
            "two names, the other way",
            &[("msgfrom", "Eve"), ("msgfrom", "Tom")],
        );
        twice("nearly the name", &[("msgfrom", "tom")]);
    }

    fn headers(&self, cases: &mut Cases) {
        let foreign = Key::new();
        let mut ok = |what, head| cases.add(what, self.under(head), 101, "");
        // Where a key is to be found is never the token's word.
        ok("jku", json!({"jku": "https://evil.example/keys"}));
        ok(
            "x5u",
            json!({"x5u": "https://evil.example/chain", "x5c": ["AAAA"]}),
        );
        ok("a key of its own", json!({"jwk": foreign.jwk()}));
        ok("an access token", json!({"typ": "at+jwt"}));
        ok("an unknown member", json!({"x": {"y": 1}}));
        for (what, head, reason) in [
            ("an empty crit", json!({"crit": []}), "an extension"),
            ("b64", json!({"b64": false}), "an extension"),
            (
                "crit b64",
                json!({"crit": ["b64"], "b64": true}),
                "an extension",
            ),
            ("no kind", json!({"typ": null}), "`typ` is not a string"),
            ("a kind that is empty", json!({"typ": ""}), "of type ,"),
            (
                "of another purpose",
                json!({"typ": "dpop+jwt"}),
                "of type dpop+jwt",
            ),
            (
                "a number as key",
                json!({"kid": 7}),
                "`kid` is not a string",
            ),
            (
                "keys",
                json!({"kid": [self.key.id()]}),
                "`kid` is not a string",
            ),
            (
                "an empty key",
                json!({"kid": ""}),
                "its key `` is not accepted",
            ),
            (
                "a path as key",
                json!({"kid": "../../dev/null"}),
                "is not accepted",
            ),
            (
                "SQL as key",
                json!({"kid": "x' UNION SELECT '"}),
                "is not accepted",
            ),
            (
                "a long key",
                json!({"kid": "k".repeat(2_000)}),
                "is not accepted",
            ),
            ("another case", json!({"alg": "eddsa"}), "signed with eddsa"),
            ("algorithms", json!({"alg": ["EdDSA"]}), "signed with ,"),
            ("PS256", json!({"alg": "PS256"}), "signed with PS256"),
            (
                "ES256 for this key",
                json!({"alg": "ES256"}),
                "signed with ES256",
            ),
            (
                "this key for another",
                json!({"kid": "ec"}),
                "signed with EdDSA",
            ),
        ] {
            cases.add(what, self.under(head), 403, reason);
        }
        // The key that it brings has signed it.
        let mut head = self.key.head();
        head["jwk"] = foreign.jwk();
        let claims = self.claims.to_string();
        let own = "its signature was not made";
        cases.add(
            "signed by a key of its own",
            foreign.sign(&head, &claims),
            403,
            own,
        );
        head["kid"] = json!(foreign.id());
        let unknown = foreign.sign(&head, &claims);
        cases.add("signed by that key's id", unknown, 403, "is not accepted");
    }

    fn signatures(&self, cases: &mut Cases) {
        let claims = self.claims.to_string();
        let signature = "its signature was not made";
        let der = self.backend.sign_in_der(&claims);
        cases.add("ES256 in DER", der, 403, signature);
        let other = EcKey::new().sign(&claims);
        cases.add("ES256 by another key", other, 403, signature);
        let zeros = token(&json!({"alg": "ES256", "kid": "ec"}), &claims, |_| {
            vec![0; 64]
        });
        cases.add("ES256 of zeros", zeros, 403, signature);
        let head = self.key.head();
        for (what, bytes) in [
            ("no signature", 0),
            ("half a one", 32),
            ("one and a half", 96),
        ] {
            let made = token(&head, &claims, |_| vec![1; bytes]);
            cases.add(what, made, 403, signature);
        }
        // The order of the group added to the second half: the same signature to a careless reader.
        let malleable = token(&head, &claims, |text| added_order(self.key.signature(text)));
        cases.add("a malleable signature", malleable, 403, signature);
    }

    fn texts(&self, cases: &mut Cases) {
        let claims = self.claims.to_string();
        let good = self.good();
        let parts: Vec<&str> = good.split('.').collect();
        let spaced = self.raw(&format!(" \n{claims}\t"));
        cases.add("white space around claims", spaced, 101, "");
        let invalid = "its claims are invalid";
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        for (what, claims) in [
            ("a byte order mark", format!("\u{feff}{claims}")),
            ("a token in a token", good.clone()),
            ("claims in a list", format!("[{claims}]")),
            ("claims in a text", json!(claims).to_string()),
            ("something after the claims", format!("{claims}{claims}")),
            ("no claims", String::new()),
            ("depth", format!("{{\"a\":{deep},{}", &claims[1..])),
            (
                "an escaped name twice",
                format!("{{\"\\u0073ub\":\"Eve\",{}", &claims[1..]),
            ),
        ] {
            cases.add(what, self.raw(&claims), 403, invalid);
        }
        let [head, body, signature] = [parts[0], parts[1], parts[2]];
        for (what, token) in [
            ("five parts", format!("{good}.{body}.{signature}")),
            ("padding", format!("{good}==")),
            ("padding in its head", format!("{head}=.{body}.{signature}")),
            ("a second head", format!("{head}{head}.{body}.{signature}")),
            (
                "claims that are not base64url",
                format!("{head}.{body}*.{signature}"),
            ),
            (
                "a head that is a list",
                format!("{}.{body}.{signature}", encode("[]")),
            ),
        ] {
            cases.add(what, token, 403, "");
        }
    }
}

/// An Ed25519 signature whose scalar is greater by the order of the group (RFC 8032, 5.1.7, demands that it is refused).
fn added_order(mut signature: Vec<u8>) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, more) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    signature
}
