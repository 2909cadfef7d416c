//! `[limits]`, as they hold on this machine.

use crate::conversations::Chat;
use crate::project::{Project, eventually};

fn refusal(endpoint: &str, from: &str) -> String {
    let opened = Chat::try_open(endpoint, Some(from), Some("Jerry"));
    opened.map(Chat::close).expect_err("it is refused")
}

#[test]
fn the_probe_stays_within_the_limits_and_a_client_beyond_them_gets_429_and_error_frames() {
    let project = Project::new(
        "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"tell\"\n[[routes]]\nkey = \"say\"\n\
         [limits]\nmessages-per-second = 1\nconnections-per-name = 1\n",
    );
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed.explains("3 routes answer both ways");
    let endpoint = deployed.stdout.lines().next().unwrap();
    let endpoint = endpoint.rsplit(' ').next().unwrap();
    let mut tom = Chat::open(endpoint, "Tom", "Jerry");
    let refused = refusal(endpoint, "Tom");
    assert!(refused.contains("429"), "{refused}");
    let _ann = Chat::open(endpoint, "Ann", "Jerry");
    eventually("the reason is logged", || {
        let logs = project.run(&["logs", "--local", "--function", "Connect"]);
        logs.stdout
            .contains("the most that `connections-per-name` allows")
    });
    // No friend is there to read them, so each is answered.
    for number in 0..6 {
        tom.say(&number.to_string());
    }
    let frames: Vec<_> = (0..6).map(|_| tom.receive()).collect();
    let beginning = |beginning: &str| {
        let frames = frames.iter().filter(|frame| frame.starts_with(beginning));
        frames.count()
    };
    let refused =
        beginning(r#"{"error":"TooManyMessages","message":"more than 1 message a second"#);
    assert!(refused > 0, "{frames:?}");
    assert_eq!(
        beginning("Your friend is not reachable") + refused,
        6,
        "{frames:?}"
    );
    // The connection stays, and may send again in another second.
    eventually("a message passes", || {
        tom.say("again");
        tom.receive().starts_with("Your friend is not reachable")
    });
    tom.close();
    eventually("the place is free again", || {
        Chat::try_open(endpoint, Some("Tom"), Some("Jerry")).is_ok()
    });
}

#[test]
fn a_full_room_refuses_a_client_until_a_member_leaves() {
    let project = Project::new(
        "[[routes]]\nkey = \"$default\"\nreceivers = \"room\"\n[limits]\nroom-size = 2\nconnections-per-name = 1\n",
    );
    // The probe's two clients have a room of their own, and leave it.
    let endpoint = project.deployed(&[]);
    let enter = |room: &str| {
        let handshake = [("msgroom", room)];
        testing::blocking::Client::open(&endpoint, handshake)
    };
    let ann = Chat::open_in(&endpoint, "hall");
    let mut bob = Chat::open_in(&endpoint, "hall");
    let refused = enter("hall").map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("429"), "{refused}");
    let _elsewhere = Chat::open_in(&endpoint, "attic");
    ann.close();
    eventually("the place is free again", || match enter("hall") {
        Ok(mut next) => {
            next.send("hello");
            assert_eq!(bob.receive(), "hello");
            true
        }
        Err(_) => false,
    });
}
