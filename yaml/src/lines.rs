//! Places in a text, from the parser's lines and columns into bytes.

use std::cell::Cell;
use std::ops::Range;

use saphyr_parser::{Marker, Span};

use crate::json::Rewritten;

/// Where the lines of a text begin, in bytes.
pub(crate) struct Lines<'a> {
    rewritten: &'a Rewritten<'a>,
    starts: Vec<usize>,
    /// The last place: line, column and byte. The next one is looked for from there, because a whole template may be one line.
    last: Cell<(usize, usize, usize)>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(rewritten: &'a Rewritten<'a>) -> Self {
        // A line of YAML ends with a line feed, a carriage return, or both.
        let bytes = rewritten.text.as_bytes();
        let starts = (1..=bytes.len()).filter(|at| match bytes[at - 1] {
            b'\r' => bytes.get(*at) != Some(&b'\n'),
            other => other == b'\n',
        });
        Self {
            rewritten,
            starts: std::iter::once(0).chain(starts).collect(),
            last: Cell::new((0, 0, 0)),
        }
    }

    /// The place in the source.
    pub(crate) fn offset(&self, marker: &Marker) -> usize {
        self.rewritten.in_source(self.in_text(marker))
    }

    /// The place in the source.
    pub(crate) fn range(&self, span: &Span) -> Range<usize> {
        let start = self.in_text(&span.start);
        let line = span.start.line().saturating_sub(1);
        self.last.set((line, span.start.col(), start));
        let end = self.in_text(&span.end).max(start);
        self.rewritten.in_source(start)..self.rewritten.in_source(end)
    }

    fn in_text(&self, marker: &Marker) -> usize {
        let text = &self.rewritten.text;
        let line = marker.line().saturating_sub(1);
        let (column, start) = match self.last.get() {
            (last, column, at) if last == line && column <= marker.col() => (column, at),
            _ => (0, self.starts.get(line).copied().unwrap_or(text.len())),
        };
        let rest = &text[start..];
        let more = rest.char_indices().nth(marker.col() - column);
        start + more.map_or(rest.len(), |(at, _)| at)
    }
}
