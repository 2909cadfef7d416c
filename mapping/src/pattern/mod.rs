//! Regular expressions with bounded work. Pure.
//!
//! At worst, the engine looks at each character once for each state of the compiled expression. Counted repetitions are
//! expanded, so `((a?){200}){20}` has thousands of states although it is short: the compiled size counts, never the
//! length of the expression.

mod java;

use regex_lite::{Regex, RegexBuilder};

/// The pairs of a state and a byte in one step. A step takes about half a microsecond in a release build.
const PAIRS_PER_STEP: usize = 64;

/// A state's bytes in the engine.
const STATE_BYTES: usize = 32;

/// The smallest and the largest size that is tried, in bytes. The largest is some 60,000 states.
const MIN_BYTES: usize = 1024;
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The longest expression, in bytes. Parsing one takes many times its length in memory.
const MAX_LENGTH: usize = 32 * 1024;

/// A compiled regular expression, and its size.
///
/// ```
/// use apigw_mapping::Pattern;
///
/// let pattern = Pattern::from_java(r"\p{Alpha}+-[a-z\d-_]+")?;
/// assert!(pattern.is_match("room-a_1"));
/// assert!(pattern.steps(1_000_000) > pattern.steps(1_000));
/// # Ok::<(), apigw_mapping::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    states: usize,
}

/// Why an expression cannot be used. It displays as a reason, which may quote the expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Java supports it, and the engine does not: look-around, back references, classes of Unicode.
    #[error("{0}")]
    Unsupported(String),
    /// It is no expression, or too large a one.
    #[error("{0}")]
    Invalid(String),
}

impl From<java::Unsupported> for PatternError {
    fn from(unsupported: java::Unsupported) -> Self {
        Self::Unsupported(unsupported.text)
    }
}

impl Pattern {
    /// Compiles `pattern`, which may match anywhere in a text.
    fn compile(pattern: &str) -> Result<Self, PatternError> {
        Self::compile_within(usize::MAX, pattern)
            .unwrap_or_else(|| invalid("compiled regex exceeded size limit"))
    }

    /// Like [`Self::compile`]; `None` if that costs more than `steps`.
    fn compile_within(steps: usize, pattern: &str) -> Option<Result<Self, PatternError>> {
        if pattern.len() > MAX_LENGTH {
            return Some(invalid("it has more than 32 KB"));
        }
        // The engine does not report the size, but refuses expressions above a given one. So a size is known to a
        // factor of two, and all attempts together take twice the time of the last one.
        let mut size = MIN_BYTES;
        loop {
            if steps_to_compile(size) > steps {
                return None;
            }
            match RegexBuilder::new(pattern).size_limit(size).build() {
                Ok(regex) => {
                    let states = size / STATE_BYTES;
                    return Some(Ok(Self { regex, states }));
                }
                Err(error) if size >= MAX_BYTES || !error.to_string().contains("size limit") => {
                    return Some(invalid(&error.to_string()));
                }
                Err(_) => size *= 2,
            }
        }
    }

    /// Compiles `pattern`, which must match the whole text, as Java's `matches` does.
    fn whole(pattern: &str) -> Result<Self, PatternError> {
        Self::compile(&whole(pattern))
    }

    /// Compiles `pattern`, which is in Java's dialect and must match the whole text.
    ///
    /// # Errors
    /// [`PatternError::Unsupported`] with the part that is not supported, [`PatternError::Invalid`] for the rest.
    pub fn from_java(pattern: &str) -> Result<Self, PatternError> {
        Self::whole(&java::translated(pattern)?)
    }

    /// Compiles an expression in Java's dialect that may match anywhere in a text, as the patterns of JSON schemas may.
    ///
    /// # Errors
    /// As [`from_java`](Self::from_java).
    pub fn from_java_anywhere(pattern: &str) -> Result<Self, PatternError> {
        Self::compile(&java::translated(pattern)?)
    }

    /// Whether `text` matches. Costs [`steps`](Self::steps) of its length at most.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Compiles like [`Self::from_java`], or with a match anywhere unless `is_whole`; `None` if compiling costs more than
    /// `steps`. The error quotes nothing of the expression.
    pub(crate) fn from_java_within(
        steps: usize,
        pattern: &str,
        is_whole: bool,
    ) -> Option<Result<Self, String>> {
        let translated = match java::translated(pattern) {
            Ok(pattern) if is_whole => whole(&pattern),
            Ok(pattern) => pattern,
            Err(unsupported) => return Some(Err(unsupported.into_unquoted())),
        };
        // The engine's own errors have no part of the expression.
        let compiled = Self::compile_within(steps, &translated)?;
        Some(compiled.map_err(|error| error.to_string()))
    }

    /// The largest cost of one search through `bytes` of text, in steps. A step takes about half a microsecond in a release build.
    pub fn steps(&self, bytes: usize) -> usize {
        (self.states.saturating_mul(bytes) / PAIRS_PER_STEP).saturating_add(1)
    }

    /// The engine's own, for what costs more than [`steps`](Self::steps) says.
    pub(crate) fn regex(&self) -> &Regex {
        &self.regex
    }

    /// The cost of compiling it, in steps.
    pub(crate) fn steps_to_compile(&self) -> usize {
        steps_to_compile(self.states * STATE_BYTES)
    }
}

/// One for each state, which is written several times.
fn steps_to_compile(size: usize) -> usize {
    size / STATE_BYTES
}

fn whole(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}

fn invalid<T>(why: &str) -> Result<T, PatternError> {
    Err(PatternError::Invalid(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_charge_grows_with_the_compiled_size_and_with_the_text() {
        let small = Pattern::compile("a").unwrap();
        let nested = Pattern::compile("((a?){200}){20}b").unwrap();
        assert!(small.steps(32 * 1024) < 32 * 1024, "{small:?}");
        assert!(nested.steps(32 * 1024) > 2_000_000, "{}", nested.states);
        assert_eq!(nested.steps(0), 1);
        assert!(nested.steps(2048) >= 2 * nested.steps(1024) - 1);
        assert!(nested.steps_to_compile() > 100 * small.steps_to_compile());
        let in_passing = |pattern| Pattern::from_java_within(20_000, pattern, true);
        assert!(in_passing("((a?){200}){20}b").is_none());
        assert!(in_passing("[a-z]+").is_some_and(|compiled| compiled.is_ok()));
    }

    #[test]
    fn expressions_that_are_too_large_are_refused_before_they_fill_the_memory() {
        for pattern in [
            "((((a{100}){100}){100}){100}){100}",
            "(((((){1000}){1000}){1000}){1000}){1000}",
            "[a-z]{1000}{1000}",
            &"a|".repeat(1_000_000),
        ] {
            assert!(Pattern::compile(pattern).is_err(), "{:.40}", pattern);
        }
    }

    #[test]
    fn a_whole_match_leaves_nothing_out() {
        let pattern = Pattern::whole("a|b").unwrap();
        assert!(pattern.is_match("b"));
        assert!(!pattern.is_match("ab"));
    }
}
