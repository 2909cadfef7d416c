//! The Conditions block:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>.

use std::collections::{BTreeMap, BTreeSet};

use super::intrinsics::evaluate;
use super::node::{Entry, Node, Value};
use super::order::creation_order;
use super::problem::{Problem, Problems, TemplatePath};
use super::scope::Scope;

/// Evaluates every condition into `scope`, in the order of their references.
pub(super) fn resolve(block: Option<&Node>, scope: &mut Scope<'_>, problems: &mut Problems) {
    let top = TemplatePath::Section("Conditions");
    let entries = block
        .and_then(|block| problems.keep(block.expect_map(&top)))
        .unwrap_or_default();
    let index: BTreeMap<&str, usize> = entries
        .iter()
        .enumerate()
        .map(|(i, entry)| (entry.name.as_str(), i))
        .collect();
    let needs: Vec<BTreeSet<usize>> = entries
        .iter()
        .map(|entry| {
            let mut names = Vec::new();
            named_conditions(&entry.node, &mut names);
            names
                .into_iter()
                .filter_map(|name| index.get(name).copied())
                .collect()
        })
        .collect();
    match creation_order(&needs) {
        Err(cycle) => {
            let first = &entries[cycle[0]];
            let names: Vec<&str> = cycle
                .iter()
                .chain(&cycle[..1])
                .map(|&i| entries[i].name.as_str())
                .collect();
            let reason = format!(
                "circular dependency between conditions: {}",
                names.join(" → ")
            );
            problems.add(Problem::new(first.line, top.key(&first.name), reason));
        }
        Ok(order) => {
            for entry in order.into_iter().map(|i| &entries[i]) {
                // A failed condition is false from here on, so that it is reported once.
                let holds = problems
                    .keep(judge(&entry.node, scope, &top.key(&entry.name)))
                    .unwrap_or(false);
                scope.conditions.insert(entry.name.clone(), holds);
            }
        }
    }
}

/// Every condition that `node` refers to, by `Condition` or `Fn::If`.
fn named_conditions<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| named_conditions(item, found)),
        Value::Map(entries) => {
            for Entry { name, node, .. } in entries {
                match name.as_str() {
                    "Condition" => found.extend(node.as_text()),
                    "Fn::If" => {
                        found.extend(node.as_list().and_then(|list| list.first()?.as_text()))
                    }
                    _ => {}
                }
                named_conditions(node, found);
            }
        }
        Value::Null | Value::Plain(_) | Value::Text(_) => {}
    }
}

fn judge(node: &Node, scope: &Scope<'_>, place: &TemplatePath<'_>) -> Result<bool, Problem> {
    let problem = |reason: String| Problem::new(node.line, place, reason);
    let Some(Entry {
        name,
        node: argument,
        ..
    }) = node.only_entry()
    else {
        return Err(problem(
            "must be one of Fn::And, Fn::Equals, Fn::Not, Fn::Or, Condition".to_owned(),
        ));
    };
    let place = &place.key(name);
    let count = |allowed: std::ops::RangeInclusive<usize>| match argument.as_list() {
        Some(list) if allowed.contains(&list.len()) => Ok(list),
        _ => Err(Problem::new(
            argument.line,
            place,
            match (*allowed.start(), *allowed.end()) {
                (least, most) if least == most => format!("must be a list of {least}"),
                (least, most) => format!("must be a list of {least} to {most}"),
            },
        )),
    };
    let all = |list: &[Node], wanted: bool| {
        // Every part is evaluated, so that a mistake is reported whatever the parameters are.
        let parts = list
            .iter()
            .enumerate()
            .map(|(index, part)| judge(part, scope, &place.item(index)));
        parts
            .collect::<Result<Vec<_>, _>>()
            .map(|parts| parts.iter().all(|&part| part == wanted))
    };
    match name.as_str() {
        "Fn::And" => all(count(2..=10)?, true),
        "Fn::Or" => all(count(2..=10)?, false).map(|none| !none),
        "Fn::Not" => all(count(1..=1)?, false),
        "Fn::Equals" => {
            let sides = count(2..=2)?
                .iter()
                .map(|side| evaluate(side, scope, place))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(same(sides[0].as_ref(), sides[1].as_ref()))
        }
        "Condition" => {
            let name = argument.expect_text(place)?;
            let known = scope.conditions.get(name).copied();
            known.ok_or_else(|| problem(format!("there is no condition `{name}`")))
        }
        _ => Err(problem(format!(
            "`{name}` is not one of Fn::And, Fn::Equals, Fn::Not, Fn::Or, Condition"
        ))),
    }
}

/// Compared as strings: a number and its quoted spelling are equal.
fn same(left: Option<&Node>, right: Option<&Node>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => match (left.as_text(), right.as_text()) {
            (Some(left), Some(right)) => left == right,
            _ => left.to_json() == right.to_json(),
        },
        (left, right) => left.is_none() == right.is_none(),
    }
}
