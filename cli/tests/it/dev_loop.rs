//! `chatctl dev` on a project whose handlers compile in a second: a save is served, whatever else happens goes on.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::Receiver;

use rustix::process::{Pid, Signal, kill_process};
use testing::running::Running;

use crate::conversations::Chat;
use crate::page::get;
use crate::project::{Project, TIMEOUT, children, is_alive};

const MAIN: &str = include_str!("tiny/main.rs");

const MANIFEST: &str = "[package]\nname = \"chat-lambdas\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
    [[bin]]\nname = \"chat\"\npath = \"src/main.rs\"\n\
    [dependencies]\ngreeting = { path = \"../greeting\" }\n[workspace]\n";

/// A running `dev`, and what it tells as JSON.
struct Loop {
    project: Project,
    child: Running,
    reported: Receiver<String>,
    endpoint: String,
    page: String,
}

impl Loop {
    fn start(config: &str) -> Self {
        let project = Project::new("");
        configure(&project, config);
        // A crate that the handlers depend on lies outside of theirs.
        write(&project, "greeting/src/lib.rs", "");
        write(
            &project,
            "greeting/Cargo.toml",
            "[package]\nname = \"greeting\"\nversion = \"0.0.0\"\nedition = \"2024\"\n",
        );
        write(&project, "handlers/src/main.rs", MAIN);
        write(&project, "handlers/Cargo.toml", MANIFEST);
        let mut command = project.command(&["dev", "--output", "json"]);
        command
            .env("CARGO_TARGET_DIR", project.path().join("built"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = Running::start(&mut command);
        let reported = child.lines();
        let mut running = Self {
            project,
            child,
            reported,
            endpoint: String::new(),
            page: String::new(),
        };
        let ready = running.tells("ready");
        running.endpoint = ready["endpoint"].as_str().unwrap().to_owned();
        running.page = ready["page"].as_str().unwrap().to_owned();
        running
    }

    /// The next thing of this type; what comes before it is passed over.
    fn tells(&self, kind: &str) -> serde_json::Value {
        let mut before = Vec::new();
        loop {
            let line = self
                .reported
                .recv_timeout(TIMEOUT)
                .unwrap_or_else(|error| panic!("no {kind:?} is told ({error}), only {before:#?}"));
            let reported: serde_json::Value = serde_json::from_str(&line).unwrap();
            if reported["type"] == kind {
                return reported;
            }
            before.push(reported);
        }
    }

    fn save(&self, file: &str, text: &str) {
        write(&self.project, file, text);
    }

    fn stop(mut self) {
        let functions = children(self.child.id());
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        assert!(functions.iter().all(|pid| !is_alive(*pid)));
        assert!(!self.project.path().join(".chatctl").exists());
    }
}

fn configure(project: &Project, config: &str) {
    project.configure(&format!("{config}\n[handlers]\npath = \"handlers\"\n"));
}

fn write(project: &Project, file: &str, text: &str) {
    let path: PathBuf = project.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn marked(mark: &str) -> String {
    MAIN.replace("\"first\"", &format!("\"{mark}\""))
}

#[test]
fn a_save_is_served_over_the_open_connection_and_what_does_not_compile_is_not() {
    let running = Loop::start("");
    let mut tom = Chat::open(&running.endpoint, "Tom", "Jerry");
    tom.say("a");
    assert_eq!(tom.receive(), "first: a");
    let mut log = running.tells("log");
    while log["source"] == "platform" {
        log = running.tells("log");
    }
    assert_eq!(
        (log["function"].as_str(), log["message"].as_str()),
        (Some("DirectFunction"), Some("first answers"))
    );

    running.save("handlers/src/main.rs", &marked("second"));
    let changed = running.tells("changed");
    assert_eq!(changed["paths"][0], "handlers/src/main.rs");
    let served = running.tells("served");
    let (after_save, build) = (served["afterSaveMs"].as_u64(), served["buildMs"].as_u64());
    assert!(after_save.unwrap() >= build.unwrap(), "{served}");
    tom.say("b");
    assert_eq!(tom.receive(), "second: b");

    running.save("handlers/src/main.rs", "fn main() { missing() }");
    let error = running.tells("error");
    let words = error["message"].as_str().unwrap();
    assert!(words.contains("cannot find function `missing`"), "{words}");
    assert!(words.contains("src/main.rs:1:13"), "{words}");
    tom.say("c");
    assert_eq!(tom.receive(), "second: c");

    // Both the crate and one that it depends on, in one go.
    running.save("greeting/src/lib.rs", "pub const MARK: &str = \"third\";");
    running.save(
        "handlers/src/main.rs",
        &MAIN.replace("\"first\"", "greeting::MARK"),
    );
    running.tells("served");
    tom.say("d");
    assert_eq!(tom.receive(), "third: d");
    running.save("greeting/src/lib.rs", "pub const MARK: &str = \"fourth\";");
    running.tells("served");
    tom.say("e");
    assert_eq!(tom.receive(), "fourth: e");
    running.stop();
}

#[test]
fn a_save_is_served_after_a_checkout_of_a_branch_without_the_handlers_and_back() {
    let running = Loop::start("");
    let mut tom = Chat::open(&running.endpoint, "Tom", "Jerry");
    std::fs::remove_dir_all(running.project.path().join("handlers")).unwrap();
    running.tells("error");
    running.save("handlers/src/main.rs", MAIN);
    running.save("handlers/Cargo.toml", MANIFEST);
    running.tells("unchanged");
    for mark in ["second", "third"] {
        running.save("handlers/src/main.rs", &marked(mark));
        running.tells("served");
        tom.say("a");
        assert_eq!(tom.receive(), format!("{mark}: a"));
    }
    running.stop();
}

#[test]
fn a_changed_config_is_served_and_a_wrong_one_is_shown_with_its_line() {
    let running = Loop::start("");
    let mut tom = Chat::open(&running.endpoint, "Tom", "Jerry");
    configure(&running.project, "[[routes]]\nkey = \"a b\"");
    let error = running.tells("error");
    let words = error["message"].as_str().unwrap();
    assert!(words.contains("chatctl.toml:2:7: "), "{words}");
    tom.say("a");
    assert_eq!(tom.receive(), "first: a");

    configure(&running.project, "[[routes]]\nkey = \"send\"");
    running.tells("served");
    tom.say("no route takes this");
    assert!(tom.receive().contains("Forbidden"));
    tom.say("{\"action\":\"send\"}");
    assert!(tom.receive().starts_with("first: "));
    let (status, page) = get(&running.page, "/", "localhost");
    assert_eq!(status, 200);
    assert!(
        page.contains(r#""key":"send""#),
        "the page knows the new route"
    );

    // A file that changes nothing that runs.
    running.save("handlers/src/notes.txt", "not compiled");
    running.tells("unchanged");
    running.stop();
}
