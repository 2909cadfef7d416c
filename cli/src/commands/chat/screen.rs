//! Chat at a terminal: what comes in appears above the line that is being typed.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use rustyline_async::ReadlineEvent;
use tokio::sync::mpsc;

use super::frame::{Framing, Received};
use super::history::HistoryReader;
use super::identity::Identity;
use super::talk::talk;
use super::view::{State, Typed, View};
use crate::error::CommandError;
use crate::terminal::{Above, end_editing, line_editor};
use chatctl_deploy::engine::{ErrorKind, TargetError};

/// Sends what `me` types.
///
/// # Errors
/// See [`talk`]; the terminal cannot be used.
pub(super) async fn chat(
    identity: Identity,
    framing: &Framing,
    kept: Option<HistoryReader>,
    me: &str,
) -> Result<(), CommandError> {
    let (mut input, above) = line_editor(&format!("{me}> ")).map_err(|error| TargetError {
        source: Some(Box::new(error)),
        ..TargetError::new(ErrorKind::Unexpected, "could not use the terminal")
            .with_hint("`chatctl chat` in a pipe needs none")
    })?;
    let (sender, mut typed) = mpsc::channel(8);
    let mut view = Screen(above);
    let help = match &kept {
        Some(_) => "/quit or Ctrl-D ends the chat; /history shows earlier messages; times are UTC",
        None => "/quit or Ctrl-D ends the chat; the arrow keys bring back what you typed",
    };
    view.0.line(Style::new().dimmed(), help);
    let has_history = kept.is_some();
    let typing = async {
        loop {
            let typed = match input.readline().await {
                Ok(ReadlineEvent::Line(text)) if text.trim().is_empty() => continue,
                Ok(ReadlineEvent::Line(text)) if text.trim() == "/quit" => Typed::Quit,
                Ok(ReadlineEvent::Line(text)) if has_history && text.trim() == "/history" => {
                    Typed::Older
                }
                Ok(ReadlineEvent::Line(text)) => {
                    input.add_history_entry(text.clone());
                    Typed::Text(text)
                }
                Ok(ReadlineEvent::Eof) => Typed::Quit,
                Ok(ReadlineEvent::Interrupted) => Typed::Interrupt,
                Err(_) => Typed::Quit,
            };
            // The conversation may end first.
            drop(sender.send(typed).await);
        }
    };
    let outcome = tokio::select! {
        outcome = talk(identity, (framing, kept), Duration::ZERO, &mut typed, &mut view) => outcome,
        () = typing => Ok(()),
    };
    // The last lines, before the terminal is as it was.
    drop(input.flush());
    drop(input);
    end_editing();
    outcome
}

struct Screen(Above);

impl View for Screen {
    fn received(&mut self, received: &Received<'_>) -> bool {
        let (style, first) = match received {
            Received::Text(_) | Received::Message(_) => (AnsiColor::Cyan.on_default(), "←"),
            Received::Deleted(_) | Received::Presence(_) => (Style::new().dimmed(), "·"),
        };
        let today = time::OffsetDateTime::now_utc().date().to_string();
        let time = received
            .time(&today)
            .map_or_else(String::new, |time| format!("{time} "));
        // Further lines are indented, so that no text can look like another message.
        for (index, line) in received.words().lines().enumerate() {
            let line = match index {
                0 => format!("{first} {time}{line}"),
                _ => format!("  {line}"),
            };
            self.0.line(style, &line);
        }
        true
    }

    fn note(&mut self, words: &str) {
        self.0.line(Style::new().dimmed(), &format!("· {words}"));
    }

    fn state(&mut self, state: State, words: &str) {
        let style = match state {
            State::Connecting => Style::new().dimmed(),
            State::Open => AnsiColor::Green.on_default(),
            State::Closed | State::Waiting => AnsiColor::Yellow.on_default(),
        };
        let line = format!("· {} {words}", state.word());
        self.0.line(style, line.trim_end());
    }

    fn trouble(&mut self, words: &str) {
        let style = AnsiColor::Red.on_default().bold();
        self.0.line(style, &format!("! {words}"));
    }
}
