//! Places in a text, from the parser's lines and columns into bytes.

use std::cell::Cell;
use std::ops::Range;

use saphyr_parser::{Marker, Span};

/// Where the lines of a text begin, in bytes.
pub(crate) struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
    /// The last place: line, column and byte. The next one is looked for from there, because a whole template may be one line.
    last: Cell<(usize, usize, usize)>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let breaks = source.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            source,
            starts: std::iter::once(0).chain(breaks).collect(),
            last: Cell::new((0, 0, 0)),
        }
    }

    pub(crate) fn offset(&self, marker: &Marker) -> usize {
        let line = marker.line().saturating_sub(1);
        let (column, start) = match self.last.get() {
            (last, column, at) if last == line && column <= marker.col() => (column, at),
            _ => (
                0,
                self.starts.get(line).copied().unwrap_or(self.source.len()),
            ),
        };
        let rest = &self.source[start..];
        let more = rest.char_indices().nth(marker.col() - column);
        start + more.map_or(rest.len(), |(at, _)| at)
    }

    pub(crate) fn range(&self, span: &Span) -> Range<usize> {
        let start = self.offset(&span.start);
        let line = span.start.line().saturating_sub(1);
        self.last.set((line, span.start.col(), start));
        start..self.offset(&span.end).max(start)
    }
}
