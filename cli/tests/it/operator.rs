//! `connections`, `send` and `kick`, over a local stack with real sockets.

use std::process::Stdio;

use chat_protocol::envelope::{Envelope, Message};
use chat_protocol::{Field, Handshake};
use serde_json::Value;
use testing::blocking::Client;
use testing::running::Running;

use crate::conversations::Chat;
use crate::project::{Finished, Project, eventually};
use crate::tokens::{Owner, TOKEN_MODE};

/// Rooms whose messages have envelopes.
pub(crate) const ROOMS: &str =
    "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\nenvelope = true\n";

/// Opens a connection of `name` in `room`.
pub(crate) fn enter(url: &str, name: &str, room: &str) -> Client {
    let handshake = Handshake::default().with(Field::From, name);
    let handshake = handshake.with(Field::Room, room);
    Client::open(url, handshake.headers()).unwrap()
}

/// What `command` with `--output json` answers.
fn json(command: &Finished) -> Value {
    assert_eq!(command.code, 0, "{} {}", command.stdout, command.stderr);
    serde_json::from_str(&command.stdout).unwrap()
}

fn connections(project: &Project, more: &[&str]) -> Value {
    let words = ["connections", "--local", "--output", "json"];
    json(&project.run(&[&words, more].concat()))
}

/// The members `of` each connection in `look`, sorted by name; those without one are last.
fn all(look: &Value, of: &str) -> Vec<String> {
    let mut connections = look["connections"].as_array().unwrap().clone();
    connections.sort_by_key(|one| one["name"].as_str().unwrap_or("~").to_owned());
    let texts = connections.iter().map(|one| match &one[of] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    texts.collect()
}

#[test]
fn the_operator_sees_friends_speaks_to_all_devices_of_one_and_closes_them() {
    let project = Project::new("");
    let url = project.deployed(&[]);
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    let mut also_tom = Chat::open(&url, "Tom", "Jerry");
    let mut jerry = Chat::open(&url, "Jerry", "Tom");

    let look = connections(&project, &[]);
    assert_eq!(all(&look, "name"), ["Jerry", "Tom", "Tom"], "{look}");
    assert_eq!(all(&look, "devices"), ["1", "2", "2"]);
    assert_eq!(all(&look, "friend"), ["Tom", "Jerry", "Jerry"]);
    assert_eq!(all(&look, "sourceIp"), ["127.0.0.1"; 3]);
    assert!(
        all(&look, "lastActiveAt")
            .iter()
            .all(|at| at.ends_with('Z'))
    );
    assert_eq!(
        (&look["ended"], &look["complete"]),
        (&0.into(), &true.into())
    );
    let one = connections(&project, &["--name", "Jerry", "--no-activity"]);
    assert_eq!(all(&one, "name"), ["Jerry"]);
    assert_eq!(all(&one, "lastActiveAt"), ["null"]);
    let text = project.run(&["connections", "--local"]);
    assert!(
        text.stdout.ends_with("3 connections, 2 names\n"),
        "{}",
        text.stdout
    );
    let no_room = project.run(&["connections", "--local", "--room", "hall"]);
    assert_eq!(no_room.code, 2);
    no_room.explains("this chat has no room `hall`");

    let sent = project.run(&["send", "--local", "Tom", "Back at noon"]);
    assert_eq!(sent.stdout, "2 connections of `Tom` accepted the message\n");
    assert_eq!(
        (tom.receive(), also_tom.receive()),
        ("Back at noon".into(), "Back at noon".into())
    );
    let absent = project.run(&["send", "--local", "tom", "hi"]);
    assert_eq!((absent.code, absent.stdout.as_str()), (3, ""));
    absent.explains("no connection accepted the message: `tom` has none that is open");

    let asked = project.run(&["kick", "--local", "Tom"]);
    assert_eq!(asked.code, 2);
    asked.explains("Close 2 connections of `Tom`?");
    let kicked = project.run(&["kick", "--local", "Tom", "--yes"]);
    assert_eq!(kicked.stdout, "closed 2 connections of `Tom`\n");
    for closed in [tom, also_tom] {
        assert!(closed.closed_with() > 0);
    }
    assert_eq!(all(&connections(&project, &[]), "name"), ["Jerry"]);
    let again = project.run(&["kick", "--local", "Tom", "--yes"]);
    assert_eq!(again.code, 3);
    again.explains("`Tom` has no open connection");
    // Without a ban, the client may come back.
    let mut tom = Chat::open(&url, "Tom", "Jerry");
    tom.say("hi");
    assert_eq!(jerry.receive(), "hi");
}

#[test]
fn a_banned_name_stays_out_with_a_reason_in_the_log_until_the_ban_is_lifted() {
    let project = Project::new("");
    let url = project.deployed(&[]);
    let tom = Chat::open(&url, "Tom", "Jerry");
    let words = [
        "kick", "--local", "Tom", "--ban", "1h", "--yes", "--output", "json",
    ];
    let banned = json(&project.run(&words));
    assert_eq!(
        (&banned["name"], &banned["ended"]),
        (&"Tom".into(), &0.into())
    );
    assert_eq!(banned["closed"].as_array().unwrap().len(), 1, "{banned}");
    let until = banned["bannedUntil"].as_str().unwrap();
    assert!(tom.closed_with() > 0);
    let refused = Chat::try_open(&url, Some("Tom"), Some("Jerry"))
        .err()
        .unwrap();
    assert!(refused.contains("403"), "{refused}");
    let _jerry = Chat::open(&url, "Jerry", "Tom");
    let day = &until[..10];
    eventually("the log has the reason", || {
        let logs = project
            .run(&["logs", "--local", "--function", "connect"])
            .stdout;
        logs.contains(&format!("banned the name until {day}"))
    });
    let words = ["kick", "--local", "Tom", "--unban"];
    assert_eq!(project.run(&words).stdout, "`Tom` is not banned any more\n");
    let _tom = Chat::open(&url, "Tom", "Jerry");
}

#[test]
fn a_ban_keeps_a_name_out_that_a_token_proves() {
    let owner = Owner::with_key(TOKEN_MODE);
    let deployed = owner.own(owner.project.deployment(&[])).output().unwrap();
    assert!(deployed.status.success(), "{deployed:?}");
    let url = owner.project.status()["endpoint"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = owner.done(&["token", "--as", "Tom"]);
    let bearer = format!("Bearer {token}");
    let open = || {
        Client::open(
            &url,
            [("authorization", bearer.as_str()), ("msgto", "Jerry")],
        )
    };
    let mut tom = open().unwrap();
    owner.done(&["kick", "--local", "Tom", "--ban", "90s", "--yes"]);
    assert!(tom.close_code() > 0);
    let refused = open().err().unwrap().to_string();
    assert!(refused.contains("403"), "{refused}");
    owner.done(&["kick", "--local", "Tom", "--unban"]);
    drop(open().unwrap());
}

#[test]
fn the_operator_speaks_to_a_room_in_an_envelope_and_closes_one_connection_by_its_id() {
    let project = Project::new(ROOMS);
    let url = project.deployed(&[]);
    let mut ann = enter(&url, "Ann", "kitchen");
    let mut unnamed = Chat::open_in(&url, "kitchen");
    let _elsewhere = enter(&url, "Bob", "attic");

    let look = connections(&project, &["--room", "kitchen"]);
    assert_eq!(all(&look, "name"), ["Ann", "null"], "{look}");
    assert_eq!(
        all(&connections(&project, &["--name", "Bob"]), "room"),
        ["attic"]
    );
    let words = [
        "send", "--local", "--room", "kitchen", "Supper", "--output", "json",
    ];
    assert_eq!(json(&project.run(&words))["accepted"], 2);
    for got in [ann.receive(), unnamed.receive()] {
        let Envelope::Message(Message {
            from,
            text,
            room,
            route,
            ..
        }) = serde_json::from_str(&got).unwrap()
        else {
            panic!("{got}");
        };
        assert_eq!(
            (from.as_deref(), text.as_ref()),
            (Some("#operator"), "Supper")
        );
        assert_eq!((room.as_deref(), route.as_ref()), (Some("kitchen"), "say"));
    }
    let id = all(&look, "id")[1].clone();
    let no_name = project.run(&["kick", "--local", &id, "--ban", "1h", "--yes"]);
    assert_eq!(no_name.code, 2);
    no_name.explains("only names are banned");
    let kicked = project.run(&["kick", "--local", &id, "--yes"]);
    assert_eq!(kicked.stdout, "closed 1 connection\n", "{}", kicked.stderr);
    assert!(unnamed.closed_with() > 0);
    assert_eq!(all(&connections(&project, &[]), "name"), ["Ann", "Bob"]);
    let gone = project.run(&["kick", "--local", &id, "--yes"]);
    assert_eq!(gone.code, 3);
}

#[test]
fn watching_tells_of_those_who_come_and_go() {
    let project = Project::new(ROOMS);
    let url = project.deployed(&[]);
    let mut command = project.command(&["connections", "--local", "--watch", "--output", "json"]);
    let mut watching = Running::start(command.stdout(Stdio::piped()));
    let lines = watching.lines();
    let names = || {
        let line = lines
            .recv_timeout(std::time::Duration::from_secs(60))
            .unwrap();
        all(&serde_json::from_str(&line).unwrap(), "name")
    };
    assert!(names().is_empty());
    let ann = enter(&url, "Ann", "kitchen");
    while names() != ["Ann"] {}
    ann.close();
    while !names().is_empty() {}
}

#[test]
fn without_a_stack_each_command_says_how_to_get_one() {
    let project = Project::new("");
    for words in [
        &["connections", "--local"][..],
        &["send", "--local", "Tom", "hi"],
        &["kick", "--local", "Tom", "--yes"],
    ] {
        let refused = project.run(words);
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (2, ""),
            "{words:?}"
        );
        refused.explains("there is no local stack `chat`");
    }
}
