//! Looks up every name in a template, so that evaluation only meets known names.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Declared, Existence};
use super::node::Node;
use super::problem::{Problem, Problems, TemplatePath};
use super::references::{Reference, references};
use super::scope::Scope;
use super::sections::Sections;

/// Checks the names in resources and outputs; unknown ones go into `problems`.
///
/// In a part that a condition omits, a name must exist too, but its resource need not be created.
pub(super) fn check(
    resources: &[(&str, Existence<'_>)],
    sections: &Sections<'_>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) {
    let entries = sections.resources.as_map().unwrap_or_default();
    let names = Names {
        declared: entries.iter().map(|entry| entry.name.as_str()).collect(),
        parameters: scope.parameters.keys().map(String::as_str).collect(),
        resources: resources
            .iter()
            .map(|(name, existence)| (*name, existence))
            .collect(),
    };
    let evaluated = |node: &Node, is_left_out: bool| match is_left_out {
        true => BTreeSet::new(),
        false => references(node, Some(&scope.conditions))
            .into_iter()
            .collect(),
    };
    let top = TemplatePath::Section("Resources");
    for (name, existence) in resources {
        let place = top.key(name);
        let (Existence::Created(declared) | Existence::LeftOut(declared)) = existence;
        names.check_depends_on(declared, &place, problems);
        if let Some(node) = declared.properties {
            let evaluated = evaluated(node, matches!(existence, Existence::LeftOut(_)));
            names.check(node, &evaluated, &place, "Resources", problems);
        }
    }
    let top = TemplatePath::Section("Outputs");
    for entry in sections.outputs.and_then(Node::as_map).unwrap_or_default() {
        let condition = entry.node.child("Condition").and_then(Node::as_text);
        let holds = condition.and_then(|name| scope.conditions.get(name));
        let evaluated = evaluated(&entry.node, holds == Some(&false));
        names.check(
            &entry.node,
            &evaluated,
            &top.key(&entry.name),
            "Outputs",
            problems,
        );
    }
}

/// The names that a template defines.
struct Names<'a> {
    /// Includes the resources that have a problem of their own.
    declared: BTreeSet<&'a str>,
    parameters: BTreeSet<&'a str>,
    resources: BTreeMap<&'a str, &'a Existence<'a>>,
}

impl Names<'_> {
    fn check(
        &self,
        node: &Node,
        evaluated: &BTreeSet<Reference>,
        place: &TemplatePath<'_>,
        block: &str,
        problems: &mut Problems,
    ) {
        let mut unresolved: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for reference in references(node, None) {
            if !self.exists(&reference, evaluated.contains(&reference)) {
                unresolved
                    .entry(reference.line)
                    .or_default()
                    .insert(reference.target);
            } else if let Some(reason) = self.wrong_attribute(&reference) {
                problems.add(Problem::new(reference.line, place, reason));
            }
        }
        for (line, names) in unresolved {
            let names: Vec<String> = names.into_iter().collect();
            problems.add(Problem::new(
                line,
                place,
                unresolved_reason(&names.join(", "), block),
            ));
        }
    }

    fn check_depends_on(
        &self,
        declared: &Declared<'_>,
        place: &TemplatePath<'_>,
        problems: &mut Problems,
    ) {
        for (name, line) in &declared.depends_on {
            if !self.declared.contains(name) {
                let reason = unresolved_reason(name, "Resources");
                problems.add(Problem::new(*line, place.key("DependsOn"), reason));
            }
        }
    }

    fn exists(&self, reference: &Reference, is_evaluated: bool) -> bool {
        let name = reference.target.as_str();
        let is_parameter = name.starts_with("AWS::") || self.parameters.contains(name);
        if is_parameter && reference.attribute.is_none() {
            return true;
        }
        match self.resources.get(name) {
            Some(Existence::LeftOut(_)) => !is_evaluated,
            _ => self.declared.contains(name),
        }
    }

    fn wrong_attribute(&self, reference: &Reference) -> Option<String> {
        let attribute = reference
            .attribute
            .as_deref()
            .filter(|attribute| !attribute.is_empty())?;
        let (Existence::Created(declared) | Existence::LeftOut(declared)) =
            self.resources.get(reference.target.as_str())?;
        let known = declared.kind.attributes;
        (!known.contains(&attribute)).then(|| {
            format!(
                "`{}` has no attribute `{attribute}`, only {}",
                reference.target,
                known.join(", ")
            )
        })
    }
}

/// CloudFormation's own wording.
fn unresolved_reason(names: &str, block: &str) -> String {
    format!("unresolved resource dependencies [{names}] in the {block} block of the template")
}
