//! A screen of a few lines that are drawn again and again.

use std::io;

use super::gate::{Sink, Stdout, Text};
use super::printable::{bounded, printable};

/// Lines on stdout that replace one another at a terminal. Elsewhere they follow one another, as often as they change.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// What is shown.
    shown: Vec<String>,
}

impl Screen {
    /// Whether lines replace one another: there is a terminal that can move its cursor.
    pub(crate) fn is_live() -> bool {
        place().is_some()
    }

    /// Shows `lines` in place of those that it has shown before.
    ///
    /// # Errors
    /// The reader has gone.
    pub(crate) fn show(&mut self, lines: &[String]) -> io::Result<()> {
        let lines = lines.iter().map(|line| printable(&bounded(line)));
        let size = place();
        let lines: Vec<_> = match size {
            Some(size) => fitting(lines.collect(), size),
            None => lines.collect(),
        };
        let outcome = match size {
            Some((columns, _)) => {
                let text = Text::from(joined(&lines)).shown();
                Stdout.redraw(rows(&self.shown, columns), &text)
            }
            None if lines == self.shown => Ok(()),
            None => Stdout.line(&Text::from(joined(&lines)).shown()),
        };
        self.shown = lines;
        outcome
    }
}

/// The columns and rows of the terminal on which lines replace one another.
fn place() -> Option<(usize, usize)> {
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    Stdout.size().filter(|_| !is_dumb)
}

/// The rows that `shown` takes where there are so many columns now: a terminal that has become narrower breaks its lines.
fn rows(shown: &[String], columns: usize) -> usize {
    let rows = shown
        .iter()
        .map(|line| line.chars().count().div_ceil(columns.max(1)).max(1));
    rows.sum()
}

fn joined(lines: &[String]) -> String {
    let ended = lines.iter().map(|line| format!("{line}\n"));
    ended.collect()
}

/// `lines` as they fit a terminal with so many columns and rows: none of them is wrapped, and the last one, which counts, is
/// always among them.
fn fitting(lines: Vec<String>, (columns, rows): (usize, usize)) -> Vec<String> {
    let cut = |line: &String| line.chars().take(columns.saturating_sub(1)).collect();
    // The cursor stands on a line of its own.
    let most = match rows {
        // A terminal that does not say how many it has.
        0 => usize::MAX,
        rows => rows.saturating_sub(1).max(1),
    };
    if lines.len() <= most {
        return lines.iter().map(cut).collect();
    }
    let hidden = lines.len() - most;
    let mut shown: Vec<String> = lines[..most - 1].iter().map(cut).collect();
    let last = lines.last().map(String::as_str).unwrap_or_default();
    shown.push(cut(&format!("… {hidden} lines more; {last}")));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_has_become_narrower_shows_the_same_lines_on_more_rows() {
        let lines = ["12345678".to_owned(), String::new(), "1234".to_owned()];
        assert_eq!(rows(&lines, 9), 3);
        assert_eq!(rows(&lines, 8), 3);
        assert_eq!(rows(&lines, 4), 4);
        assert_eq!(rows(&lines, 3), 6);
    }

    #[test]
    fn lines_are_cut_to_the_terminal_and_the_last_one_stays() {
        let lines = ["a long line", "b", "c", "3 connections"].map(str::to_owned);
        let all = fitting(lines.to_vec(), (8, 9));
        assert_eq!(all, ["a long ", "b", "c", "3 conne"]);
        let few = fitting(lines.to_vec(), (80, 3));
        assert_eq!(few, ["a long line", "… 2 lines more; 3 connections"]);
    }
}
