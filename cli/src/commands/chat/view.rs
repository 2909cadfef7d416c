//! What a conversation takes in, and where it is shown.

use super::frame::Received;

/// What comes from the keyboard, or from the pipe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Text(String),
    /// Earlier messages are to be shown.
    Older,
    /// The end of the input; answers may still be received.
    End,
    Quit,
    Interrupt,
}

/// Where the conversation is shown.
pub(super) trait View {
    /// Shows a text that came in. `false` when its reader has gone.
    fn received(&mut self, received: &Received<'_>) -> bool;

    /// A line about what follows.
    fn note(&mut self, words: &str);

    /// The connection's state has changed.
    fn state(&mut self, state: State, words: &str);

    /// A text was not sent, or may not have arrived.
    fn trouble(&mut self, words: &str);
}

/// The connection's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Connecting,
    Open,
    Closed,
    /// The chat cannot be reached; another attempt follows.
    Waiting,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Waiting => "waiting",
        }
    }
}
