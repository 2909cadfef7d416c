//! Checks an overlay before anything is touched: its form, what it refers to, what chatctl relies on, and CloudFormation's
//! limits.

use serde_json::Value;
use template_yaml::{Entry, Node, Tree};

use super::names::Names;
use super::near::nearest;
use super::problem::{Problem, place_of};
use super::{functions, protected, sections, types, whole};
use crate::stack::Template;

/// Checks the overlay `root`; `base` is chatctl's template, `merged` the result, `ruled` that with the account's rules.
pub(super) fn check(
    base: &Template,
    root: &Node,
    merged: &Template,
    ruled: &Template,
) -> Result<(), Problem> {
    sections::top(root)?;
    let (base, merged) = (base.document(), merged.document());
    for section in ["Mappings", "Conditions"] {
        for entry in root.entries(section) {
            sections::name(entry)?;
            if !base[section][&entry.key].is_null() {
                let reason = format!(
                    "`{}` under `{section}` is chatctl's: choose another name for one of your own",
                    entry.key
                );
                return Err((entry.at.clone(), reason));
            }
            no_null(&entry.node)?;
            if section == "Mappings" {
                sections::mappings(entry)?;
            }
        }
    }
    for entry in root.entries("Resources") {
        match &base["Resources"][&entry.key] {
            Value::Null => own(entry, base)?,
            ours => change(entry, ours, &merged["Resources"][&entry.key])?,
        }
    }
    for entry in root.entries("Outputs") {
        sections::name(entry)?;
        if !base["Outputs"][&entry.key].is_null() {
            let reason = format!(
                "the output `{}` is chatctl's, which reads it: choose another name for one of your own",
                entry.key
            );
            return Err((entry.at.clone(), reason));
        }
        no_null(&entry.node)?;
        sections::output(entry)?;
    }
    let names = Names { merged };
    names.check_sections(root)?;
    whole::taken_routes(root, base)?;
    whole::circles(root, merged)?;
    whole::exports(root)?;
    whole::limits(root, ruled)
}

/// A resource of the overlay's own.
fn own(entry: &Entry, base: &Value) -> Result<(), Problem> {
    sections::name(entry)?;
    let Some(kind) = entry.node.entry("Type") else {
        let ids = base["Resources"].as_object().into_iter().flatten();
        let near = nearest(&entry.key, ids.map(|(id, _)| id.as_str()));
        let reason = format!(
            "this stack has no resource `{}`{near}: a change needs a logical id that `chatctl render` shows without the overlay, \
             and a resource of your own a `Type`",
            entry.key
        );
        return Err((entry.at.clone(), reason));
    };
    types::name(&kind.node)?;
    if !base["Parameters"][&entry.key].is_null() {
        let reason = format!(
            "the logical id `{}` is a parameter's of chatctl: choose another one",
            entry.key
        );
        return Err((entry.at.clone(), reason));
    }
    // In AWS GovCloud (US), permissions to write logs are policies of their own.
    let logs = entry.key.strip_suffix("Policy").unwrap_or_default();
    if base["Resources"][logs]["Type"] == "AWS::Logs::LogGroup" {
        let reason = format!(
            "the logical id `{}` is chatctl's in some Regions: choose another one",
            entry.key
        );
        return Err((entry.at.clone(), reason));
    }
    sections::resource(entry)?;
    types::tags(entry, kind.node.as_text().unwrap_or_default())?;
    no_null(&entry.node)
}

/// A change of chatctl's resource, `before` the merge and `after` it.
fn change(entry: &Entry, before: &Value, after: &Value) -> Result<(), Problem> {
    let (id, kind) = (&entry.key, before["Type"].as_str().unwrap_or_default());
    let Some(attributes) = entry.node.as_map() else {
        let reason = format!(
            "`{id}` is chatctl's and stays: only properties of it can be changed, as a mapping under `Properties`"
        );
        return Err((entry.at.clone(), reason));
    };
    for attribute in attributes {
        let place = attribute.at.clone();
        if attribute.key == "Type" && attribute.node.as_text() != Some(kind) {
            let reason = format!(
                "`{id}` is chatctl's {kind}: choose another logical id for a resource of your own, or leave `Type` out to change \
                 chatctl's"
            );
            return Err((place, reason));
        }
        if !protected::ATTRIBUTES.contains(&attribute.key.as_str()) {
            let why = protected::of_attribute(&attribute.key);
            return Err((
                place,
                format!("`{}` of {id} cannot be changed: {why}", attribute.key),
            ));
        }
        if attribute.key == "DependsOn" && attribute.node.is_null() {
            let reason = format!("`DependsOn` of {id} can only be added to");
            return Err((place, reason));
        }
        let is_mapping = attribute.node.as_map().is_some() && !functions::is_call(&attribute.node);
        if matches!(attribute.key.as_str(), "Properties" | "Metadata") && !is_mapping {
            return Err((place, format!("`{}` must be a mapping", attribute.key)));
        }
    }
    for part in protected::fixed_parts(kind, before, after) {
        if before.pointer(&part.pointer) != after.pointer(&part.pointer) {
            let name = part
                .pointer
                .trim_start_matches("/Properties/")
                .replace('/', ".");
            let reason = format!("`{name}` of {id} cannot be changed: {}", part.why);
            return Err((place_of(entry, &part.pointer), reason));
        }
    }
    let definitions = |resource: &Value| {
        let all = resource["Properties"]["AttributeDefinitions"].as_array();
        all.cloned().unwrap_or_default()
    };
    let now = definitions(after);
    if kind == "AWS::DynamoDB::Table" && !definitions(before).iter().all(|one| now.contains(one)) {
        let reason = format!("`AttributeDefinitions` of {id}: {}", protected::DEFINITIONS);
        return Err((place_of(entry, "/Properties/AttributeDefinitions"), reason));
    }
    types::tags(entry, kind)?;
    nothing_to_remove(entry, &entry.node, before)
}

/// A removal of what is not there is a mistake in writing.
fn nothing_to_remove(entry: &Entry, node: &Node, before: &Value) -> Result<(), Problem> {
    for member in node.as_map().unwrap_or_default() {
        let there = before.get(&member.key);
        if member.node.is_null() && there.is_none() {
            let reason = format!(
                "{} has no `{}` that could be removed",
                entry.key, member.key
            );
            return Err((member.at.clone(), reason));
        }
        match there {
            Some(there @ Value::Object(_)) => nothing_to_remove(entry, &member.node, there)?,
            _ if member.node.is_null() => {}
            _ => no_null(&member.node)?,
        }
    }
    Ok(())
}

/// CloudFormation takes no null.
fn no_null(node: &Node) -> Result<(), Problem> {
    match &node.tree {
        Tree::Scalar(Value::Null) => {
            let reason = "CloudFormation takes no empty value: write one, or leave the key out";
            Err((node.at.clone(), reason.into()))
        }
        Tree::Scalar(_) => Ok(()),
        Tree::List(items) => items.iter().try_for_each(no_null),
        Tree::Map(entries) => entries
            .iter()
            .try_for_each(|entry| match entry.node.is_null() {
                true => no_null(&Node {
                    at: entry.at.clone(),
                    ..entry.node.clone()
                }),
                false => no_null(&entry.node),
            }),
    }
}
