//! The very commands that chatctl printed, run by a shell with wscat from npm.

use std::io::Write;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;

use testing::running::Running;

use crate::project::{Project, TIMEOUT, eventually, peer};

pub(crate) struct Terminal {
    _child: Running,
    keyboard: ChildStdin,
    screen: Receiver<String>,
}

impl Terminal {
    /// Pastes `command` into a shell that finds wscat, as the `number`th client of `project`.
    pub(crate) fn paste(command: &str, project: &Project, number: usize) -> Self {
        let wscat = peer("CHATCTL_WSCAT");
        let folder = wscat.parent().unwrap_or(Path::new("")).to_owned();
        let path = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        )));
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("exec {command}")])
            .env("PATH", path.unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = Running::start(&mut shell);
        let screen = child.lines();
        let keyboard = child.stdin.take().unwrap();
        // Without a terminal wscat does not say that it is connected.
        eventually("wscat is connected", || {
            project.status()["connections"] == number
        });
        Self {
            _child: child,
            keyboard,
            screen,
        }
    }

    pub(crate) fn types(&mut self, text: &str) {
        writeln!(self.keyboard, "{text}").unwrap();
    }

    /// The next thing that is shown is `text`, or begins with what `text` has before a `…` at its end.
    pub(crate) fn sees_next(&self, text: &str) {
        loop {
            match self.screen.recv_timeout(TIMEOUT) {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => {
                    // Without a terminal wscat shows a frame behind its prompt.
                    let frame = line.trim_start_matches("> ");
                    let is_it = match text.strip_suffix('…') {
                        Some(beginning) => frame.starts_with(beginning),
                        None => frame == text,
                    };
                    return assert!(is_it, "{text:?} was to be shown, not {line:?}");
                }
                Err(error) => panic!("{text:?} was not shown ({error})"),
            }
        }
    }

    /// All that was shown has been looked at.
    pub(crate) fn saw_nothing_else(&self) {
        let more: Vec<String> = self
            .screen
            .try_iter()
            .filter(|line| !line.trim().is_empty())
            .collect();
        assert!(more.is_empty(), "{more:?}");
    }

    fn sees(&self, text: &str) {
        let mut seen = String::new();
        while !seen.contains(text) {
            match self.screen.recv_timeout(TIMEOUT) {
                Ok(line) => seen.push_str(&line),
                Err(error) => panic!("{text:?} was not shown ({error}), only {seen:?}"),
            }
        }
    }
}

#[test]
fn the_two_printed_commands_make_two_terminals_talk() {
    let project = Project::new("");
    let deployed = project.deploy(&["--from", "Ann Lee", "--to", "O'Neil"]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let commands: Vec<_> = deployed.stdout.lines().collect();
    let mut ann = Terminal::paste(commands[0], &project, 1);
    ann.types("too early");
    ann.sees("Your friend is not reachable. Connect from the other terminal and then try again");
    let mut neil = Terminal::paste(commands[1], &project, 2);
    ann.types("hi there");
    neil.sees("hi there");
    neil.types("hello, Ann");
    ann.sees("hello, Ann");
}
