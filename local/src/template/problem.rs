//! Problems of a template, with their places.

use std::fmt;

/// Deeper nesting has no use in a template, and recursion must be bounded.
pub(super) const MAX_DEPTH: usize = 64;

/// The most problems that are shown. The others are only counted.
const MAX_SHOWN: usize = 20;

/// The most characters of a name or reason that are shown: a key may have megabytes.
const MAX_LENGTH: usize = 1_000;

/// Why a template was not resolved: every problem that could be found at once, in template order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateError {
    /// At least one, at most 1,000.
    pub problems: Vec<Problem>,
    /// The number of further ones.
    pub more: usize,
}

/// A problem of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Counted from 1; `None` for a problem of what the template does not contain.
    pub line: Option<usize>,
    /// For example `Resources.Stage.Properties.StageName`; empty for the whole template.
    pub place: String,
    /// The problem and its remedy.
    pub reason: String,
}

impl Problem {
    pub(super) fn new(line: usize, place: impl fmt::Display, reason: impl Into<String>) -> Self {
        Self {
            line: (line > 0).then_some(line),
            place: place.to_string(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", Cut(&self.place))?;
        }
        Cut(&self.reason).fmt(f)
    }
}

/// The beginning of a text, up to the limit.
struct Cut<'a>(&'a str);

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MAX_LENGTH) {
            Some((end, _)) => write!(f, "{}…", &self.0[..end]),
            None => f.write_str(self.0),
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] if self.more == 0 => write!(f, "the template cannot be used: {one}"),
            many => {
                let count = many.len() + self.more;
                write!(f, "the template cannot be used, for {count} reasons:")?;
                let mut shown = many.iter().take(MAX_SHOWN);
                shown.try_for_each(|problem| write!(f, "\n  {problem}"))?;
                match count.checked_sub(MAX_SHOWN) {
                    Some(more @ 1..) => write!(f, "\n  … and {more} more"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for TemplateError {}

impl From<Problem> for TemplateError {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            more: 0,
        }
    }
}

/// The most problems and notes that are kept: a hostile template can have one in each of its bytes.
const MAX: usize = 1000;

/// Collects problems, so that one run of the reader reports as many as it can.
#[derive(Debug, Default)]
pub(super) struct Problems {
    kept: Vec<Problem>,
    /// The number of problems beyond the limit.
    more: usize,
    notes: Vec<Problem>,
}

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        if self.kept.len() < MAX {
            self.kept.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Adds a note: a setting that AWS accepts but that has no effect, or one that cannot be checked here.
    pub(super) fn note(&mut self, note: Problem) {
        if self.notes.len() < MAX {
            self.notes.push(note);
        }
    }

    /// All notes, in template order.
    pub(super) fn into_notes(mut self) -> Vec<String> {
        self.notes.sort_by_key(|note| note.line.unwrap_or(0));
        self.notes.iter().map(ToString::to_string).collect()
    }

    /// Returns the value of `result`, and records its problem.
    pub(super) fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// Ends a phase; fails if it had problems.
    pub(super) fn settle(&mut self) -> Result<(), TemplateError> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let mut problems = std::mem::take(&mut self.kept);
        problems.sort_by_key(|problem| problem.line.unwrap_or(0));
        Err(TemplateError {
            problems,
            more: std::mem::take(&mut self.more),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len() + self.more
    }
}

/// A place in the template, as a path that is only built when it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum TemplatePath<'a> {
    Section(&'a str),
    Key(&'a TemplatePath<'a>, &'a str),
    Item(&'a TemplatePath<'a>, usize),
}

impl<'a> TemplatePath<'a> {
    pub(super) fn key(&'a self, name: &'a str) -> Self {
        TemplatePath::Key(self, name)
    }

    pub(super) fn item(&'a self, index: usize) -> Self {
        TemplatePath::Item(self, index)
    }
}

impl fmt::Display for TemplatePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplatePath::Section(name) => f.write_str(name),
            TemplatePath::Key(parent, name) => write!(f, "{parent}.{name}"),
            TemplatePath::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A problem of the template as a whole.
pub(super) fn whole(line: usize, reason: impl Into<String>) -> Problem {
    Problem::new(line, "", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(problems: usize, reason: &str) -> String {
        let mut all = Problems::default();
        for line in 1..=problems {
            all.add(Problem::new(line, "Place", reason));
        }
        all.settle().unwrap_err().to_string()
    }

    #[test]
    fn the_first_twenty_of_many_problems_are_shown_and_the_rest_is_counted() {
        let many = reported(90_001, "wrong");
        assert!(many.starts_with("the template cannot be used, for 90001 reasons:\n  line 1: "));
        assert!(
            many.ends_with("\n  line 20: Place: wrong\n  … and 89981 more"),
            "{many}"
        );
        assert!(reported(20, "wrong").ends_with("\n  line 20: Place: wrong"));
        assert!(reported(21, "wrong").ends_with("\n  … and 1 more"));
    }

    #[test]
    fn a_reason_of_megabytes_is_cut_between_characters() {
        let one = reported(1, &"é".repeat(1_000_000));
        assert!(one.ends_with("é…") && one.chars().count() < 1_100);
    }
}
