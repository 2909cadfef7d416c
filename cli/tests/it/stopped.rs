//! A stack whose process is there and does nothing: stopped by a signal, held by a debugger, swapped out.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::{Project, finished};

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

/// A part of one, by which the commands multiply every limit: ten seconds are a second.
const FACTOR: f64 = 0.1;

/// What a command does about a process that stands still.
enum Expected {
    /// It waits for it once, and its error says so.
    Waits,
    /// It does not need it, and ends with this code and these words.
    Ends(i32, &'static str),
}

/// The minutes within which the help of `verb` promises an end, or a beginning, on this machine.
fn promised(project: &Project, verb: &str) -> u64 {
    let help = project.run(&[verb, "--help"]).stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let here = "on this machine (`--local`) within ";
    let promise = words
        .split_once(here)
        .or_else(|| words.split_once("s within "));
    let (_, promise) = promise.unwrap_or_else(|| panic!("{verb} promises no end: {help}"));
    let (minutes, _) = promise.split_once(" minutes").unwrap();
    minutes.parse().unwrap()
}

#[test]
fn every_command_about_a_process_that_stands_still_ends_after_the_time_that_it_states() {
    use Expected::{Ends, Waits};
    let project = Project::new("");
    project.deployed(&[]);
    let status = project.run(&["status", "--local", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let endpoint = status["endpoint"].as_str().unwrap();
    let (_, port) = endpoint.trim_end_matches("/v1").rsplit_once(':').unwrap();
    let stopped = Stopped::new(&status["pid"]);
    let handlers = crate::project::handlers();
    let handlers = format!("--handlers {}", handlers.display());
    let table = [
        (format!("deploy --local {handlers}"), Waits),
        (format!("deploy --local --no-probe {handlers}"), Waits),
        (format!("deploy --local --stage v2 {handlers}"), Waits),
        ("status --local".to_owned(), Waits),
        ("status --local --watch".to_owned(), Waits),
        ("print-connect-commands --local".to_owned(), Waits),
        ("web --local".to_owned(), Waits),
        ("chat --local".to_owned(), Waits),
        ("connections --local".to_owned(), Waits),
        ("connections --local --watch".to_owned(), Waits),
        ("send --local Tom hi".to_owned(), Waits),
        ("kick --local Tom --yes".to_owned(), Waits),
        ("kick --local Tom --ban 1h --yes".to_owned(), Waits),
        ("teardown --local --yes".to_owned(), Waits),
        ("teardown --local --keep-data --yes".to_owned(), Waits),
        ("outputs --local".to_owned(), Ends(0, "")),
        ("logs --local".to_owned(), Ends(0, "")),
        ("render".to_owned(), Ends(0, "")),
        (
            format!("dev --no-watch --port {port} {handlers}"),
            Ends(2, "runs in the background already"),
        ),
    ];
    std::thread::scope(|scope| {
        for (words, expected) in &table {
            let project = &project;
            scope.spawn(move || {
                let words: Vec<_> = words.split(' ').chain(["-v"]).collect();
                ends_in_time(project, &words, expected);
            });
        }
    });
    drop(stopped);
    project.deployed(&[]);
}

#[test]
fn an_interruption_ends_a_teardown_that_waits_for_the_end_of_what_was_left_behind() {
    let project = Project::new("");
    project.deployed(&[]);
    let stopped = Stopped::new(&project.status()["pid"]);
    std::fs::remove_dir_all(project.state()).unwrap();
    let mut command = project.command(&["teardown", "--local", "--yes"]);
    let mut teardown = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(teardown.stderr.take().unwrap()).lines();
    let said = lines.next().unwrap().unwrap();
    assert!(said.contains("still serves"), "{said}");
    let pid = teardown.id().to_string();
    let interrupted = Command::new("kill").args(["-INT", &pid]).status();
    assert!(interrupted.unwrap().success());
    let more: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(teardown.wait().unwrap().code(), Some(130), "{more:?}");
    drop(stopped);
}

fn ends_in_time(project: &Project, words: &[&str], expected: &Expected) {
    let mut command = project.command(words);
    let began = Instant::now();
    let ended = finished(
        command
            .env("CHATCTL_TIME_FACTOR", FACTOR.to_string())
            .output()
            .unwrap(),
    );
    let took = began.elapsed();
    let said = &ended.stderr;
    let asked = said.matches("local-stack").count();
    let Expected::Waits = expected else {
        let Expected::Ends(code, words_of_it) = expected else {
            unreachable!("the other one was seen");
        };
        assert_eq!(ended.code, *code, "{words:?}: {said}");
        assert!(said.contains(words_of_it), "{words:?}: {said}");
        assert_eq!(asked, 0, "{words:?}: {said}");
        return;
    };
    assert_eq!(ended.code, 3, "{words:?}: {said}");
    // `status --watch` asks again, and waits no more.
    let most = if words.contains(&"status") && words.contains(&"--watch") {
        2
    } else {
        1
    };
    assert!((1..=most).contains(&asked), "{words:?}: {said}");
    let reported = [
        "could not reach the local stack's process",
        "accepts connections but has not responded for 10 s",
        "is chatctl's",
    ];
    assert!(
        reported.iter().all(|reported| said.contains(reported)),
        "{words:?}: {said}"
    );
    let promised = Duration::from_secs(60 * promised(project, words[0])).mul_f64(FACTOR);
    assert!(took < promised, "{words:?}: {took:?} of {promised:?}");
}
