//! Java's `replaceAll`, `replaceFirst`, `split` and `matches`, with regular expressions.
//!
//! Errors quote nothing: a pattern may be made of what somebody said, and errors are logged.

use regex_lite::{Captures, Regex};

use super::bounds::within;

/// Compiles a regular expression; those of Java's that need looking around or back are refused.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern)
        .map_err(|error| format!("this regular expression is not supported: {error}"))
}

pub(super) fn matches(text: &str, pattern: &str) -> Result<bool, String> {
    Ok(compile(&format!("^(?:{pattern})$"))?.is_match(text))
}

/// Replaces the first or all matches. In `replacement`, `$1` is a group and a backslash takes away a meaning.
pub(super) fn replace(
    text: &str,
    pattern: &str,
    replacement: &str,
    is_first_only: bool,
) -> Result<String, String> {
    let regex = compile(pattern)?;
    let pieces = pieces(replacement)?;
    let mut result = String::new();
    let mut last = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { break };
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

pub(super) fn split(text: &str, pattern: &str, most: Option<usize>) -> Result<Vec<String>, String> {
    let regex = compile(pattern)?;
    let mut parts: Vec<String> = match most {
        Some(most) if most > 0 => regex.splitn(text, most).map(str::to_owned).collect(),
        _ => regex.split(text).map(str::to_owned).collect(),
    };
    // An empty match at the start gives no part, and empty parts at the end are left out.
    if parts.len() > 1
        && parts[0].is_empty()
        && regex.find(text).is_some_and(|found| found.is_empty())
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
                return Err(format!("there is no group {group}"));
            }
            Piece::Group(group) => {
                result.push_str(captures.get(*group).map_or("", |found| found.as_str()));
            }
        }
    }
    Ok(())
}
