//! A stack whose process is there and does nothing: stopped by a signal, held by a debugger, swapped out.

use std::process::Command;

use crate::project::Project;

/// A process that stands still as long as this lives.
struct Stopped(String);

impl Stopped {
    fn new(process: &serde_json::Value) -> Self {
        let stopped = Self(process.to_string());
        stopped.signal("-STOP");
        stopped
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.0]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

#[test]
fn no_command_waits_for_ever_for_a_process_that_stands_still() {
    let project = Project::new("");
    project.deployed(&[]);
    let status = project.run(&["status", "--local", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let stopped = Stopped::new(&status["pid"]);
    let handlers = crate::project::handlers();
    let deploy = [
        "deploy",
        "--local",
        "--handlers",
        handlers.to_str().unwrap(),
    ];
    for words in [
        &deploy[..],
        &["status", "--local"],
        &["print-connect-commands", "--local"],
        &["teardown", "--local", "--yes"],
    ] {
        let mut command = project.command(words);
        // Ten seconds are a second.
        let ended = command.env("CHATCTL_TIME_FACTOR", "0.1").output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(3), "{words:?}: {said}");
        let reported = [
            "could not reach the local stack's process",
            "accepts connections but has not responded for 10 s",
            "is chatctl's",
        ];
        assert!(
            reported.iter().all(|reported| said.contains(reported)),
            "{words:?}: {said}"
        );
    }
    drop(stopped);
    project.deployed(&[]);
}
