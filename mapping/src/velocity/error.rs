//! A fault with its place in the template.

use std::fmt;

/// What is wrong with a template, or with what it does, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateError {
    /// Where: of the directive or the reference, where one is to blame.
    pub position: Position,
    /// Quotes the template at most, and nothing of its inputs: values have their kinds here, and parts of texts their
    /// places.
    pub reason: String,
}

/// A place in a template, both numbers counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: usize,
    /// In characters.
    pub column: usize,
}

impl TemplateError {
    pub(super) fn new(position: Position, reason: impl Into<String>) -> Self {
        Self {
            position,
            reason: reason.into(),
        }
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "line {line}, column {column}: {}", self.reason)
    }
}
