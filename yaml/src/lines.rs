//! Places in a text, from the parser's lines and columns into bytes.

use std::ops::Range;

use saphyr_parser::{Marker, Span};

/// Where the lines of a text begin, in bytes.
pub(crate) struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let breaks = source.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            source,
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    pub(crate) fn offset(&self, marker: &Marker) -> usize {
        let line = marker.line().saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(self.source.len());
        let rest = &self.source[start..];
        let column = rest.char_indices().nth(marker.col());
        start + column.map_or(rest.len(), |(at, _)| at)
    }

    pub(crate) fn range(&self, span: &Span) -> Range<usize> {
        let start = self.offset(&span.start);
        start..self.offset(&span.end).max(start)
    }
}
