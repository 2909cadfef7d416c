//! The methods of maps.

use serde_json::{Map, Value, json};

use super::bounds::Budget;
use super::operators::equal;
use super::print::as_text;

/// `None` if maps have no such method.
pub(super) fn call(
    members: &Map<String, Value>,
    method: &str,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Option<Value>, String> {
    if let ("containsValue", [value]) = (method, arguments) {
        budget.compare(members.len(), value)?;
    }
    let member = |key: &Value| members.get(as_text(key).as_ref());
    Ok(Some(match (method, arguments) {
        ("size" | "length" | "count", []) => members.len().into(),
        ("isEmpty", []) => members.is_empty().into(),
        ("get", [key]) => member(key).cloned().unwrap_or_default(),
        ("getOrDefault", [key, otherwise]) => member(key).unwrap_or(otherwise).clone(),
        ("containsKey", [key]) => member(key).is_some().into(),
        ("containsValue", [value]) => members.values().any(|one| equal(one, value)).into(),
        ("keySet", []) => members.keys().map(String::as_str).collect(),
        ("values", []) => members.values().cloned().collect(),
        ("entrySet", []) => members
            .iter()
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect(),
        // Of the entries above.
        ("getKey", []) => members.get("key").cloned().unwrap_or_default(),
        ("getValue", []) => members.get("value").cloned().unwrap_or_default(),
        _ => return Ok(None),
    }))
}

/// Calls a method that changes the map.
pub(super) fn change(
    members: &mut Map<String, Value>,
    method: &str,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Value, String> {
    // What lies behind a removed member is moved.
    budget.spend(members.len() / 16)?;
    Ok(match (method, arguments) {
        ("put", [key, value]) => members
            .insert(as_text(key).into_owned(), value.clone())
            .unwrap_or_default(),
        ("putAll", [Value::Object(more)]) => {
            members.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
            Value::Null
        }
        ("remove", [key]) => members
            .shift_remove(as_text(key).as_ref())
            .unwrap_or_default(),
        ("clear", []) => {
            members.clear();
            Value::Null
        }
        _ => {
            return Err(format!(
                "a map has no method `{method}` with {} arguments",
                arguments.len()
            ));
        }
    })
}
