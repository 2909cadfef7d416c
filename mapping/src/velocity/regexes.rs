//! Java's `replaceAll`, `replaceFirst`, `split` and `matches`, with regular expressions.
//!
//! Errors quote nothing: a pattern may be made of a client's message, and errors are logged.

use regex_lite::Captures;

use super::bounds::{Budget, within};
use crate::pattern::Pattern;

/// Compiles a regular expression; those of Java's that need looking around or back are refused.
fn compiled(pattern: &str, is_whole: bool, budget: &mut Budget) -> Result<Pattern, String> {
    let Some(compiled) = Pattern::from_java_within(budget.left(), pattern, is_whole) else {
        budget.spend(usize::MAX)?;
        return Err("this regular expression is too large".to_owned());
    };
    let pattern =
        compiled.map_err(|why| format!("this regular expression is not supported: {why}"))?;
    budget.spend(pattern.steps_to_compile())?;
    Ok(pattern)
}

pub(super) fn matches(text: &str, pattern: &str, budget: &mut Budget) -> Result<bool, String> {
    let pattern = compiled(pattern, true, budget)?;
    budget.spend(pattern.steps(text.len()))?;
    Ok(pattern.is_match(text))
}

/// Replaces the first or all matches. In `replacement`, `$1` is a group and a backslash takes away a meaning.
pub(super) fn replace(
    text: &str,
    pattern: &str,
    replacement: &str,
    is_first_only: bool,
    budget: &mut Budget,
) -> Result<String, String> {
    let pattern = compiled(pattern, false, budget)?;
    let pieces = pieces(replacement)?;
    // Every group is copied with every state.
    let groups = pattern.regex().captures_len();
    let steps = pattern.steps(text.len());
    budget.spend(steps.saturating_mul(1 + groups / 8))?;
    let mut result = String::new();
    let mut last = 0;
    for captures in pattern.regex().captures_iter(text) {
        let Some(whole) = captures.get(0) else { break };
        budget.spend(1 + groups + replacement.len() / 64)?;
        budget.check_time()?;
        result.push_str(&text[last..whole.start()]);
        fill(&pieces, &captures, &mut result)?;
        last = whole.end();
        within(result.len())?;
        if is_first_only {
            break;
        }
    }
    result.push_str(&text[last..]);
    Ok(result)
}

pub(super) fn split(
    text: &str,
    pattern: &str,
    most: Option<usize>,
    budget: &mut Budget,
) -> Result<Vec<String>, String> {
    let pattern = compiled(pattern, false, budget)?;
    budget.spend(pattern.steps(text.len()))?;
    let most = most.filter(|most| *most > 0);
    let found = pattern.regex().splitn(text, most.unwrap_or(usize::MAX));
    let mut parts: Vec<String> = Vec::new();
    for part in found {
        budget.spend(1)?;
        budget.check_time()?;
        parts.push(part.to_owned());
    }
    // An empty match at the start gives no part, and empty parts at the end are left out.
    if parts.len() > 1
        && parts[0].is_empty()
        && pattern
            .regex()
            .find(text)
            .is_some_and(|found| found.is_empty())
    {
        parts.remove(0);
    }
    if most.is_none() {
        while parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
    }
    Ok(parts)
}

enum Piece {
    Text(char),
    Group(usize),
}

fn pieces(replacement: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut characters = replacement.chars();
    while let Some(character) = characters.next() {
        let wrong = || "the replacement ends too early".to_owned();
        pieces.push(match character {
            '\\' => Piece::Text(characters.next().ok_or_else(wrong)?),
            '$' => match characters.next().and_then(|digit| digit.to_digit(10)) {
                Some(group) => Piece::Group(group as usize),
                None => {
                    return Err("`$` in the replacement needs the number of a group".to_owned());
                }
            },
            other => Piece::Text(other),
        });
    }
    Ok(pieces)
}

fn fill(pieces: &[Piece], captures: &Captures<'_>, result: &mut String) -> Result<(), String> {
    for piece in pieces {
        match piece {
            Piece::Text(character) => result.push(*character),
            Piece::Group(group) if *group >= captures.len() => {
                return Err("the replacement names a group that does not exist".to_owned());
            }
            Piece::Group(group) => {
                result.push_str(captures.get(*group).map_or("", |found| found.as_str()));
            }
        }
    }
    Ok(())
}
