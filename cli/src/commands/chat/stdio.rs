//! Chat in a pipe: lines in, lines out.

use std::io::BufRead;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::frame::{Framing, Received};
use super::history::HistoryReader;
use super::identity::Identity;
use super::talk::talk;
use super::view::{State, Typed, View};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};

/// Lines that are read ahead.
const AHEAD: usize = 64;

/// Sends every line of stdin that is not empty, and writes every text that comes in to stdout.
///
/// # Errors
/// See [`talk`]; or a line was not sent, or may not have arrived; a message at that point says so.
pub(super) async fn chat(
    identity: Identity,
    framing: &Framing,
    kept: Option<HistoryReader>,
    wait: Duration,
    terminal: Terminal,
) -> Result<(), CommandError> {
    let (sender, mut typed) = mpsc::channel(AHEAD);
    // A thread of its own, which ends with the process: reading cannot be given up.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        while input
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\r', '\n']);
            if !text.is_empty() && sender.blocking_send(Typed::Text(text.to_owned())).is_err() {
                return;
            }
            line.clear();
        }
        // The conversation may be over.
        drop(sender.blocking_send(Typed::End));
    });
    let mut view = Pipe { terminal, lost: 0 };
    talk(identity, (framing, kept), wait, &mut typed, &mut view).await?;
    match view.lost {
        0 => Ok(()),
        1 => Err(CommandError::undelivered("a line was not delivered")),
        many => Err(CommandError::undelivered(format!(
            "{many} lines were not delivered"
        ))),
    }
}

struct Pipe {
    terminal: Terminal,
    /// Lines that were not sent, or may not have arrived.
    lost: usize,
}

impl View for Pipe {
    fn received(&mut self, received: &Received<'_>) -> bool {
        let shown = match self.terminal.output {
            Output::Json => self.terminal.received_json(&json(received)),
            Output::Text => self.terminal.received(&one_line(&received.words())),
        };
        shown.is_ok()
    }

    fn note(&mut self, _words: &str) {}

    fn state(&mut self, state: State, words: &str) {
        if self.terminal.output == Output::Json {
            self.terminal
                .result_json(&json!({"type": "state", "state": state.word(), "detail": words}));
        }
        self.terminal.step(state.word(), words);
    }

    fn trouble(&mut self, words: &str) {
        if self.terminal.output == Output::Json {
            self.terminal
                .result_json(&json!({"type": "trouble", "message": words}));
        }
        self.terminal.warn(words);
        self.lost += 1;
    }
}

/// A text, or a message with what its envelope says.
fn json(received: &Received<'_>) -> serde_json::Value {
    match received {
        Received::Text(text) => json!({"type": "text", "text": text}),
        Received::Message(message) => {
            let mut value = json!(message);
            value["type"] = "message".into();
            value
        }
        Received::Deleted(deleted) => {
            let mut value = json!(deleted);
            value["type"] = "deleted".into();
            value
        }
        Received::Presence(presence) => json!(presence),
    }
}

/// A text is one line, whatever is in it.
fn one_line(text: &str) -> String {
    text.replace("\r\n", "\\n").replace(['\r', '\n'], "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_line_breaks_is_still_one_line() {
        assert_eq!(one_line("a\nb\r\nc\rd"), "a\\nb\\nc\\nd");
    }
}
