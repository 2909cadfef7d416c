//! Regular expressions with bounded work. Pure.
//!
//! At worst, the engine looks at each character once for each state of the compiled expression. Counted repetitions are
//! expanded, so `((a?){200}){20}` has thousands of states although it is short: the compiled size counts, never the
//! length of the expression.

mod java;

use std::ops::Deref;

use regex_lite::{Regex, RegexBuilder};

/// The pairs of a state and a byte in one step. A step takes about half a microsecond in a release build.
const PAIRS_PER_STEP: usize = 64;

/// A state's bytes in the engine.
const STATE_BYTES: usize = 32;

/// The smallest and the largest size that is tried, in bytes. The largest is some 60,000 states.
const SMALLEST: usize = 1024;
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The longest expression, in bytes. Parsing one takes many times its length in memory.
const MAX_LENGTH: usize = 32 * 1024;

/// A compiled regular expression, and its size.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    regex: Regex,
    states: usize,
}

impl Pattern {
    /// Compiles `pattern`, which may match anywhere in a text. The error is the reason why it cannot be used.
    pub(crate) fn compile(pattern: &str) -> Result<Self, String> {
        Self::compile_within(usize::MAX, pattern)
            .unwrap_or_else(|| Err("compiled regex exceeded size limit".to_owned()))
    }

    /// Like [`Self::compile`]; `None` if that costs more than `steps`.
    fn compile_within(steps: usize, pattern: &str) -> Option<Result<Self, String>> {
        if pattern.len() > MAX_LENGTH {
            return Some(Err("it has more than 32 KB".to_owned()));
        }
        // The engine does not report the size, but refuses expressions above a given one. So a size is known to a
        // factor of two, and all attempts together take twice the time of the last one.
        let mut size = SMALLEST;
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
                    return Some(Err(error.to_string()));
                }
                Err(_) => size *= 2,
            }
        }
    }

    /// Compiles `pattern`, which must match the whole text, as Java's `matches` does.
    pub(crate) fn whole(pattern: &str) -> Result<Self, String> {
        Self::compile(&whole(pattern))
    }

    /// Like [`Self::whole`], for an expression in Java's dialect. The error names the unsupported part.
    pub(crate) fn from_java(pattern: &str) -> Result<Self, String> {
        Self::whole(&java::translated(pattern)?)
    }

    /// Compiles an expression in Java's dialect that may match anywhere in a text, as the patterns of models may. The
    /// outer error names the unsupported part, the inner one says why it is not a regular expression at all.
    pub(crate) fn from_java_anywhere(pattern: &str) -> Result<Result<Self, String>, String> {
        Ok(Self::compile(&java::translated(pattern)?))
    }

    /// Compiles like [`Self::from_java`], or with a match anywhere unless `is_whole`; `None` if compiling costs more than
    /// `steps`.
    pub(crate) fn from_java_within(
        steps: usize,
        pattern: &str,
        is_whole: bool,
    ) -> Option<Result<Self, String>> {
        match java::translated(pattern) {
            Ok(pattern) if is_whole => Self::compile_within(steps, &whole(&pattern)),
            Ok(pattern) => Self::compile_within(steps, &pattern),
            Err(why) => Some(Err(why)),
        }
    }

    /// The largest cost of one search through `bytes` of text, in steps.
    pub(crate) fn steps(&self, bytes: usize) -> usize {
        (self.states.saturating_mul(bytes) / PAIRS_PER_STEP).saturating_add(1)
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

impl Deref for Pattern {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        &self.regex
    }
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
