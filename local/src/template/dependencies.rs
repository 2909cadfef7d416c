//! Whom each resource needs. Every name is looked up here, so that evaluation meets known names only.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Declared, Existence};
use super::node::Node;
use super::order::{closure, creation_order};
use super::problem::{Place, Problem, Problems};
use super::references::{Reference, references};
use super::scope::Scope;
use super::sections::Sections;

/// The resources that will be created, in creation order.
#[derive(Default)]
pub(super) struct Dependencies<'a> {
    pub(super) ordered: Vec<(Declared<'a>, Needs)>,
}

/// The logical ids that a resource needs.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) directly: BTreeSet<String>,
    pub(super) at_all: BTreeSet<String>,
}

/// Orders the resources. Names that mean nothing and circles go into `problems`.
pub(super) fn check<'a>(
    resources: Vec<(&'a str, Existence<'a>)>,
    sections: &Sections<'a>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> Dependencies<'a> {
    let declared_names = sections
        .resources
        .as_map()
        .unwrap_or_default()
        .iter()
        .map(|entry| entry.name.as_str());
    let names = Names {
        declared: declared_names.collect(),
        parameters: scope.parameters.keys().map(String::as_str).collect(),
        resources: &resources
            .iter()
            .map(|(name, existence)| (*name, existence))
            .collect(),
    };
    let top = Place::Section("Resources");
    for (name, existence) in &resources {
        if let Existence::Created(declared) = existence {
            names.check(
                declared.properties,
                scope,
                &top.key(name),
                "Resources",
                problems,
            );
            names.check_depends_on(declared, &top.key(name), problems);
        }
    }
    let outputs = Place::Section("Outputs");
    for entry in sections.outputs.and_then(Node::as_map).unwrap_or_default() {
        let left_out = entry
            .node
            .child("Condition")
            .and_then(Node::as_text)
            .and_then(|name| scope.conditions.get(name))
            == Some(&false);
        if !left_out {
            names.check(
                Some(&entry.node),
                scope,
                &outputs.key(&entry.name),
                "Outputs",
                problems,
            );
        }
    }
    let created = resources
        .into_iter()
        .filter_map(|(_, existence)| match existence {
            Existence::Created(declared) => Some(declared),
            Existence::LeftOut(_) => None,
        });
    order(created.collect(), scope, problems)
}

fn order<'a>(
    created: Vec<Declared<'a>>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> Dependencies<'a> {
    let index: BTreeMap<&str, usize> = created
        .iter()
        .enumerate()
        .map(|(i, declared)| (declared.logical_id, i))
        .collect();
    let needs: Vec<BTreeSet<usize>> = created
        .iter()
        .map(|declared| {
            let references = declared
                .properties
                .map(|node| references(node, Some(&scope.conditions)))
                .unwrap_or_default();
            let referred = references
                .iter()
                .filter_map(|reference| index.get(reference.target.as_str()));
            // CloudFormation skips what is not created, here as well.
            let depended = declared
                .depends_on
                .iter()
                .filter_map(|(name, _)| index.get(name));
            referred.chain(depended).copied().collect()
        })
        .collect();
    match creation_order(&needs) {
        Ok(order) => {
            let names = |items: &BTreeSet<usize>| {
                items
                    .iter()
                    .map(|&item| created[item].logical_id.to_owned())
                    .collect()
            };
            let mut needed: Vec<Option<Needs>> = (0..created.len())
                .map(|item| {
                    Some(Needs {
                        directly: names(&needs[item]),
                        at_all: names(&closure(&needs, item)),
                    })
                })
                .collect();
            let mut created: Vec<Option<Declared<'a>>> = created.into_iter().map(Some).collect();
            let ordered = order
                .into_iter()
                .filter_map(|item| Some((created[item].take()?, needed[item].take()?)));
            Dependencies {
                ordered: ordered.collect(),
            }
        }
        Err(cycle) => {
            let first = &created[cycle[0]];
            let names: Vec<&str> = cycle
                .iter()
                .chain(&cycle[..1])
                .map(|&item| created[item].logical_id)
                .collect();
            let reason = format!(
                "circular dependency between resources: {}",
                names.join(" → ")
            );
            problems.add(Problem::new(
                first.line,
                Place::Section("Resources").key(first.logical_id),
                reason,
            ));
            Dependencies::default()
        }
    }
}

/// What a name can mean.
struct Names<'a> {
    /// Also those resources that have a problem of their own.
    declared: BTreeSet<&'a str>,
    parameters: BTreeSet<&'a str>,
    resources: &'a BTreeMap<&'a str, &'a Existence<'a>>,
}

impl Names<'_> {
    fn check(
        &self,
        node: Option<&Node>,
        scope: &Scope<'_>,
        place: &Place<'_>,
        block: &str,
        problems: &mut Problems,
    ) {
        let Some(node) = node else { return };
        // In a branch that is not taken a name must exist too, though its resource need not be created.
        let taken: BTreeSet<Reference> = references(node, Some(&scope.conditions))
            .into_iter()
            .collect();
        let mut unresolved: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for reference in references(node, None) {
            let is_taken = taken.contains(&reference);
            if !self.exists(&reference, is_taken) {
                unresolved
                    .entry(reference.line)
                    .or_default()
                    .insert(reference.target.clone());
            } else if let Some(reason) = self.wrong_attribute(&reference) {
                problems.add(Problem::new(reference.line, place, reason));
            }
        }
        for (line, names) in unresolved {
            let names: Vec<String> = names.into_iter().collect();
            let reason = format!(
                "unresolved resource dependencies [{}] in the {block} block of the template",
                names.join(", ")
            );
            problems.add(Problem::new(line, place, reason));
        }
    }

    fn check_depends_on(
        &self,
        declared: &Declared<'_>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) {
        for (name, line) in declared
            .depends_on
            .iter()
            .filter(|(name, _)| !self.declared.contains(name))
        {
            let reason = format!(
                "unresolved resource dependencies [{name}] in the Resources block of the template"
            );
            problems.add(Problem::new(*line, place.key("DependsOn"), reason));
        }
    }

    fn exists(&self, reference: &Reference, is_taken: bool) -> bool {
        let name = reference.target.as_str();
        let is_parameter = name.starts_with("AWS::") || self.parameters.contains(name);
        if is_parameter && reference.attribute.is_none() {
            return true;
        }
        match self.resources.get(name) {
            Some(Existence::LeftOut(_)) => !is_taken,
            _ => self.declared.contains(name),
        }
    }

    fn wrong_attribute(&self, reference: &Reference) -> Option<String> {
        let attribute = reference
            .attribute
            .as_deref()
            .filter(|attribute| !attribute.is_empty())?;
        let (Existence::Created(Declared { kind, .. }) | Existence::LeftOut(kind)) =
            self.resources.get(reference.target.as_str())?;
        let known = kind.attributes;
        (!known.contains(&attribute)).then(|| {
            format!(
                "`{}` has no attribute `{attribute}`, only {}",
                reference.target,
                known.join(", ")
            )
        })
    }
}
