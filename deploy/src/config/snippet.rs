//! Shows a place in the config file as a compiler would.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The longest line that is shown whole, in characters.
const MAX_LINE: usize = 400;

/// A problem, and the line that it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    path: PathBuf,
    /// Counted from 1.
    line: usize,
    column: usize,
    /// The place's offset in `text`.
    indent: usize,
    text: String,
    width: usize,
    message: String,
}

impl Snippet {
    /// Points at `span` (bytes) of `source`.
    pub fn new(path: &Path, source: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let start = floor(source, span.start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..]
            .find('\n')
            .map_or(source.len(), |at| start + at);
        let end = floor(source, span.end).clamp(start, line_end);
        let text = source[line_start..line_end].trim_end();
        let before = source[line_start..start].chars().count();
        // Of a longer line, only the part around the place is readable.
        let skipped = match text.chars().count() > MAX_LINE {
            true => before.saturating_sub(MAX_LINE / 2),
            false => 0,
        };
        let text: String = text.chars().skip(skipped).take(MAX_LINE).collect();
        let room = (skipped + text.chars().count()).saturating_sub(before);
        Self {
            path: path.to_owned(),
            line: source[..start].matches('\n').count() + 1,
            column: before + 1,
            indent: before - skipped,
            text,
            width: source[start..end].chars().count().min(room).max(1),
            message: message.into(),
        }
    }

    /// The same place with another message.
    pub(super) fn saying(&self, message: String) -> Self {
        Self {
            message,
            ..self.clone()
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
            indent,
            text,
            width,
            message,
        } = self;
        let gutter = line.to_string().len();
        writeln!(out, "{}:{line}:{column}: {message}", path.display())?;
        // Indented, so that no line of a file passes for one of chatctl's own.
        writeln!(out, "  {:gutter$} |", "")?;
        writeln!(out, "  {line} | {text}")?;
        write!(
            out,
            "  {:gutter$} | {:indent$}{}",
            "",
            "",
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

    #[test]
    fn a_line_of_megabytes_is_shown_around_the_place() {
        let source = format!(
            "a = \"{}\" wrong{}",
            "é".repeat(500_000),
            "!".repeat(500_000)
        );
        let at = source.find("wrong").unwrap();
        let shown = Snippet::new(Path::new("x"), &source, at..source.len(), "no").to_string();
        let [place, _, line, marks] = shown.lines().collect::<Vec<_>>()[..] else {
            panic!("{shown}")
        };
        assert_eq!(place, "x:1:500008: no");
        assert!(line.chars().count() < 500 && marks.len() < 500, "{shown}");
        let pointed: String = line
            .chars()
            .skip(marks.find('^').unwrap())
            .take(6)
            .collect();
        assert_eq!(pointed, "wrong!");
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_can_be_shown(source in ".*\n.*", start in 0usize..40, length in 0usize..40) {
            prop_assert!(!Snippet::new(Path::new("x"), &source, start..start + length, "m").to_string().is_empty());
        }
    }
}
