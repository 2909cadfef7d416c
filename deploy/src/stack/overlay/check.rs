//! Checks an overlay before anything is touched: its form, what it refers to, what chatctl relies on, and CloudFormation's
//! limits.

use serde_json::Value;

use super::graph::{self, Use};
use super::problem::{Problem, place_of};
use super::{kept, sections, whole};
use crate::config::overlay::{Entry, Node, Tree};
use crate::stack::Template;

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>
const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

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
    let is_type = kind.node.as_text().is_some_and(|text| text.contains("::"));
    if !is_type {
        let reason = "a type has a form such as AWS::SQS::Queue";
        return Err((kind.node.at.clone(), reason.into()));
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
        if !kept::ATTRIBUTES.contains(&attribute.key.as_str()) {
            let why = kept::of_attribute(&attribute.key);
            return Err((
                place,
                format!("`{}` of {id} cannot be changed: {why}", attribute.key),
            ));
        }
        if attribute.key == "DependsOn" && attribute.node.is_null() {
            let reason = format!("`DependsOn` of {id} can only be added to");
            return Err((place, reason));
        }
        let is_mapping = attribute.node.as_map().is_some();
        if matches!(attribute.key.as_str(), "Properties" | "Metadata") && !is_mapping {
            return Err((place, format!("`{}` must be a mapping", attribute.key)));
        }
    }
    for part in kept::of(kind, before, after) {
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
        let reason = format!("`AttributeDefinitions` of {id}: {}", kept::DEFINITIONS);
        return Err((place_of(entry, "/Properties/AttributeDefinitions"), reason));
    }
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

/// What a template defines.
struct Names<'a> {
    merged: &'a Value,
}

impl Names<'_> {
    fn has(&self, section: &str, name: &str) -> bool {
        !self.merged[section][name].is_null()
    }

    fn check_sections(&self, root: &Node) -> Result<(), Problem> {
        for entry in root.entries("Conditions") {
            self.check_condition(&entry.node)?;
        }
        for entry in root
            .entries("Resources")
            .iter()
            .chain(root.entries("Outputs"))
        {
            if let Some(condition) = entry.node.child("Condition") {
                self.condition(condition)?;
            }
            if let Some(waits) = entry.node.child("DependsOn") {
                for id in waits.as_list().unwrap_or(std::slice::from_ref(waits)) {
                    let name = id.as_text().unwrap_or_default();
                    self.found(&Use::Resource(name.to_owned()), id)?;
                }
            }
            self.check(&entry.node)?;
        }
        Ok(())
    }

    /// Every reference in `node`.
    fn check(&self, node: &Node) -> Result<(), Problem> {
        match &node.tree {
            Tree::Scalar(_) => Ok(()),
            Tree::List(items) => items.iter().try_for_each(|item| self.check(item)),
            Tree::Map(entries) => entries.iter().try_for_each(|entry| {
                for used in graph::uses_of(&entry.key, &entry.node.to_json()) {
                    self.found(&used, &entry.node)?;
                }
                self.check(&entry.node)
            }),
        }
    }

    /// A condition, which can use parameters, mappings and other conditions.
    fn check_condition(&self, node: &Node) -> Result<(), Problem> {
        if let Some([Entry { key, node, .. }]) = node.as_map()
            && key == "Condition"
        {
            return self.condition(node);
        }
        let parts: Vec<&Node> = match &node.tree {
            Tree::Scalar(_) => Vec::new(),
            Tree::List(items) => items.iter().collect(),
            Tree::Map(entries) => entries.iter().map(|entry| &entry.node).collect(),
        };
        for entry in node.as_map().unwrap_or_default() {
            let uses = graph::uses_of(&entry.key, &entry.node.to_json());
            for used in uses {
                if let Use::Resource(id) | Use::Name(id) = &used
                    && self.has("Resources", id)
                {
                    let reason = format!(
                        "a condition cannot use the resource `{id}`, only parameters and mappings"
                    );
                    return Err((entry.node.at.clone(), reason));
                }
                self.found(&used, &entry.node)?;
            }
        }
        parts
            .into_iter()
            .try_for_each(|part| self.check_condition(part))
    }

    fn condition(&self, node: &Node) -> Result<(), Problem> {
        match node.as_text() {
            Some(name) => self.found(&Use::Condition(name.to_owned()), node),
            None => Err((node.at.clone(), "a condition is named by a text".into())),
        }
    }

    fn found(&self, used: &Use, node: &Node) -> Result<(), Problem> {
        let (name, is_there, what, sections): (_, _, _, &[&str]) = match used {
            Use::Name(name) => {
                let is_there = PSEUDO_PARAMETERS.contains(&name.as_str())
                    || self.has("Resources", name)
                    || self.has("Parameters", name);
                (
                    name,
                    is_there,
                    "resource or parameter",
                    &["Resources", "Parameters"],
                )
            }
            Use::Resource(name) => (
                name,
                self.has("Resources", name),
                "resource",
                &["Resources"],
            ),
            Use::Condition(name) => (
                name,
                self.has("Conditions", name),
                "condition",
                &["Conditions"],
            ),
            Use::Mapping(name) => (name, self.has("Mappings", name), "mapping", &["Mappings"]),
        };
        if is_there {
            return Ok(());
        }
        let known = sections.iter().flat_map(|section| {
            let names = self.merged[*section].as_object().into_iter().flatten();
            names.map(|(name, _)| name.as_str())
        });
        let near = nearest(name, known);
        let reason = format!(
            "the template has no {what} `{name}`{near}: `chatctl render` without the overlay shows what there is"
        );
        Err((node.at.clone(), reason))
    }
}

/// `, but …` with the known name that is most like `name`, if one is.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let far =
        |other: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let near = known.map(|other| (far(other), other)).min();
    match near {
        Some((distance, other)) if distance <= 3 && distance < name.len() => {
            format!(", but `{other}`")
        }
        _ => String::new(),
    }
}
