//! What an overlay refers to: resources and their attributes, parameters, conditions, keys of mappings.

use serde_json::Value;
use template_yaml::{Entry, Node, Tree};

use super::functions::{self, CallSite};
use super::graph::{self, Use};
use super::near::nearest;
use super::problem::Problem;
use super::types;

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

/// What a template defines.
pub(super) struct Names<'a> {
    pub(super) merged: &'a Value,
}

impl Names<'_> {
    /// Checks every reference and call of a function in the overlay `root`.
    pub(super) fn check_sections(&self, root: &Node) -> Result<(), Problem> {
        for entry in root.entries("Conditions") {
            self.decision(&entry.node, &entry.at)?;
        }
        for entry in root.entries("Resources") {
            self.gates(entry)?;
            for part in entry.node.as_map().unwrap_or_default() {
                self.check(&part.node, CallSite::Value)?;
            }
        }
        for entry in root.entries("Outputs") {
            self.gates(entry)?;
            self.check(&entry.node, CallSite::Value)?;
            if let Some(export) = entry.node.child("Export") {
                self.before_the_stack(export, "the name of an export")?;
            }
        }
        Ok(())
    }

    /// `Condition` and `DependsOn` of a resource or an output.
    fn gates(&self, entry: &Entry) -> Result<(), Problem> {
        if let Some(condition) = entry.node.child("Condition") {
            self.condition(condition)?;
        }
        let Some(waits) = entry.node.child("DependsOn") else {
            return Ok(());
        };
        for id in waits.as_list().unwrap_or(std::slice::from_ref(waits)) {
            let Some(name) = id.as_text() else {
                let reason = "`DependsOn` takes logical ids, as texts: a text, or a list of them";
                return Err((id.at.clone(), reason.into()));
            };
            self.found(&Use::Resource(name.to_owned()), id)?;
        }
        Ok(())
    }

    /// Every call in `node`.
    fn check(&self, node: &Node, place: CallSite) -> Result<(), Problem> {
        match &node.tree {
            Tree::Scalar(_) => Ok(()),
            Tree::List(items) => items.iter().try_for_each(|item| self.check(item, place)),
            Tree::Map(entries) => {
                functions::alone(entries)?;
                entries.iter().try_for_each(|entry| {
                    if functions::is_function(&entry.key) {
                        functions::check(entry, place)?;
                        self.call(entry, place)?;
                    }
                    self.check(&entry.node, place)
                })
            }
        }
    }

    /// What the call `entry` refers to.
    fn call(&self, entry: &Entry, place: CallSite) -> Result<(), Problem> {
        for used in graph::uses_of(&entry.key, &entry.node.to_json()) {
            if let (CallSite::Condition, Some(id)) = (place, used.resource())
                && self.has("Resources", id)
            {
                let reason = format!(
                    "a condition cannot use the resource `{id}`, only parameters and mappings"
                );
                return Err((entry.node.at.clone(), reason));
            }
            self.found(&used, &entry.node)?;
        }
        match entry.key.as_str() {
            "Fn::FindInMap" => self.keys(&entry.node),
            "Fn::ImportValue" => self.before_the_stack(&entry.node, "the name of an import"),
            _ => Ok(()),
        }
    }

    /// Names of exports and imports are known before any resource is
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html>).
    fn before_the_stack(&self, node: &Node, what: &str) -> Result<(), Problem> {
        let uses = graph::uses(&node.to_json());
        let mut ids = uses.iter().filter_map(Use::resource);
        match ids.find(|id| self.has("Resources", id)) {
            None => Ok(()),
            Some(id) => Err((
                node.at.clone(),
                format!(
                    "{what} cannot depend on a resource, and `{id}` is one: use parameters such as AWS::StackName"
                ),
            )),
        }
    }

    /// The keys that `Fn::FindInMap` names, as far as they are texts.
    fn keys(&self, node: &Node) -> Result<(), Problem> {
        let Some([name, first, second]) = node.as_list() else {
            return Ok(());
        };
        let Some(mapping) = name.as_text().map(|name| &self.merged["Mappings"][name]) else {
            return Ok(());
        };
        let unknown = |key: &Node, text: &str, known: Vec<&str>| {
            let near = nearest(text, known.iter().copied());
            let reason = format!("the mapping has no key `{text}`{near}");
            Err((key.at.clone(), reason))
        };
        let rows = mapping.as_object().into_iter().flatten();
        if let Some(text) = first.as_text()
            && mapping[text].is_null()
        {
            return unknown(first, text, rows.map(|(key, _)| key.as_str()).collect());
        }
        let rows = rows.filter(|(key, _)| first.as_text().is_none_or(|first| first == *key));
        let known = rows.flat_map(|(_, row)| row.as_object().into_iter().flatten());
        let known: Vec<&str> = known.map(|(key, _)| key.as_str()).collect();
        match second.as_text() {
            Some(text) if !known.contains(&text) => unknown(second, text, known),
            _ => Ok(()),
        }
    }

    /// A condition: a decision over values, or over other conditions.
    fn decision(&self, node: &Node, at: &std::ops::Range<usize>) -> Result<(), Problem> {
        let Some([only]) = node.as_map() else {
            let reason = "a condition is one of Fn::And, Fn::Equals, Fn::Not, Fn::Or and Condition";
            return Err((at.clone(), reason.into()));
        };
        let parts = || only.node.as_list().unwrap_or_default().iter();
        match only.key.as_str() {
            "Condition" => self.condition(&only.node),
            "Fn::Equals" => {
                functions::check(only, CallSite::Condition)?;
                parts().try_for_each(|part| self.check(part, CallSite::Condition))
            }
            "Fn::And" | "Fn::Or" | "Fn::Not" => {
                functions::check(only, CallSite::Condition)?;
                parts().try_for_each(|part| self.decision(part, &part.at))
            }
            name => {
                let reason = format!(
                    "`{name}` decides nothing: a condition is one of Fn::And, Fn::Equals, Fn::Not, Fn::Or and Condition"
                );
                Err((only.at.clone(), reason))
            }
        }
    }

    fn condition(&self, node: &Node) -> Result<(), Problem> {
        match node.as_text() {
            Some(name) => self.found(&Use::Condition(name.to_owned()), node),
            None => Err((node.at.clone(), "a condition is named by a text".into())),
        }
    }

    fn has(&self, section: &str, name: &str) -> bool {
        !self.merged[section][name].is_null()
    }

    fn found(&self, used: &Use, node: &Node) -> Result<(), Problem> {
        let (name, what, sections): (_, _, &[&str]) = match used {
            Use::Name(name) => (name, "resource or parameter", &["Resources", "Parameters"]),
            Use::Attribute(name, _) | Use::Resource(name) => (name, "resource", &["Resources"]),
            Use::Condition(name) => (name, "condition", &["Conditions"]),
            Use::Mapping(name) => (name, "mapping", &["Mappings"]),
        };
        let is_name = matches!(used, Use::Name(_));
        if sections.iter().any(|section| self.has(section, name))
            || (is_name && PSEUDO_PARAMETERS.contains(&name.as_str()))
        {
            return self.attribute(used, node);
        }
        let known = sections.iter().flat_map(|section| {
            let names = self.merged[*section].as_object().into_iter().flatten();
            names.map(|(name, _)| name.as_str())
        });
        let pseudo = PSEUDO_PARAMETERS.iter().copied().filter(|_| is_name);
        let near = nearest(name, known.chain(pseudo));
        let reason = match name.split_once('.') {
            Some((id, attribute)) if is_name && self.has("Resources", id) => {
                format!("`Ref` takes no attribute: use `!GetAtt {id}.{attribute}`")
            }
            _ if !is_name && self.has("Parameters", name) => {
                format!("`{name}` is a parameter and no {what}: use `!Ref {name}`")
            }
            _ => format!(
                "the template has no {what} `{name}`{near}: `chatctl render` without the overlay shows what there is"
            ),
        };
        Err((node.at.clone(), reason))
    }

    /// The attribute that is used, if its type is known.
    fn attribute(&self, used: &Use, node: &Node) -> Result<(), Problem> {
        let Use::Attribute(id, Some(attribute)) = used else {
            return Ok(());
        };
        let kind = self.merged["Resources"][id]["Type"].as_str();
        match types::no_attribute(id, kind.unwrap_or_default(), attribute) {
            None => Ok(()),
            Some(reason) => Err((node.at.clone(), reason)),
        }
    }
}
