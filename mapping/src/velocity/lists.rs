//! The methods of lists.

use serde_json::Value;

use super::bounds::Budget;
use super::operators::equal;
use super::print::kind;

pub(super) fn element<'v>(items: &'v [Value], index: &Value) -> Option<&'v Value> {
    items.get(usize::try_from(index.as_u64()?).ok()?)
}

/// `None` if lists have no such method.
pub(super) fn call(
    items: Vec<Value>,
    method: &str,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Option<Value>, String> {
    if let ("contains" | "indexOf", [item]) = (method, arguments) {
        budget.compare(items.len(), item)?;
    }
    Ok(Some(match (method, arguments) {
        // `count` is how AWS's own reference writes it.
        ("size" | "length" | "count", []) => items.len().into(),
        ("isEmpty", []) => items.is_empty().into(),
        ("get", [index]) => match element(&items, index) {
            Some(item) => item.clone(),
            None => {
                return Err(match index {
                    Value::Number(_) => format!("the list of {} has no such element", items.len()),
                    other => format!("an element is found by a number, not by {}", kind(other)),
                });
            }
        },
        ("contains", [item]) => items.iter().any(|one| equal(one, item)).into(),
        ("indexOf", [item]) => match items.iter().position(|one| equal(one, item)) {
            Some(index) => index.into(),
            None => (-1).into(),
        },
        ("subList", [from, to]) => {
            let bound = |value: &Value| usize::try_from(value.as_u64()?).ok();
            let part = bound(from)
                .zip(bound(to))
                .and_then(|(from, to)| items.get(from..to));
            match part {
                Some(part) => part.to_vec().into(),
                None => return Err(format!("the list of {} has no such part", items.len())),
            }
        }
        ("iterator", []) => items.into(),
        _ => return Ok(None),
    }))
}

/// Calls a method that changes the list.
pub(super) fn change(
    items: &mut Vec<Value>,
    method: &str,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Value, String> {
    // What lies behind a place is moved.
    budget.spend(items.len() / 64)?;
    if let ("remove", [item]) = (method, arguments) {
        budget.compare(items.len(), item)?;
    }
    match (method, arguments) {
        ("add", [item]) => items.push(item.clone()),
        ("add", [index, item]) => {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            match index.filter(|index| *index <= items.len()) {
                Some(index) => items.insert(index, item.clone()),
                None => return Err(format!("the list has {} elements", items.len())),
            }
        }
        ("addAll", [Value::Array(more)]) => items.extend(more.iter().cloned()),
        ("clear", []) => items.clear(),
        ("remove", [Value::Number(index)]) => {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            return match index.filter(|index| *index < items.len()) {
                Some(index) => Ok(items.remove(index)),
                None => Err(format!("the list has {} elements", items.len())),
            };
        }
        ("remove", [item]) => {
            let found = items.iter().position(|one| equal(one, item));
            if let Some(index) = found {
                items.remove(index);
            }
            return Ok(found.is_some().into());
        }
        _ => {
            return Err(format!(
                "a list has no method `{method}` with {} arguments",
                arguments.len()
            ));
        }
    }
    Ok(true.into())
}
