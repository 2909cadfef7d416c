//! The form of a function's call: how many arguments, of which kind, and where it can stand
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>).

use template_yaml::{Entry, Node, Tree};

use super::graph::names_in;
use super::problem::Problem;

/// Where a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallSite {
    /// In `Conditions`.
    Condition,
    /// In `Resources` or `Outputs`.
    Value,
}

/// What decides whether something is made, and stands in `Conditions` alone.
const DECISIONS: [&str; 4] = ["Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"];

/// The functions whose values a condition can compare.
const COMPARED: [&str; 6] = [
    "Ref",
    "Fn::FindInMap",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
];

/// Whether the key of a mapping is the name of a function.
pub(super) fn is_function(key: &str) -> bool {
    key == "Ref" || key.starts_with("Fn::")
}

/// Whether the value is a call of a function.
pub(super) fn is_call(node: &Node) -> bool {
    matches!(node.as_map(), Some([only]) if is_function(&only.key))
}

/// A call is a mapping with one key.
pub(super) fn alone(entries: &[Entry]) -> Result<(), Problem> {
    let Some(call) = entries.iter().find(|entry| is_function(&entry.key)) else {
        return Ok(());
    };
    match entries.iter().find(|entry| entry.key != call.key) {
        None => Ok(()),
        Some(other) => Err((
            other.at.clone(),
            format!(
                "`{}` cannot stand beside `{}`, which is the whole value: take one of them away",
                other.key, call.key
            ),
        )),
    }
}

/// Checks the call `entry`, which stands in `place`.
pub(super) fn check(entry: &Entry, place: CallSite) -> Result<(), Problem> {
    let name = entry.key.as_str();
    if place == CallSite::Value && DECISIONS.contains(&name) {
        let reason = format!(
            "`{name}` belongs under `Conditions`: name the condition there, and use it here with Fn::If"
        );
        return Err((entry.at.clone(), reason));
    }
    if place == CallSite::Condition && !DECISIONS.contains(&name) && !COMPARED.contains(&name) {
        let reason = format!(
            "a condition cannot use `{name}`: it compares parameters and values of mappings, by {}",
            COMPARED.join(", ")
        );
        return Err((entry.at.clone(), reason));
    }
    let is_sound = match (name, &entry.node.tree) {
        ("Ref", _) => is_text(&entry.node),
        ("Fn::GetAtt", Tree::List(items)) => {
            matches!(items.as_slice(), [id, attribute] if is_text(id) && is_value(attribute))
        }
        ("Fn::Sub", Tree::List(items)) => {
            matches!(items.as_slice(), [text, own] if text.as_text().is_some() && own.as_map().is_some())
        }
        ("Fn::Sub", _) => entry.node.as_text().is_some(),
        ("Fn::Join", Tree::List(items)) => {
            matches!(items.as_slice(), [between, all] if between.as_text().is_some() && is_list(all))
        }
        ("Fn::Split", Tree::List(items)) => {
            matches!(items.as_slice(), [at, text] if is_text(at) && is_value(text))
        }
        ("Fn::Select", Tree::List(items)) => {
            matches!(items.as_slice(), [index, all] if is_index(index) && is_list(all))
        }
        ("Fn::If", Tree::List(items)) => {
            matches!(items.as_slice(), [condition, _, _] if is_text(condition))
        }
        ("Fn::FindInMap", Tree::List(items)) => items.len() == 3 && items.iter().all(is_value),
        ("Fn::Cidr", Tree::List(items)) => (2..=3).contains(&items.len()),
        ("Fn::And" | "Fn::Or", Tree::List(items)) => (2..=10).contains(&items.len()),
        ("Fn::Equals", Tree::List(items)) => items.len() == 2,
        ("Fn::Not", Tree::List(items)) => items.len() == 1,
        ("Fn::Base64" | "Fn::GetAZs" | "Fn::ImportValue", _) => is_value(&entry.node),
        _ => false,
    };
    if !is_sound {
        let reason = format!("`{name}` {}", form(name));
        return Err((entry.at.clone(), reason));
    }
    match (name, entry.node.as_list()) {
        ("Fn::Select", Some([index, all])) => in_reach(index, all),
        ("Fn::Sub", Some([text, _])) => variables(text),
        ("Fn::Sub", None) => variables(&entry.node),
        _ => Ok(()),
    }
}

/// The form that a function has.
fn form(name: &str) -> &'static str {
    match name {
        "Ref" => {
            "takes one name, such as `!Ref Connections`; an attribute is `!GetAtt Connections.Arn`"
        }
        "Fn::GetAtt" => {
            "takes a logical id and an attribute, such as `!GetAtt Connections.Arn` or `[Connections, Arn]`"
        }
        "Fn::Sub" => {
            "takes a text, or a list of a text and a mapping: `!Sub ['${name}-x', { name: value }]`"
        }
        "Fn::Join" => "takes a separator and a list: `!Join ['-', [a, b]]`",
        "Fn::Split" => "takes a separator and a text: `!Split [',', 'a,b']`",
        "Fn::Select" => "takes a number from 0 on and a list: `!Select [0, [a, b]]`",
        "Fn::If" => "takes a condition's name and two values: `!If [Name, then, else]`",
        "Fn::FindInMap" => {
            "takes a mapping's name and two keys: `!FindInMap [Name, first, second]`"
        }
        "Fn::Cidr" => {
            "takes a block, a count and, if need be, a number of bits: `!Cidr [10.0.0.0/16, 4, 8]`"
        }
        "Fn::And" | "Fn::Or" => "takes a list of two to ten conditions",
        "Fn::Equals" => "takes a list of two values",
        "Fn::Not" => "takes a list of one condition: `!Not [!Condition Name]`",
        _ => "takes one text",
    }
}

/// A text that is not empty.
fn is_text(node: &Node) -> bool {
    node.as_text().is_some_and(|text| !text.is_empty())
}

/// A text, a number, or a function that makes one.
fn is_value(node: &Node) -> bool {
    is_call(node) || matches!(&node.tree, Tree::Scalar(value) if !value.is_null())
}

fn is_list(node: &Node) -> bool {
    is_call(node) || node.as_list().is_some()
}

fn is_index(node: &Node) -> bool {
    is_call(node) || index(node).is_some()
}

fn index(node: &Node) -> Option<usize> {
    match &node.tree {
        Tree::Scalar(value) => match value.as_str() {
            Some(text) => text.parse().ok(),
            None => value.as_u64()?.try_into().ok(),
        },
        _ => None,
    }
}

fn in_reach(at: &Node, all: &Node) -> Result<(), Problem> {
    match (index(at), all.as_list()) {
        (Some(index), Some(items)) if index >= items.len() => {
            let reason = format!(
                "the list has {} values, and the first one has the number 0: there is no number {index}",
                items.len()
            );
            Err((at.at.clone(), reason))
        }
        _ => Ok(()),
    }
}

/// What stands between `${` and `}` is a name.
fn variables(text: &Node) -> Result<(), Problem> {
    let names = names_in(text.as_text().unwrap_or_default()).into_iter();
    let is_name = |name: &str| {
        let mut all = name.chars();
        !name.is_empty() && all.all(|c| c.is_ascii_alphanumeric() || "_.:".contains(c))
    };
    match names.into_iter().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => Err((
            text.at.clone(),
            format!(
                "`${{{name}}}` in Fn::Sub is no name of letters, digits, `.` and `:`; for this text itself write `${{!{name}}}`"
            ),
        )),
    }
}
