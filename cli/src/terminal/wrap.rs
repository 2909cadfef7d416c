//! Lines that fit a terminal. Where there is none they stay whole, so that a log can be searched.

use std::os::fd::AsFd;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns of the terminal behind `stream` are to be used; `None` where there is none, or it does not say.
///
/// The last one stays free: terminals differ in where they go on after it.
pub(super) fn width(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col >= NARROWEST).then(|| usize::from(size.ws_col) - 1)
}

/// Below this nothing reads well, and a size of zero means that it is not set.
const NARROWEST: u16 = 20;

/// `text` with no line wider than `width` columns, except where a single word is. What goes on begins below the
/// text, behind a mark or a `word:` in front of it.
pub(super) fn wrap(text: &str, width: Option<usize>) -> String {
    match width {
        Some(width) => text
            .split('\n')
            .map(|line| wrapped(line, hang(line), width))
            .collect::<Vec<_>>()
            .join("\n"),
        None => text.to_owned(),
    }
}

/// The same for the text behind a column of `indent` characters, which is printed already.
pub(super) fn wrap_behind(text: &str, indent: usize, width: Option<usize>) -> String {
    let padded = wrap(&format!("{:indent$}{text}", ""), width);
    padded[indent..].to_owned()
}

/// `text` whose further lines begin with `columns` spaces at least.
pub(super) fn stepped_in(text: &str, columns: usize) -> String {
    let mut lines = text.split('\n');
    let mut stepped = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let plain = anstream::adapter::strip_str(line).to_string();
        let spaces = plain.len() - plain.trim_start_matches(' ').len();
        stepped.push('\n');
        if !plain.is_empty() {
            stepped.push_str(&" ".repeat(columns.saturating_sub(spaces)));
        }
        stepped.push_str(line);
    }
    stepped
}

fn wrapped(line: &str, hang: usize, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let lead = line.len() - line.trim_start_matches(' ').len();
    let mut text = String::from(&line[..lead]);
    let (mut column, mut is_first) = (lead, true);
    for word in line[lead..].split(' ') {
        let length = columns(word);
        if !is_first && column + 1 + length > width && column > hang {
            text.push('\n');
            text.push_str(&" ".repeat(hang));
            column = hang;
        } else if !is_first {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        is_first = false;
    }
    text
}

/// Where a line goes on: below what follows a mark (`+ `), a word with a colon (`goes: `) or one in a column of its own.
fn hang(line: &str) -> usize {
    let plain = anstream::adapter::strip_str(line).to_string();
    let lead = plain.len() - plain.trim_start_matches(' ').len();
    let rest = &plain[lead..];
    let Some((first, behind)) = rest.split_once(' ') else {
        return lead;
    };
    let is_mark = matches!(first, "+" | "~" | "!" | "-");
    let is_column = behind.starts_with(' ');
    if !is_mark && !is_column && !first.ends_with(':') {
        return lead;
    }
    lead + first.len() + 1 + (behind.len() - behind.trim_start_matches(' ').len())
}

/// Columns that `text` takes, colours not counted.
pub(super) fn columns(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

/// `text`, which has no colours, cut to `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    // Each of them has a byte at least; to measure megabytes would take a while.
    if text.len() <= width || (text.len() <= 8 * width && columns(text) <= width) {
        return text.to_owned();
    }
    let (mut cut, mut column) = (String::new(), 0);
    for character in text.chars() {
        column += character.width().unwrap_or(0);
        // One is for the mark. Characters without a width could go on for ever.
        if column >= width || cut.len() > 8 * width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&wrap(text, Some(30)));
    }

    #[test]
    fn a_line_goes_on_below_its_own_text() {
        check(
            "  ! ConnectLogs AWS::Logs::LogGroup: RetentionInDays (may be replaced)\n\
             goes:  stack `chat` with 1 Api, 4 Role, 4 Function\n\
             plain words that are too many for one line",
            expect![[r#"
                  ! ConnectLogs
                    AWS::Logs::LogGroup:
                    RetentionInDays (may be
                    replaced)
                goes:  stack `chat` with 1
                       Api, 4 Role, 4 Function
                plain words that are too many
                for one line"#]],
        );
    }

    #[test]
    fn a_word_is_never_torn_apart_and_colours_take_no_room() {
        let url = "\u{1b}[31mws://127.0.0.1:1/with/a/long/path\u{1b}[0m";
        let wrapped = wrap(&format!("left: {url} and so on"), Some(30));
        assert_eq!(wrapped, format!("left: {url}\n      and so on"));
    }

    #[test]
    fn what_stands_behind_a_column_keeps_it() {
        assert_eq!(
            wrap_behind("one two three four five", 10, Some(20)),
            "one two\n          three four\n          five"
        );
    }

    #[test]
    fn characters_of_two_columns_count_twice() {
        assert_eq!(
            wrap("漢字漢字漢 字漢字漢字 字", Some(20)),
            "漢字漢字漢\n字漢字漢字 字"
        );
        assert_eq!(cut("漢字漢字漢字", 8), "漢字漢…");
        assert_eq!(cut("漢字漢字", 8), "漢字漢字");
        assert_eq!(cut("abcdefgh", 8), "abcdefgh");
        assert_eq!(cut("abcdefghi", 8), "abcdefg…");
        assert!(cut(&"\u{301}".repeat(100_000), 8).len() < 100);
    }

    #[test]
    fn further_lines_are_stepped_in_as_far_as_they_are_not() {
        let text = "a\nhint: b\n  c\n\n\u{1b}[31md\u{1b}[0m";
        assert_eq!(
            stepped_in(text, 2),
            "a\n  hint: b\n  c\n\n  \u{1b}[31md\u{1b}[0m"
        );
    }

    #[test]
    fn without_a_terminal_lines_stay_whole() {
        let line = "word ".repeat(100);
        assert_eq!(wrap(&line, None), line);
    }
}
