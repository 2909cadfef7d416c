//! `status --watch` over a local stack with real sockets, and `cost`.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use testing::running::Running;

use crate::operator::{ROOMS, enter};
use crate::project::Project;

fn watch(project: &Project, more: &[&str]) -> Running {
    let words = ["status", "--local", "--watch", "--interval", "1"];
    let mut command = project.command(&[&words, more].concat());
    Running::start(command.stdout(Stdio::piped()))
}

#[test]
fn watching_a_stack_counts_the_messages_that_really_went_and_ends_with_the_stack() {
    let project = Project::new(ROOMS);
    let url = project.deployed(&[]);
    let mut watching = watch(&project, &["--output", "json"]);
    let lines = watching.lines();
    let look = || -> Value {
        let line = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        serde_json::from_str(&line).unwrap()
    };
    // What comes now comes after the first look.
    look();
    let mut ann = enter(&url, "Ann", "kitchen");
    let mut bob = enter(&url, "Bob", "kitchen");
    for _ in 0..7 {
        ann.send(r#"{"action":"say","message":"hi"}"#);
        bob.receive();
    }
    ann.send(r#"{"action":"none"}"#);
    assert!(ann.receive().contains("Forbidden"));
    let mut seen = [0; 5];
    let mut is_timed = false;
    let expected = [8, 8, 2, 1, 7];
    while seen != expected {
        let look = look();
        let function = &look["functions"]["BroadcastFunction"];
        let counts = ["received", "sent", "handshakes", "clientErrors"].map(|name| &look[name]);
        let counts = counts.into_iter().chain([&function["invocations"]]);
        for (seen, count) in seen.iter_mut().zip(counts) {
            *seen += count.as_u64().unwrap();
        }
        let more = seen.iter().zip(expected).any(|(seen, most)| *seen > most);
        assert!(!more, "{seen:?}, {look}");
        is_timed |= function["p99Milliseconds"].as_f64() > Some(0.0);
        assert_eq!(function["errors"], 0);
    }
    assert!(is_timed);
    assert_eq!(look()["connections"], 2);

    let torn_down = project.run(&["teardown", "--local", "--yes"]);
    assert_eq!(torn_down.code, 0, "{}", torn_down.stderr);
    let last = loop {
        let look = look();
        if look["type"] == "error" {
            break look;
        }
    };
    assert_eq!(last["exitCode"], 3);
    let message = last["message"].as_str().unwrap();
    assert!(message.contains("stack `chat` is gone"), "{last}");
    assert_eq!(watching.wait().unwrap().code(), Some(3));
}

#[test]
fn in_a_pipe_each_look_is_a_line_until_ctrl_c() {
    let project = Project::new(ROOMS);
    let url = project.deployed(&[]);
    let _ann = enter(&url, "Ann", "kitchen");
    let mut watching = watch(&project, &[]);
    let lines = watching.lines();
    for _ in 0..3 {
        let line = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(line.contains("Z connections 1, handshakes "), "{line}");
        assert!(line.contains(", throttles 0"), "{line}");
    }
    kill_process(Pid::from_child(&watching), Signal::INT).unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(130));
}

#[test]
fn intervals_are_bounded_and_only_for_watching() {
    let project = Project::new("");
    let refused = |words: &[&str], why: &str| {
        let refused = project.run(words);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
        refused.explains(why);
    };
    refused(
        &["status", "--watch", "--interval", "0"],
        "0 is not in 1..=3600",
    );
    refused(
        &["status", "--watch", "--interval", "3601"],
        "3601 is not in 1..=3600",
    );
    refused(&["status", "--interval", "5"], "--watch");
    refused(
        &["status", "--watch", "--interval", "59"],
        "CloudWatch has one value a minute",
    );
    refused(
        &["status", "--local", "--watch"],
        "there is no local stack `chat`",
    );
}

#[test]
fn costs_are_computed_without_credentials_from_the_config() {
    let project = Project::new(ROOMS);
    let words = [
        "cost",
        "--people",
        "100",
        "--messages-per-day",
        "50",
        "--output",
        "json",
    ];
    let ran = project.run(&words);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let cost: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(cost["pricesOf"], "us-east-1");
    assert_eq!(cost["largest"]["what"], "messages");
    // 150,000 messages go out to nine, with an envelope, and a receipt comes back.
    assert_eq!(cost["items"][0]["quantity"], 1_650_000.0);
    assert_eq!(cost["items"][0]["dollars"], 1.65);
    for (option, number) in [
        ("--people", "0"),
        ("--people", "-1"),
        ("--people", "1.5"),
        ("--people", "10000001"),
        ("--people", "99999999999999999999"),
        ("--messages-per-day", "-1"),
        ("--messages-per-day", "0.5"),
        ("--room-size", "1"),
        ("--room-size", "101"),
        ("--hours-per-day", "25"),
        ("--visits-per-day", "0"),
        ("--message-bytes", "32769"),
    ] {
        let all = [
            ("--people", "100"),
            ("--messages-per-day", "50"),
            (option, number),
        ];
        let first = all
            .iter()
            .filter(|(name, _)| *name != option)
            .chain([&all[2]]);
        let words: Vec<_> = ["cost"]
            .into_iter()
            .chain(first.flat_map(|(name, number)| [*name, *number]))
            .collect();
        let refused = project.run(&words);
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (2, ""),
            "{words:?}"
        );
        assert!(refused.stderr.contains(option), "{}", refused.stderr);
    }
    project.configure("");
    let refused = project.run(&[&words[..5], &["--room-size", "5"]].concat());
    assert_eq!(refused.code, 2);
    refused.explains("this chat has no rooms");
}
