//! The colours of lines.

use anstyle::{AnsiColor, Style};

use super::Text;

/// What a line is about. Decides its colour, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Step,
    Failure,
    Hint,
}

impl Role {
    pub(crate) fn style(self) -> Style {
        match self {
            Self::Step => AnsiColor::Green.on_default().bold(),
            Self::Failure => AnsiColor::Red.on_default().bold(),
            Self::Hint => AnsiColor::Cyan.on_default(),
        }
    }

    /// `text` in the role's style; the gate leaves colours out where they are not wanted.
    pub(crate) fn paint(self, text: impl Into<String>) -> Text {
        Text::default().styled(self.style(), text)
    }
}
