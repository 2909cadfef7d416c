//! A sender without the right to send, on every kind of route that a function of the stack serves.

use serde_json::{Value, json};
use testing::blocking::Client;
use testing::conversations::REVIEW_FOLDER;

use super::{Owner, TOKEN_MODE};
use crate::project::finished;
use crate::reviews::write_crate;

const ROUTES: &str = r#"
[[routes]]
key = "$default"
[[routes]]
key = "whisper"
text = "message"
envelope = true
[[routes]]
key = "all"
receivers = "room"
text = "message"
include-sender = true
[[routes]]
key = "say"
receivers = "room"
text = "message"
envelope = true
[[routes]]
key = "reviewed"
receivers = "room"
text = "message"
envelope = true
review = "filter"
[[routes]]
key = "do"
handler = "do"
reply = true
[handlers]
profile = "dev"
"#;

#[test]
fn a_sender_without_the_right_gets_the_error_on_each_kind_of_route_and_nothing_passes() {
    let owner = Owner::with_key(&format!("{TOKEN_MODE}{ROUTES}"));
    write_crate(&owner.project, REVIEW_FOLDER, "filter");
    write_crate(&owner.project, "do", "everything");
    let mut command = owner.own(owner.project.deployment(&["--no-probe"]));
    command.env("CARGO_TARGET_DIR", owner.project.path().join("target"));
    let deployed = finished(command.output().unwrap());
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let printed = deployed.stdout.lines().next().unwrap();
    let endpoint = printed.rsplit(' ').next().unwrap();
    let enters = |name: &str, to: &str, can: &str| {
        let token = owner.done(&["token", "--as", name, "--can", can]);
        let bearer = format!("Bearer {token}");
        let said = [("authorization", bearer.as_str()), ("msgto", to)];
        Client::open(endpoint, said).unwrap()
    };
    let mut ann = enters("Ann", "Mo", "send");
    let mut mo = enters("Mo", "Ann", "moderate");
    for (key, has_reference) in [
        ("$default", false),
        ("whisper", true),
        ("all", false),
        ("say", true),
        ("reviewed", true),
        ("do", false),
    ] {
        mo.send(&json!({"action": key, "message": "hi", "do": "who", "ref": "r1"}).to_string());
        let reported: Value = serde_json::from_str(&mo.receive()).unwrap();
        assert_eq!(
            (&reported["error"], &reported["route"]),
            (&json!("NotAllowed"), &json!(key)),
            "{reported}"
        );
        let words = reported["message"].as_str().unwrap();
        assert!(words.contains("does not allow to send"), "{words}");
        let reference = has_reference.then(|| json!("r1"));
        assert_eq!(reported.get("ref"), reference.as_ref(), "{reported}");
    }
    // Ann's frame is the first that arrives.
    ann.send(r#"{"action":"reviewed","message":"room 7"}"#);
    let received: Value = serde_json::from_str(&mo.receive()).unwrap();
    assert_eq!(received["text"], "room *");
    ann.send(r#"{"action":"do","do":"reply","text":"first"}"#);
    assert_eq!(ann.receive(), "first");
}
