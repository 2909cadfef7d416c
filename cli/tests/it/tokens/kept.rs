//! Who reads and deletes messages that are kept, where tokens prove names, over a deployed local stack.

use serde_json::{Value, json};
use testing::blocking::Client;

use super::stack::deployed;
use super::{Owner, TOKEN_MODE};

const ROUTES: &str = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\nenvelope = true\nhistory = \"1d\"\n\
                      [[routes]]\nkey = \"tell\"\ntext = \"message\"\nenvelope = true\nhistory = \"1d\"\n\
                      [[routes]]\nkey = \"history\"\nanswers = \"history\"\n\
                      [[routes]]\nkey = \"delete\"\nanswers = \"delete\"\n";

fn enters(owner: &Owner, endpoint: &str, friend: &str, token: &[&str]) -> Client {
    let token = owner.done(&[&["token"], token].concat());
    let bearer = format!("Bearer {token}");
    let handshake = [
        ("authorization", bearer.as_str()),
        ("msgto", friend),
        ("msgroom", "hall"),
    ];
    Client::open(endpoint, handshake).unwrap()
}

fn asked(client: &mut Client, frame: &Value) -> Value {
    client.send(&frame.to_string());
    serde_json::from_str(&client.receive()).unwrap()
}

#[test]
fn a_token_reads_as_far_as_it_may_write_and_a_moderator_deletes_what_others_wrote() {
    let owner = Owner::with_key(&format!("{TOKEN_MODE}{ROUTES}"));
    let reported = deployed(&owner, &[]);
    let command = reported.stdout.lines().next().unwrap();
    let endpoint = command.rsplit(' ').next().unwrap();
    let mut ann = enters(&owner, endpoint, "Bob", &["--as", "Ann"]);
    let tell = json!({"action": "tell", "message": "psst", "ref": "r1"});
    assert_eq!(asked(&mut ann, &tell)["stored"], true);
    let said = asked(
        &mut ann,
        &json!({"action": "say", "message": "rude", "ref": "r2"}),
    );

    let read = |client: &mut Client, with: &str| {
        asked(client, &json!({"action": "history", "with": with}))
    };
    let mut bob = enters(&owner, endpoint, "Cy", &["--as", "Bob"]);
    assert_eq!(read(&mut bob, "Ann")["entries"][0]["text"], "psst");
    // A token that is narrowed to Cy neither writes to Ann nor reads what she wrote.
    let mut narrowed = enters(&owner, endpoint, "Cy", &["--as", "Bob", "--to", "Cy"]);
    assert_eq!(read(&mut narrowed, "Ann")["error"], "NotAllowed");
    assert_eq!(read(&mut narrowed, "Cy")["entries"], json!([]));

    let order = json!({"action": "delete", "id": said["id"], "ref": "r3"});
    assert_eq!(asked(&mut bob, &order)["error"], "NotAllowed");
    let mut mo = enters(
        &owner,
        endpoint,
        "Ann",
        &["--as", "Mo", "--can", "moderate"],
    );
    assert_eq!(asked(&mut mo, &order)["type"], "done");
    let notice: Value = serde_json::from_str(&ann.receive()).unwrap();
    let said_of = (&notice["of"], &notice["by"], &notice["from"]);
    assert_eq!(said_of, (&said["id"], &json!("Mo"), &json!("Ann")));
    let page = asked(&mut mo, &json!({"action": "history"}));
    assert_eq!(page["entries"], json!([notice]));
}
