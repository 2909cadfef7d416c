//! Finds the references in a part of a template without evaluating it.

use std::collections::BTreeMap;

use super::node::{Entry, Node, Value};
use super::sub::{Piece, pieces};

/// One reference to a resource, parameter or pseudo parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) target: String,
    /// The attribute, of a `GetAtt` or `${Target.Attribute}`.
    pub(super) attribute: Option<String>,
    pub(super) line: usize,
}

/// The references of `node`. With `conditions`, only those of the branches that are taken.
pub(super) fn references(
    node: &Node,
    conditions: Option<&BTreeMap<String, bool>>,
) -> Vec<Reference> {
    let mut found = Vec::new();
    walk(node, conditions, &mut found);
    found
}

fn walk(node: &Node, conditions: Option<&BTreeMap<String, bool>>, found: &mut Vec<Reference>) {
    if let Some(Entry {
        name,
        node: argument,
        ..
    }) = node.only_entry()
    {
        match name.as_str() {
            "Ref" => {
                return found.extend(
                    argument
                        .as_text()
                        .map(|target| reference(target, argument.line)),
                );
            }
            "Fn::GetAtt" => return found.extend(attribute_reference(argument)),
            "Fn::Sub" => return walk_sub(argument, conditions, found),
            "Fn::If" => {
                if let Some([condition, then, otherwise]) = argument.as_list() {
                    let value = conditions.and_then(|all| all.get(condition.as_text()?));
                    for (branch, taken) in [(then, true), (otherwise, false)] {
                        if value.is_none_or(|value| *value == taken) {
                            walk(branch, conditions, found);
                        }
                    }
                    return;
                }
            }
            _ => {}
        }
    }
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| walk(item, conditions, found)),
        Value::Map(entries) => entries
            .iter()
            .for_each(|entry| walk(&entry.node, conditions, found)),
        Value::Null | Value::Plain(_) | Value::Text(_) => {}
    }
}

fn walk_sub(
    argument: &Node,
    conditions: Option<&BTreeMap<String, bool>>,
    found: &mut Vec<Reference>,
) {
    let (template, variables) = match argument.as_list() {
        None => (argument, None),
        Some([template, variables]) => (template, Some(variables)),
        Some(_) => return,
    };
    let own = |name: &str| variables.is_some_and(|variables| variables.child(name).is_some());
    for piece in template
        .as_text()
        .and_then(|text| pieces(text).ok())
        .unwrap_or_default()
    {
        if let Piece::Reference(name) = piece
            && !own(name)
        {
            found.push(reference(name, template.line));
        }
    }
    if let Some(variables) = variables {
        walk(variables, conditions, found);
    }
}

/// `Name` or `Name.Attribute`.
fn reference(name: &str, line: usize) -> Reference {
    match name.split_once('.') {
        Some((target, attribute)) => Reference {
            target: target.to_owned(),
            attribute: Some(attribute.to_owned()),
            line,
        },
        None => Reference {
            target: name.to_owned(),
            attribute: None,
            line,
        },
    }
}

/// The argument of a `GetAtt`, as `Name.Attribute` or as a list of both.
fn attribute_reference(argument: &Node) -> Option<Reference> {
    match argument.as_list() {
        None => argument
            .as_text()
            .map(|name| reference(name, argument.line)),
        Some([target, attribute]) => Some(Reference {
            target: target.as_text()?.to_owned(),
            // Empty if it is computed, so only known after evaluation.
            attribute: Some(attribute.as_text().unwrap_or_default().to_owned()),
            line: target.line,
        }),
        Some(_) => None,
    }
}
