//! The methods of texts, those of Java's strings that templates use. Positions count characters.

use serde_json::Value;

use super::bounds::Budget;
use super::print::as_text;
use super::{bounds, regexes};

/// `None` if texts have no such method.
pub(super) fn call(
    text: &str,
    method: &str,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Option<Value>, String> {
    let shown: Vec<_> = arguments.iter().map(as_text).collect();
    let shown: Vec<&str> = shown.iter().map(AsRef::as_ref).collect();
    Ok(Some(match (method, shown.as_slice()) {
        ("length" | "size", []) => text.chars().count().into(),
        ("isEmpty", []) => text.is_empty().into(),
        ("trim", []) => text.trim().into(),
        ("toLowerCase", []) => text.to_lowercase().into(),
        ("toUpperCase", []) => text.to_uppercase().into(),
        ("contains", [part]) => text.contains(part).into(),
        ("startsWith", [part]) => text.starts_with(part).into(),
        ("endsWith", [part]) => text.ends_with(part).into(),
        ("equalsIgnoreCase", [other]) => (text.to_lowercase() == other.to_lowercase()).into(),
        ("concat", [more]) => {
            bounds::within(text.len() + more.len())?;
            format!("{text}{more}").into()
        }
        ("compareTo", [other]) => (text.cmp(other) as i8).into(),
        ("indexOf", [part]) => position(text, text.find(part)),
        ("lastIndexOf", [part]) => position(text, text.rfind(part)),
        ("charAt", [_]) => {
            let index = index(&arguments[0])?;
            match text.chars().nth(index) {
                Some(character) => character.to_string().into(),
                None => return Err("the text has no such character".to_owned()),
            }
        }
        ("substring", [_]) => substring(text, index(&arguments[0])?, None)?,
        ("substring", [_, _]) => {
            substring(text, index(&arguments[0])?, Some(index(&arguments[1])?))?
        }
        ("replace", [from, to]) => {
            let found = text.matches(from).count();
            bounds::within(text.len() + found.saturating_mul(to.len()))?;
            text.replace(from, to).into()
        }
        ("replaceAll", [pattern, by]) => regexes::replace(text, pattern, by, false, budget)?.into(),
        ("replaceFirst", [pattern, by]) => {
            regexes::replace(text, pattern, by, true, budget)?.into()
        }
        ("matches", [pattern]) => regexes::matches(text, pattern, budget)?.into(),
        ("split", [pattern]) => regexes::split(text, pattern, None, budget)?.into(),
        ("split", [pattern, _]) => {
            let most = index(&arguments[1])?;
            regexes::split(text, pattern, Some(most), budget)?.into()
        }
        _ => return Ok(None),
    }))
}

fn index(value: &Value) -> Result<usize, String> {
    value
        .as_u64()
        .and_then(|index| usize::try_from(index).ok())
        .ok_or_else(|| "this is no position in a text".to_owned())
}

fn position(text: &str, byte: Option<usize>) -> Value {
    match byte {
        Some(byte) => text[..byte].chars().count().into(),
        None => (-1).into(),
    }
}

fn substring(text: &str, from: usize, to: Option<usize>) -> Result<Value, String> {
    let length = text.chars().count();
    let to = to.unwrap_or(length);
    if from > to || to > length {
        return Err(format!("the text of {length} characters has no such part"));
    }
    Ok(text
        .chars()
        .skip(from)
        .take(to - from)
        .collect::<String>()
        .into())
}
