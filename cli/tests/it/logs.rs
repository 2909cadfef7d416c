//! `chatctl logs --local`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::json;

use crate::conversations::Chat;
use crate::project::{Project, finished};

fn entries(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_logs_of_all_functions_are_one_sequence_and_can_be_chosen_from() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let mut tom = Chat::open(&endpoint, "Tom", "Tom");
    tom.say("hello");
    tom.receive();
    tom.close();
    let all = project.run(&["logs", "--local", "--output", "json"]);
    assert_eq!((all.code, all.stderr.as_str()), (0, ""));
    let all = entries(&all.stdout);
    let times: Vec<_> = all.iter().map(|entry| entry["time"].to_string()).collect();
    assert!(times.is_sorted(), "{times:?}");
    for function in ["AuthorizeFunction", "ConnectFunction", "DirectFunction"] {
        assert!(
            all.iter().any(|entry| entry["function"] == function),
            "{function} is missing"
        );
    }
    let chosen = project.run(&["logs", "--local", "--function", "direct"]);
    assert_eq!(chosen.code, 0, "{}", chosen.stderr);
    assert!(!chosen.stdout.is_empty());
    for line in chosen.stdout.lines() {
        assert!(line[8..].starts_with("Z Direct "), "{line}");
    }
    let none = project.run(&["logs", "--local", "--since", "0s"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
}

#[test]
fn following_goes_on_over_a_restart_of_the_stack() {
    let project = Project::new("");
    let endpoint = project.deployed(&[]);
    let mut child = project
        .command(&[
            "logs",
            "--local",
            "--follow",
            "--since",
            "0s",
            "--function",
            "Authorize",
            "--output",
            "json",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stream = || {
        let line = lines.next().unwrap().unwrap();
        let entry: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(entry["function"], "AuthorizeFunction");
        entry["stream"].clone()
    };
    // It may begin after the first connection; there will be others until it has.
    let (reported, first) = std::sync::mpsc::channel();
    let connecting = std::thread::spawn(move || {
        while first.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            Chat::open(&endpoint, "Tom", "Tom").close();
        }
    });
    let before = stream();
    reported.send(()).unwrap();
    connecting.join().unwrap();
    let stopped = project.run(&["teardown", "--local", "--yes", "--keep-data"]);
    assert_eq!(stopped.code, 0, "{}", stopped.stderr);
    let endpoint = project.deployed(&[]);
    Chat::open(&endpoint, "Tom", "Tom").close();
    // What was still written before the restart comes first.
    while stream() == before {}
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn without_a_stack_and_with_an_unknown_function_it_says_what_to_do() {
    let project = Project::new("");
    let missing = project.run(&["logs", "--local"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (2, ""));
    missing.explains("`chatctl deploy --local` starts it");
    project.deployed(&[]);
    let unknown = project.run(&["logs", "--local", "--function", "drect"]);
    assert_eq!(unknown.code, 2);
    unknown.explains("`Authorize`, `Connect`, `Direct`");
    // A reader that goes away is no failure.
    let mut child = project
        .command(&["logs", "--local", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let said = finished(child.wait_with_output().unwrap());
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
}

#[test]
fn status_counts_what_the_stack_has_warned_of_and_shows_the_last_ones() {
    // A backend that hangs up.
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = backend.local_addr().unwrap();
    std::thread::spawn(move || backend.incoming().for_each(drop));
    let route = format!("[[routes]]\nkey = \"$default\"\nhttp = \"http://{address}/\"\n");
    let project = Project::new(&route);
    let endpoint = project.deployed(&["--no-probe"]);
    assert_eq!(
        project.status()["warnings"],
        json!({"count": 0, "last": []})
    );
    let reported = || project.run(&["status", "--local"]).stdout;
    assert!(!reported().contains("warnings"), "{}", reported());
    let mut tom = Chat::open(&endpoint, "Tom", "Tom");
    for text in ["one", "two", "three", "four"] {
        tom.say(text);
        assert!(tom.receive().contains("Internal server error"));
    }
    let warnings = &project.status()["warnings"];
    assert_eq!(warnings["count"], 4);
    assert_eq!(warnings["last"].as_array().unwrap().len(), 3);
    let each = "integration `DefaultHttpIntegration` of route `$default` failed: ";
    for warning in warnings["last"].as_array().unwrap() {
        assert!(
            warning["message"].as_str().unwrap().starts_with(each),
            "{warning}"
        );
    }
    let log = project.state().join("stack.log").canonicalize().unwrap();
    let head = format!(
        "\nwarnings     4 since the start, the last 3 ({}):\n",
        log.display()
    );
    assert!(reported().contains(&head), "{}", reported());
    assert_eq!(reported().matches(each).count(), 3, "{}", reported());
    let written = std::fs::read_to_string(log).unwrap();
    assert_eq!(written.matches(each).count(), 4, "{written}");
}
