//! Dynamic references in properties, `{{resolve:service:key}}`:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.

use std::collections::BTreeMap;

use super::node::{Node, Value};
use super::problem::{Problem, TemplatePath};
use super::scope::Scope;

const START: &str = "{{resolve:";
const END: &str = "}}";

/// Inserts the values of `references`. It runs after the functions, which may have composed a reference. A value is not
/// searched for further references, and a reference without a value stays unchanged.
pub(super) fn resolve(
    node: &mut Node,
    references: &BTreeMap<String, String>,
    scope: &Scope<'_>,
    place: &TemplatePath<'_>,
) -> Result<(), Problem> {
    if references.is_empty() {
        return Ok(());
    }
    match &mut node.value {
        Value::Plain(text) | Value::Text(text) => {
            if let Some(resolved) = replaced(text, references) {
                node.value = Value::Text(scope.spend(&resolved, node.line, place)?);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                resolve(item, references, scope, &place.item(index))?;
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                resolve(&mut entry.node, references, scope, &place.key(&entry.name))?;
            }
        }
        Value::Null => {}
    }
    Ok(())
}

/// `text` with the values inserted; `None` if it contains no reference with a value.
fn replaced(text: &str, references: &BTreeMap<String, String>) -> Option<String> {
    let mut resolved = String::new();
    let (mut rest, mut found) = (text, false);
    while let Some((before, from)) = rest.split_once(START) {
        resolved.push_str(before);
        let Some((key, after)) = from.split_once(END) else {
            resolved.push_str(START);
            rest = from;
            continue;
        };
        match references.get(key) {
            Some(value) => {
                resolved.push_str(value);
                found = true;
            }
            None => {
                resolved.push_str(START);
                resolved.push_str(key);
                resolved.push_str(END);
            }
        }
        rest = after;
    }
    resolved.push_str(rest);
    found.then_some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_in_every_place_and_values_are_literal() {
        let references = BTreeMap::from([
            ("ssm:a".to_owned(), "{{resolve:ssm:b}}".to_owned()),
            ("ssm:b".to_owned(), "two".to_owned()),
        ]);
        for (text, resolved) in [
            ("'{{resolve:ssm:b}}'", Some("'two'")),
            (
                "{{resolve:ssm:a}} and {{resolve:ssm:b}}",
                Some("{{resolve:ssm:b}} and two"),
            ),
            (
                "{{resolve:ssm:c}}{{resolve:ssm:b}}",
                Some("{{resolve:ssm:c}}two"),
            ),
            ("{{resolve:ssm:c}}", None),
            ("{{resolve:ssm:b", None),
            ("{{resolve:{{resolve:ssm:b}}", None),
            ("plain", None),
        ] {
            assert_eq!(replaced(text, &references).as_deref(), resolved, "{text}");
        }
    }
}
