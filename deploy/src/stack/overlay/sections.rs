//! The form of an overlay's sections, before anything is merged.

use template_yaml::{Entry, Node, Tree};

use super::functions::is_call;
use super::problem::Problem;
use super::types;

/// The longest logical id.
const MAX_ID: usize = 255;

/// Checks the top level.
pub(super) fn top(root: &Node) -> Result<(), Problem> {
    let Some(entries) = root.as_map() else {
        let reason =
            "an overlay is a mapping with `Resources`, `Outputs`, `Conditions` and `Mappings`";
        return Err((root.at.clone(), reason.into()));
    };
    for entry in entries {
        let reason = match entry.key.as_str() {
            "Resources" | "Outputs" | "Conditions" | "Mappings" => {
                if entry.node.as_map().is_none() && !entry.node.is_null() {
                    return Err((
                        entry.at.clone(),
                        format!("`{}` must be a mapping", entry.key),
                    ));
                }
                continue;
            }
            "AWSTemplateFormatVersion" if entry.node.as_text() == Some("2010-09-09") => continue,
            "AWSTemplateFormatVersion" => "the only version there is, is 2010-09-09",
            "Parameters" => {
                "a deployment gives values only to chatctl's parameters: write the value where it is used, or into `Mappings`"
            }
            "Transform" => "an overlay cannot have a transform or a macro: paste what it makes",
            "Rules" | "Hooks" => {
                "an overlay cannot have this section: it is about parameters and other deployments"
            }
            "Description" | "Metadata" => {
                "this is chatctl's: by the description it finds its own stacks; leave it out, and write a comment"
            }
            other if has_type(&entry.node) => {
                return Err((
                    entry.at.clone(),
                    format!("the resource `{other}` belongs under `Resources`"),
                ));
            }
            _ => "an overlay has only `Resources`, `Outputs`, `Conditions` and `Mappings`",
        };
        return Err((entry.at.clone(), format!("`{}`: {reason}", entry.key)));
    }
    Ok(())
}

fn has_type(node: &Node) -> bool {
    node.child("Type").is_some()
}

/// Checks the name of an entry in any section.
pub(super) fn name(entry: &Entry) -> Result<(), Problem> {
    let is_id = !entry.key.is_empty()
        && entry.key.len() <= MAX_ID
        && entry.key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_id {
        true => Ok(()),
        false => Err((
            entry.at.clone(),
            format!(
                "`{}` is no logical id: letters and digits only, {MAX_ID} at most",
                entry.key
            ),
        )),
    }
}

/// The form of an own resource
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-product-attribute-reference.html>).
pub(super) fn resource(entry: &Entry) -> Result<(), Problem> {
    for attribute in mapping(entry)? {
        let place = attribute.at.clone();
        let choices: &[&str] = match attribute.key.as_str() {
            "Type" | "DependsOn" | "Condition" => continue,
            "Properties" | "Metadata" | "CreationPolicy" | "UpdatePolicy" => {
                // Each value below can be a function, but not the mapping itself.
                if attribute.node.as_map().is_none() || is_call(&attribute.node) {
                    return Err((place, format!("`{}` must be a mapping", attribute.key)));
                }
                continue;
            }
            "DeletionPolicy" => &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"],
            "UpdateReplacePolicy" => &["Delete", "Retain", "Snapshot"],
            other => {
                let reason = format!(
                    "`{other}` is not an attribute of a resource; properties belong under `Properties`"
                );
                return Err((place, reason));
            }
        };
        let is_one = attribute
            .node
            .as_text()
            .is_some_and(|text| choices.contains(&text));
        if !is_one {
            let reason = format!("`{}` is one of {}", attribute.key, choices.join(", "));
            return Err((attribute.node.at.clone(), reason));
        }
        let kind = entry
            .node
            .child("Type")
            .and_then(Node::as_text)
            .unwrap_or_default();
        if attribute.node.as_text() == Some("Snapshot") && !types::has_snapshots(kind) {
            let reason = format!("of {kind} no snapshot can be kept: choose Delete or Retain");
            return Err((attribute.node.at.clone(), reason));
        }
    }
    Ok(())
}

/// The form of an output
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>).
pub(super) fn output(entry: &Entry) -> Result<(), Problem> {
    for property in mapping(entry)? {
        if !["Description", "Value", "Export", "Condition"].contains(&property.key.as_str()) {
            let reason = format!("`{}` is not a property of an output", property.key);
            return Err((property.at.clone(), reason));
        }
    }
    let text = |name: &str| {
        entry
            .node
            .child(name)
            .filter(|node| node.as_text().is_none())
    };
    if let Some(description) = text("Description") {
        let reason = "`Description` is a text, without functions";
        return Err((description.at.clone(), reason.into()));
    }
    if let Some(export) = entry.node.entry("Export") {
        let is_name = matches!(export.node.as_map(), Some([only]) if only.key == "Name");
        if !is_name {
            let reason = "an export has one key: `Export: { Name: … }`";
            return Err((export.at.clone(), reason.into()));
        }
    }
    match entry.node.child("Value") {
        Some(value) if is_call(value) || matches!(value.tree, Tree::Scalar(_)) => Ok(()),
        Some(value) => Err((
            value.at.clone(),
            "the value of an output is one text: join a list with Fn::Join".into(),
        )),
        None => Err((
            entry.at.clone(),
            format!("the output `{}` needs a `Value`", entry.key),
        )),
    }
}

/// Two levels of keys, and then texts or lists of them.
pub(super) fn mappings(entry: &Entry) -> Result<(), Problem> {
    for first in mapping(entry)? {
        for second in mapping(first)? {
            let is_literal = match &second.node.tree {
                Tree::Scalar(_) => true,
                Tree::List(items) => items
                    .iter()
                    .all(|item| matches!(item.tree, Tree::Scalar(_))),
                Tree::Map(_) => false,
            };
            if !is_literal {
                let reason = format!(
                    "`{}` in a mapping is a text or a list of texts, without functions and further keys",
                    second.key
                );
                return Err((second.at.clone(), reason));
            }
        }
    }
    Ok(())
}

fn mapping(entry: &Entry) -> Result<&[Entry], Problem> {
    entry.node.as_map().ok_or_else(|| {
        (
            entry.at.clone(),
            format!("`{}` must be a mapping", entry.key),
        )
    })
}
