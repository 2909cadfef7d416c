//! A place in the config file, shown as a compiler would show it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is wrong, and the line it is wrong on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snippet {
    path: PathBuf,
    /// Counted from one.
    line: usize,
    column: usize,
    text: String,
    width: usize,
    message: String,
}

impl Snippet {
    /// Points at `span` (bytes) of `source`.
    pub(crate) fn new(
        path: &Path,
        source: &str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let start = floor(source, span.start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..]
            .find('\n')
            .map_or(source.len(), |at| start + at);
        let end = floor(source, span.end).clamp(start, line_end);
        Self {
            path: path.to_owned(),
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            text: source[line_start..line_end].trim_end().to_owned(),
            width: source[start..end].chars().count().max(1),
            message: message.into(),
        }
    }
}

fn floor(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Snippet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            column,
            text,
            width,
            message,
        } = self;
        let gutter = line.to_string().len();
        writeln!(out, "{}:{line}:{column}: {message}", path.display())?;
        writeln!(out, "{:gutter$} |", "")?;
        writeln!(out, "{line} | {text}")?;
        write!(
            out,
            "{:gutter$} | {:2$}{3}",
            "",
            "",
            column - 1,
            "^".repeat(*width)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;

    #[test]
    fn it_shows_the_line_and_points_at_the_place() {
        let source = "stack = \"chat\"\nstage = \"v/1\"\n";
        let at = source.find("\"v/1\"").unwrap();
        expect![[r#"
            chatctl.toml:2:9: no slash
              |
            2 | stage = "v/1"
              |         ^^^^^"#]]
        .assert_eq(
            &Snippet::new(Path::new("chatctl.toml"), source, at..at + 5, "no slash").to_string(),
        );
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_can_be_shown(source in ".*\n.*", start in 0usize..40, length in 0usize..40) {
            prop_assert!(!Snippet::new(Path::new("x"), &source, start..start + length, "m").to_string().is_empty());
        }
    }
}
