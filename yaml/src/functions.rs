//! The functions of a template, in their short and their long form.

use super::tree::{Node, Tree};

/// Those that need nothing but the template, by their names without `Fn::`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>). The others
/// need a transform, or belong to rules.
const FUNCTIONS: [&str; 15] = [
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
];

/// Why a function cannot be used.
fn refusal(name: &str) -> String {
    format!(
        "`{name}` is no function that an overlay can have: it can have Ref, Condition and {}; what a transform or a macro \
         makes can be pasted as its result",
        FUNCTIONS.map(|name| format!("Fn::{name}")).join(", ")
    )
}

/// The long form of the short tag `!suffix`.
///
/// # Errors
/// There is no such function.
pub(super) fn of_tag(suffix: &str) -> Result<String, String> {
    match suffix {
        "Ref" | "Condition" => Ok(suffix.to_owned()),
        known if FUNCTIONS.contains(&known) => Ok(format!("Fn::{known}")),
        other => Err(refusal(&format!("!{other}"))),
    }
}

/// Judges a key of a mapping, which is a function if it looks like one.
///
/// # Errors
/// It does, and there is no such function.
pub(super) fn check(key: &str) -> Result<(), String> {
    match key.strip_prefix("Fn::") {
        Some(name) if !FUNCTIONS.contains(&name) => Err(refusal(key)),
        _ => Ok(()),
    }
}

/// `node`, the argument of `function`, in the form that JSON needs: `Fn::GetAtt` takes a text in YAML only.
pub(super) fn argument(function: &str, node: Node) -> Node {
    let parts = match (function, node.as_text()) {
        ("Fn::GetAtt", Some(text)) => text.split_once('.'),
        _ => None,
    };
    let Some((id, attribute)) = parts else {
        return node;
    };
    let items = [id, attribute].map(|part| Node::text(node.at.clone(), part));
    Node {
        at: node.at.clone(),
        tree: Tree::List(items.into()),
    }
}
