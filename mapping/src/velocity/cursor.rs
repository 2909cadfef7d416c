//! A place in a template's text, moving forward.

use super::error::{Position, TemplateError};

#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
    position: Position,
}

impl<'t> Cursor<'t> {
    /// `text` begins at `position` of the template.
    pub(super) fn new(text: &'t str, position: Position) -> Self {
        Self {
            text,
            at: 0,
            position,
        }
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        if character == '\n' {
            self.position.line += 1;
            self.position.column = 1;
        } else {
            self.position.column += 1;
        }
        Some(character)
    }

    /// Takes `expected`, if it is next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        if is_next {
            for _ in expected.chars() {
                self.take();
            }
        }
        is_next
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<(), TemplateError> {
        if self.eat(expected) {
            return Ok(());
        }
        Err(self.fault(match self.peek() {
            Some(found) => format!("`{expected}` is missing before `{found}`"),
            None => format!("`{expected}` is missing at the end"),
        }))
    }

    /// Takes characters as long as `wanted` holds.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.take();
        }
        &self.text[start..self.at]
    }

    pub(super) fn skip_blank(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// A name, such as those of variables; `None` if there is none here.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        starts_name(self.rest()).then(|| {
            self.take_while(|char| char.is_ascii_alphanumeric() || char == '_' || char == '-')
        })
    }

    /// What was passed since `earlier`, a former state of this cursor.
    pub(super) fn since(&self, earlier: &Self) -> &'t str {
        &self.text[earlier.at..self.at]
    }

    /// Skips the rest of a line that has nothing but blanks.
    pub(super) fn end_line(&mut self) {
        let blanks = self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\r']).len();
        if self.rest()[blanks..].starts_with('\n') {
            self.take_while(|char| char != '\n');
            self.take();
        }
    }

    pub(super) fn fault(&self, reason: impl Into<String>) -> TemplateError {
        TemplateError::new(self.position, reason)
    }
}

/// Whether `text` begins like a name.
pub(super) fn starts_name(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
}
