//! The Parameters block and the values given for it:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.

use std::collections::BTreeMap;

use super::constraints::check;
use super::kind::Kind;
use super::node::{Entry, Node, Value};
use super::problem::{Problem, Problems, TemplatePath};

/// In bytes, from the page above.
const MAX_VALUE: usize = 4_096;

const PROPERTIES: [&str; 11] = [
    "Type",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "ConstraintDescription",
    "Description",
    "MaxLength",
    "MinLength",
    "MaxValue",
    "MinValue",
    "NoEcho",
];

/// The value of `Ref` for each parameter. Every problem goes into `problems`, under the parameter's name.
pub(super) fn resolve(
    block: Option<&Node>,
    given: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> BTreeMap<String, Node> {
    let top = TemplatePath::Section("Parameters");
    let entries = block
        .and_then(|block| problems.keep(block.expect_map(&top)))
        .unwrap_or_default();
    for name in given
        .keys()
        .filter(|name| entries.iter().all(|entry| entry.name != **name))
    {
        let reason = "a value was set for it, but the template does not declare it";
        problems.add(Problem::new(0, top.key(name), reason));
    }
    let mut values = BTreeMap::new();
    for entry in entries {
        let place = top.key(&entry.name);
        let resolved = resolve_one(
            entry,
            given.get(&entry.name).map(String::as_str),
            &place,
            problems,
        );
        values.extend(
            problems
                .keep(resolved)
                .map(|value| (entry.name.clone(), value)),
        );
    }
    values
}

fn resolve_one(
    entry: &Entry,
    given: Option<&str>,
    place: &TemplatePath<'_>,
    problems: &mut Problems,
) -> Result<Node, Problem> {
    let problem = |reason: String| Problem::new(entry.line, place, reason);
    if !entry.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(problem(
            "its name must have letters and digits only".to_owned(),
        ));
    }
    for property in entry.node.expect_map(place)? {
        if !PROPERTIES.contains(&property.name.as_str()) {
            let reason = format!("`{}` is not a property of a parameter", property.name);
            return Err(Problem::new(property.line, place, reason));
        }
    }
    let kind = entry
        .node
        .child("Type")
        .ok_or_else(|| problem("it needs a `Type`".to_owned()))?
        .expect_text(place)?;
    let kind = Kind::parse(kind).map_err(problem)?;
    let default = entry
        .node
        .child("Default")
        .map(|default| default.expect_text(&place.key("Default")))
        .transpose()?;
    let value = given
        .or(default)
        .ok_or_else(|| problem("it has no default, so a value must be set".to_owned()))?;
    if value.len() > MAX_VALUE {
        return Err(problem(format!(
            "its value has {} bytes, {MAX_VALUE} at most",
            value.len()
        )));
    }
    let items = kind.items(value);
    for item in &items {
        let secret = entry.node.child("NoEcho").and_then(Node::as_text) == Some("true");
        let shown = if secret {
            "the value (NoEcho)".to_owned()
        } else {
            format!("`{item}`")
        };
        check(kind, item, &shown, &entry.node, place, problems).map_err(|mut problem| {
            if let Some(description) = entry
                .node
                .child("ConstraintDescription")
                .and_then(Node::as_text)
            {
                problem.reason.push_str(&format!(" ({description})"));
            }
            problem
        })?;
    }
    let node = |item: &&str| Node {
        line: entry.line,
        value: Value::Plain((*item).to_owned()),
    };
    Ok(match (kind, items.as_slice()) {
        // A string stays a string, even if it looks like a number.
        (Kind::Text, _) => Node::text(entry.line, value),
        (Kind::Number, _) => node(&value.trim()),
        (Kind::TextList, items) => Node::list(
            entry.line,
            items
                .iter()
                .map(|item| Node::text(entry.line, *item))
                .collect(),
        ),
        (Kind::NumberList, items) => Node::list(entry.line, items.iter().map(node).collect()),
    })
}
