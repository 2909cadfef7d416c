//! Reads the Resources block before its contents are evaluated.

use std::collections::BTreeMap;

use super::node::{Entry, Node};
use super::problem::{Problem, Problems, TemplatePath};
use super::resources::{KINDS, Kind};

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_RESOURCES: usize = 500;

/// A resource as the template declares it.
pub(super) struct Declared<'a> {
    pub(super) logical_id: &'a str,
    pub(super) line: usize,
    pub(super) kind: &'static Kind,
    /// `None` if the template has no properties.
    pub(super) properties: Option<&'a Node>,
    pub(super) depends_on: Vec<(&'a str, usize)>,
}

/// Whether a declared resource will be created.
pub(super) enum Existence<'a> {
    Created(Declared<'a>),
    /// Declared, but its condition is false.
    LeftOut(Declared<'a>),
}

/// Reads every resource of the block. Those with a problem are omitted, and `problems` has the reason.
pub(super) fn read<'a>(
    block: &'a Node,
    conditions: &BTreeMap<String, bool>,
    problems: &mut Problems,
) -> Vec<(&'a str, Existence<'a>)> {
    let top = TemplatePath::Section("Resources");
    let entries = problems.keep(block.expect_map(&top)).unwrap_or_default();
    if entries.is_empty() {
        problems.add(Problem::new(
            block.line,
            top,
            "at least one resource must be declared",
        ));
    }
    if entries.len() > MAX_RESOURCES {
        let reason = format!(
            "there are {} resources, {MAX_RESOURCES} at most",
            entries.len()
        );
        problems.add(Problem::new(block.line, top, reason));
        return Vec::new();
    }
    let read = |entry: &'a Entry| {
        let found = problems.keep(read_one(entry, conditions, &top.key(&entry.name)));
        found.map(|found| (entry.name.as_str(), found))
    };
    entries.iter().filter_map(read).collect()
}

/// The resources that will be created.
pub(super) fn created<'a>(resources: Vec<(&'a str, Existence<'a>)>) -> Vec<Declared<'a>> {
    let created = resources
        .into_iter()
        .filter_map(|(_, existence)| match existence {
            Existence::Created(declared) => Some(declared),
            Existence::LeftOut(_) => None,
        });
    created.collect()
}

fn read_one<'a>(
    entry: &'a Entry,
    conditions: &BTreeMap<String, bool>,
    place: &TemplatePath<'_>,
) -> Result<Existence<'a>, Problem> {
    let logical_id = entry.name.as_str();
    if logical_id.is_empty()
        || logical_id.len() > 255
        || !logical_id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Err(Problem::new(
            entry.line,
            place,
            "a logical id must have letters and digits only, 255 at most",
        ));
    }
    for attribute in entry.node.expect_map(place)? {
        check_attribute(attribute, place)?;
    }
    let text = |name: &str| {
        entry
            .node
            .child(name)
            .map(|node| {
                node.expect_text(&place.key(name))
                    .map(|text| (text, node.line))
            })
            .transpose()
    };
    let Some((name, line)) = text("Type")? else {
        return Err(Problem::new(
            entry.line,
            place,
            "the attribute `Type` is required",
        ));
    };
    let kind = KINDS
        .iter()
        .find(|kind| kind.name == name)
        .ok_or_else(|| unknown_type(name, line, place))?;
    let mut holds = true;
    if let Some((condition, line)) = text("Condition")? {
        match conditions.get(condition) {
            Some(known) => holds = *known,
            None => {
                return Err(Problem::new(
                    line,
                    place.key("Condition"),
                    format!("there is no condition `{condition}`"),
                ));
            }
        }
    }
    let depends_on = match entry.node.child("DependsOn") {
        None => Vec::new(),
        Some(node) => {
            let place = place.key("DependsOn");
            let names = node.as_list().unwrap_or(std::slice::from_ref(node)).iter();
            names
                .map(|name| Ok((name.expect_text(&place)?, name.line)))
                .collect::<Result<_, Problem>>()?
        }
    };
    let declared = Declared {
        logical_id,
        line: entry.line,
        kind,
        properties: entry.node.child("Properties"),
        depends_on,
    };
    Ok(if holds {
        Existence::Created(declared)
    } else {
        Existence::LeftOut(declared)
    })
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-product-attribute-reference.html>
fn check_attribute(attribute: &Entry, place: &TemplatePath<'_>) -> Result<(), Problem> {
    let problem = |reason: String| Err(Problem::new(attribute.line, place, reason));
    let name = attribute.name.as_str();
    let choices: &[&str] = match name {
        "Type" | "Properties" | "DependsOn" | "Condition" | "Metadata" => return Ok(()),
        "DeletionPolicy" => &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"],
        "UpdateReplacePolicy" => &["Delete", "Retain", "Snapshot"],
        "CreationPolicy" | "UpdatePolicy" => {
            return problem(format!(
                "the attribute `{name}` has no effect on the types that the local target supports"
            ));
        }
        _ => return problem(format!("`{name}` is not an attribute of a resource")),
    };
    match attribute.node.as_text() {
        Some(text) if choices.contains(&text) => Ok(()),
        _ => problem(format!("`{name}` must be one of {}", choices.join(", "))),
    }
}

fn unknown_type(name: &str, line: usize, place: &TemplatePath<'_>) -> Problem {
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let reason = format!(
        "the local target does not support the type `{name}`, only {}",
        known.join(", ")
    );
    Problem::new(line, place, reason)
}
