//! Who is in a room, and what a moderator may do, over a deployed local stack.

use serde_json::{Value, json};
use testing::blocking::Client;

use super::stack::deployed;
use super::{Owner, TOKEN_MODE};
use crate::project::eventually;

const ROUTES: &str = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\nenvelope = true\n\
                      [[routes]]\nkey = \"who\"\nanswers = \"who\"\n[[routes]]\nkey = \"out\"\nanswers = \"kick\"\n";

struct Hall {
    owner: Owner,
    endpoint: String,
}

impl Hall {
    fn new() -> Self {
        let owner = Owner::with_key(&format!("{TOKEN_MODE}{ROUTES}"));
        let reported = deployed(&owner, &[]);
        reported.explains("1 route answers both ways");
        let command = reported.stdout.lines().next().unwrap();
        let endpoint = command.rsplit(' ').next().unwrap().to_owned();
        Self { owner, endpoint }
    }

    /// A connection of `name` whose token has the rights in `can`.
    fn enters(&self, name: &str, can: &str) -> Client {
        let token = self.owner.done(&["token", "--as", name, "--can", can]);
        let bearer = format!("Bearer {token}");
        let handshake = [("authorization", bearer.as_str()), ("msgroom", "hall")];
        Client::open(&self.endpoint, handshake).unwrap()
    }
}

/// The next frame for `frame`, as JSON.
fn asked(client: &mut Client, frame: &Value) -> Value {
    client.send(&frame.to_string());
    read(client)
}

fn read(client: &mut Client) -> Value {
    serde_json::from_str(&client.receive()).unwrap()
}

#[test]
fn a_member_sees_who_is_there_and_a_moderator_ends_a_person_s_connections() {
    let hall = Hall::new();
    let mut ann = hall.enters("Ann", "send");
    let _phone = hall.enters("Ann", "send");
    let mut bob = hall.enters("Bob", "send");
    let mut mo = hall.enters("Mo", "moderate");

    let answer = asked(&mut ann, &json!({"action": "who", "ref": "r1"}));
    let people = answer["people"].as_array().unwrap();
    let people: Vec<_> = people
        .iter()
        .map(|it| (&it["name"], &it["devices"]))
        .collect();
    let expected = [
        (json!("Ann"), json!(2)),
        (json!("Bob"), json!(1)),
        (json!("Mo"), json!(1)),
    ];
    assert_eq!(
        people,
        expected.each_ref().map(|(name, devices)| (name, devices))
    );
    assert_eq!(
        (&answer["room"], &answer["ref"]),
        (&json!("hall"), &json!("r1"))
    );

    let refused = asked(
        &mut bob,
        &json!({"action": "out", "name": "Ann", "ref": "r2"}),
    );
    assert_eq!(
        (&refused["error"], &refused["ref"]),
        (&json!("NotAllowed"), &json!("r2"))
    );
    // The right to moderate is not the right to send.
    assert_eq!(
        asked(&mut mo, &json!({"action": "say", "message": "hi"}))["error"],
        "NotAllowed"
    );

    let kicked = asked(
        &mut mo,
        &json!({"action": "out", "name": "Bob", "ref": "r3"}),
    );
    assert_eq!(
        kicked,
        json!({"type": "kicked", "name": "Bob", "connections": 1, "ref": "r3"})
    );
    assert_eq!(read(&mut bob)["error"], "Kicked");
    bob.close_code();
    eventually("the room has forgotten Bob", || {
        let answer = asked(&mut ann, &json!({"action": "who"}));
        let people = answer["people"].as_array().unwrap();
        people.iter().all(|person| person["name"] != "Bob")
    });
    let again = asked(&mut mo, &json!({"action": "out", "name": "Bob"}));
    assert_eq!(again["connections"], 0);
}
