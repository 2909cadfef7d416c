//! `chatctl chat` over a deployed local stack: at a terminal and in pipes.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustix::termios::Winsize;
use testing::blocking::try_until;
use testing::running::Running;

use crate::conversations::Chat;
use crate::project::{Project, TIMEOUT, finished};
use crate::pty;

/// A person at a terminal of 80 columns.
struct Person {
    child: Running,
    keyboard: File,
    screen: Arc<Mutex<String>>,
}

impl Person {
    fn sits_down(project: &Project, words: &[&str]) -> Self {
        let (master, slave) = pty::open();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&master, size).unwrap();
        let mut command = project.command(&[&["chat"], words].concat());
        command
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(Stdio::from(slave.try_clone().unwrap()))
            .stdout(Stdio::from(slave.try_clone().unwrap()))
            .stderr(Stdio::from(slave));
        let child = Running::start(&mut command);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut reader, shown) = (master.try_clone().unwrap(), screen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                shown.lock().unwrap().push_str(&text);
            }
        });
        Self {
            child,
            keyboard: master,
            screen,
        }
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until `text` is shown, escape sequences left out; forgets what was shown up to there.
    fn sees(&self, text: &str) {
        let shown = try_until(TIMEOUT, || {
            let mut screen = self.screen.lock().unwrap();
            let plain = plain(&screen);
            let at = plain.find(text).ok_or_else(|| plain.clone())?;
            *screen = plain[at + text.len()..].to_owned();
            Ok(())
        });
        shown.unwrap_or_else(|plain: String| panic!("no {text:?} in {plain:?}"));
    }

    fn exits(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// `text` without its control sequences.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
            continue;
        }
        if characters.next() == Some('[') {
            // A sequence ends with its first letter.
            characters.find(|c| c.is_ascii_alphabetic());
        }
    }
    plain
}

#[test]
fn what_comes_in_appears_above_the_line_that_is_being_typed() {
    let project = Project::new("");
    project.deployed(&[]);
    let mut tom = Person::sits_down(&project, &["--local"]);
    tom.sees("· connecting to ws://127.0.0.1:");
    tom.sees("· open");
    tom.types("too early\r");
    tom.sees("← Your friend is not reachable.");
    let mut jerry = Person::sits_down(&project, &["--local", "--as", "Jerry"]);
    jerry.sees("· open");
    tom.types("hel");
    tom.sees("Tom> hel");
    // With a sequence that would clear the screen, and a second line that looks like another user's.
    let mut stranger = Chat::open(&endpoint(&project), "Ann", "Tom");
    stranger.say("\u{1b}]0;x\u{7}\u{9b}2J\u{202e}hi\r\n· closed");
    tom.sees("← ␛]0;x␇�2J�hi");
    tom.sees("  · closed");
    tom.sees("Tom> hel");
    tom.types("lo\r");
    jerry.sees("← hello");
    tom.types("/quit\r");
    assert_eq!(tom.exits(), Some(0));
    tom.sees("· closed");
    jerry.types("\u{3}");
    assert_eq!(jerry.exits(), Some(130));
}

#[test]
fn a_stack_that_comes_back_is_found_again() {
    let project = Project::new("");
    project.deployed(&[]);
    let mut tom = Person::sits_down(&project, &["--local", "--to", "Tom"]);
    tom.sees("· open");
    let stopped = project.run(&["teardown", "--local", "--yes", "--keep-data"]);
    assert_eq!(stopped.code, 0, "{}", stopped.stderr);
    tom.sees("· closed with 1001");
    tom.types("are you there?\r");
    tom.sees("does not accept connections");
    project.deployed(&[]);
    tom.sees("· open");
    tom.sees("← are you there?");
    tom.types("\u{4}");
    assert_eq!(tom.exits(), Some(0));
}

#[test]
fn in_a_pipe_lines_go_out_and_texts_come_in_and_nothing_else_is_on_stdout() {
    let project = Project::new("");
    let url = project.deployed(&[]);
    let mut child = project
        .command(&["chat", "--url", &url, "--as", "Ann", "--to", "Ann"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let long = "x".repeat(32_769);
    let input = format!("one\n\n{long}\ntwo \u{1b}[31m\n");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let said = finished(child.wait_with_output().unwrap());
    assert_eq!(said.code, 1, "a line was lost: {}", said.stderr);
    // Two messages of one sender may overtake each other, as on AWS.
    let mut lines: Vec<_> = said.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["one", "two \u{1b}[31m"]);
    assert!(
        said.stderr.contains("not sent: 32769 bytes")
            && said.stderr.contains("error: a line was not delivered"),
        "{}",
        said.stderr
    );
}

#[test]
fn without_a_stack_and_with_a_name_that_is_refused_it_says_what_to_do() {
    let project = Project::new("");
    let missing = project.run(&["chat", "--local"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (2, ""));
    missing.explains("`chatctl deploy --local` starts it");
    let url = project.deployed(&[]);
    let wrong_stage = project.run(&["chat", "--url", &format!("{url}-other")]);
    assert_eq!(wrong_stage.code, 3, "{}", wrong_stage.stderr);
    wrong_stage.explains("refuses the connection: 403");
    let route = project.run(&["chat", "--local", "--route", "sing"]);
    assert_eq!(route.code, 2, "{}", route.stderr);
}

fn endpoint(project: &Project) -> String {
    project.status()["endpoint"].as_str().unwrap().to_owned()
}
