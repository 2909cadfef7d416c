//! A stack in jwt mode, and the tokens of Cognito as moto makes them, in both of its shapes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use testing::issuer::Answering;

use super::Owner;
use super::stack::{chat, deployed};
use crate::project::peer;

struct Cognito {
    process: Answering,
    issuer: String,
    clients: Vec<String>,
}

/// What a user has who has signed in.
struct Tokens {
    id: String,
    access: String,
}

impl Cognito {
    fn start() -> Self {
        let python = peer("CHATCTL_PYJWT");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tokens/cognito.py");
        let (process, reported) = Answering::start(python, script);
        let reported: Value = serde_json::from_str(&reported)
            .expect("`cargo xtask peers` has installed moto, which says where it is");
        let clients = reported["clients"].as_array().unwrap().iter();
        Self {
            process,
            issuer: reported["issuer"].as_str().unwrap().to_owned(),
            clients: clients.map(|it| it.as_str().unwrap().to_owned()).collect(),
        }
    }

    fn signed_in(&mut self, client: usize, name: &str) -> Tokens {
        let line = format!("{} {name}", self.clients[client]);
        let tokens: Value = serde_json::from_str(&self.process.asked(&line)).unwrap();
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Tokens {
            id: text("id"),
            access: text("access"),
        }
    }
}

fn claims(token: &str) -> Value {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    serde_json::from_slice(&claims.unwrap()).unwrap()
}

#[test]
fn cognito_s_tokens_of_both_shapes_are_accepted_for_its_own_client_alone() {
    let mut cognito = Cognito::start();
    let config = |more: &str| {
        let (issuer, client) = (&cognito.issuer, &cognito.clients[0]);
        format!(
            "[auth]\nmode = \"jwt\"\nissuer = \"{issuer}\"\naudience = [\"{client}\"]\n{more}\n"
        )
    };
    let (by_sub, by_username, by_its_own) = (
        config(""),
        config("name-claim = \"username\""),
        config("name-claim = \"cognito:username\""),
    );
    let tom = cognito.signed_in(0, "Tom");
    let (id, access) = (claims(&tom.id), claims(&tom.access));
    // The shapes that the documentation shows, and that this is about.
    assert_eq!(
        (&id["token_use"], &access["token_use"]),
        (&"id".into(), &"access".into())
    );
    assert_eq!(id["aud"], cognito.clients[0].as_str());
    assert_eq!(
        (&access["aud"], &access["client_id"]),
        (&Value::Null, &id["aud"])
    );
    let owner = Owner::new(&by_sub);
    deployed(&owner, &[]);
    let says_to_itself = |name: &str, token: &str| {
        let said = chat(&owner, &["--to", name], "to myself\n", Some(token));
        (said.code, said.stdout)
    };
    let (received, refused) = ((0, "to myself\n".to_owned()), (3, String::new()));
    let sub = id["sub"].as_str().unwrap();
    for token in [&tom.id, &tom.access] {
        assert_eq!(says_to_itself(sub, token), received);
    }
    let elsewhere = cognito.signed_in(1, "Tom");
    assert_eq!(claims(&elsewhere.access)["sub"], sub);
    for token in [&elsewhere.id, &elsewhere.access] {
        assert_eq!(says_to_itself(sub, token), refused);
    }
    // Names that people have are in a claim of another name in either.
    owner.project.configure(&by_username);
    deployed(&owner, &[]);
    assert_eq!(says_to_itself("Tom", &tom.access), received);
    assert_eq!(says_to_itself("Tom", &tom.id), refused);
    owner.project.configure(&by_its_own);
    deployed(&owner, &[]);
    assert_eq!(says_to_itself("Tom", &tom.id), received);
    assert_eq!(says_to_itself("Tom", &tom.access), refused);
}
