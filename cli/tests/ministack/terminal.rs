//! A terminal that a test sits at.

use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::termios::{Winsize, tcsetwinsize};
use testing::until::try_until;

use crate::cloud::{Finished, finished};
use crate::pty;

const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// How long something that must be shown may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Runs `command` with a terminal as its input, and types `answer` once stderr shows `question`.
pub(crate) async fn answered(
    mut command: tokio::process::Command,
    question: &str,
    answer: &str,
) -> Finished {
    let (mut master, slave) = pty::open();
    let mut child = command.stdin(Stdio::from(slave)).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut shown = Vec::new();
    let reading = async {
        let mut byte = [0];
        while !String::from_utf8_lossy(&shown).contains(question) {
            let read = tokio::io::AsyncReadExt::read(&mut stderr, &mut byte)
                .await
                .unwrap();
            assert_eq!(
                read,
                1,
                "it ended without asking:\n{}",
                String::from_utf8_lossy(&shown)
            );
            shown.push(byte[0]);
        }
    };
    tokio::time::timeout(TIMEOUT, reading)
        .await
        .expect("it asks");
    master.write_all(answer.as_bytes()).unwrap();
    // What is typed is echoed: read it, so that the terminal never fills.
    let mut echo = [0; 64];
    drop(master.read(&mut echo));
    child.stderr = Some(stderr);
    let mut answered = finished(child.wait_with_output().await.unwrap());
    answered
        .stderr
        .insert_str(0, &String::from_utf8_lossy(&shown));
    answered
}

/// What a terminal of 80 columns and 24 rows shows when a program has ended.
pub(crate) struct Screen {
    code: Option<i32>,
    /// Lines that the terminal has broken are whole again.
    text: String,
}

impl Screen {
    /// Panics with the screen unless the program ended with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }

    /// What is shown, without what differs from run to run; panics when anything but a command is wider than the
    /// terminal.
    #[track_caller]
    pub(crate) fn shows(&self) -> String {
        for line in self.text.lines() {
            let is_wide = line.chars().count() > usize::from(COLUMNS);
            assert!(!is_wide || line.starts_with("wscat "), "too wide: {line}");
        }
        steady(&self.text)
    }
}

/// Runs `command` at a terminal, and types each answer once its question is shown.
pub(crate) async fn at_a_terminal(
    command: tokio::process::Command,
    answers: &[(&str, &str)],
) -> Screen {
    let (code, bytes) = recorded(command, answers, (ROWS, COLUMNS)).await;
    let mut screen = vt100::Parser::new(ROWS, COLUMNS, 0);
    screen.process(&bytes);
    Screen {
        code,
        text: whole_lines(screen.screen()).join("\n"),
    }
}

/// The same at a terminal of this many rows and columns; answers the exit code and all that the terminal received.
pub(crate) async fn recorded(
    mut command: tokio::process::Command,
    answers: &[(&str, &str)],
    (rows, columns): (u16, u16),
) -> (Option<i32>, Vec<u8>) {
    let (mut master, slave) = pty::open();
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&slave, size).unwrap();
    let end = || Stdio::from(slave.try_clone().unwrap());
    command.stdin(end()).stdout(end()).stderr(end());
    command.env("TERM", "xterm-256color");
    let mut child = command.spawn().unwrap();
    drop((command, slave));
    let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
    let (shown, mut output) = (screen.clone(), master.try_clone().unwrap());
    let reading = std::thread::spawn(move || {
        let (mut bytes, mut received) = ([0; 4096], Vec::new());
        // The end is an error on a terminal: no process holds its other end any more.
        while let Ok(count @ 1..) = output.read(&mut bytes) {
            received.extend_from_slice(&bytes[..count]);
            shown.lock().unwrap().process(&bytes[..count]);
        }
        received
    });
    let text = || screen.lock().unwrap().screen().contents();
    for (question, answer) in answers {
        let asked = try_until(TIMEOUT, async || {
            let (has_asked, has_ended) = (
                text().contains(question),
                child.try_wait().unwrap().is_some(),
            );
            match has_asked || has_ended {
                true => Ok(has_asked),
                false => Err(()),
            }
        });
        let has_asked = asked.await == Ok(true);
        assert!(has_asked, "it does not ask {question:?}:\n{}", text());
        master.write_all(answer.as_bytes()).unwrap();
    }
    let status = tokio::time::timeout(TIMEOUT, child.wait()).await;
    let code = status.expect("it ends").unwrap().code();
    (code, reading.join().unwrap())
}

/// The rows as lines: one that goes on in the next row because it was full is one line with it.
fn whole_lines(screen: &vt100::Screen) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for (row, number) in screen.rows(0, COLUMNS).zip(0..) {
        // Bars pad what they print with blanks, which is no text that goes on.
        let is_full = row.trim_end().chars().count() == usize::from(COLUMNS);
        match lines.last_mut().filter(|_| goes_on) {
            Some(line) => line.push_str(row.trim_end()),
            None => lines.push(row.trim_end().to_owned()),
        }
        goes_on = is_full && screen.row_wrapped(number);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// `text` without durations, sizes, ids, ports and whatever else is this run's or this machine's.
pub(crate) fn steady(text: &str) -> String {
    let mut text = text.to_owned();
    for (what, instead) in [
        (r"\b\d+\.\d+s\b", "T"),
        (r"\b\d+\.\d+ MB", "N MB"),
        (r"\b\d+\.\d+ ms", "N ms"),
        (r#""milliseconds":\d+"#, r#""milliseconds":N"#),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"execute-api/[0-9a-f]{8}", "execute-api/API"),
        (r"-Connections-[0-9A-F]{13}", "-Connections-ID"),
        (r"about \d+ items?", "about N items"),
        (r"\b(x86_64|arm64)\b", "ARCH"),
        (r"glibc \d+\.\d+", "glibc N"),
        (r"its functions run /\S+", "its functions run FILE"),
        (r#""path":"[^"]+""#, r#""path":"FILE""#),
    ] {
        let what = regex_lite::Regex::new(what).unwrap();
        text = what.replace_all(&text, instead).into_owned();
    }
    text
}
