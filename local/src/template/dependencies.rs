//! Finds the dependencies of resources, and the creation order.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::Declared;
use super::order::{closure, creation_order};
use super::problem::{Problem, Problems, TemplatePath};
use super::references::references;
use super::scope::Scope;

/// The resources that will be created, in creation order.
#[derive(Default)]
pub(super) struct Dependencies<'a> {
    pub(super) ordered: Vec<(Declared<'a>, Needs)>,
}

/// The logical ids that a resource depends on.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) directly: BTreeSet<String>,
    pub(super) at_all: BTreeSet<String>,
}

/// Orders the resources that will be created; a cycle goes into `problems`.
pub(super) fn order<'a>(
    created: Vec<Declared<'a>>,
    scope: &Scope<'_>,
    problems: &mut Problems,
) -> Dependencies<'a> {
    let needs = needs(&created, scope);
    let order = match creation_order(&needs) {
        Ok(order) => order,
        Err(cycle) => {
            let first = &created[cycle[0]];
            let round = cycle.iter().chain(&cycle[..1]);
            let names: Vec<&str> = round.map(|&item| created[item].logical_id).collect();
            let reason = format!(
                "circular dependency between resources: {}",
                names.join(" → ")
            );
            let top = TemplatePath::Section("Resources");
            problems.add(Problem::new(first.line, top.key(first.logical_id), reason));
            return Dependencies::default();
        }
    };
    let names = |items: &BTreeSet<usize>| {
        items
            .iter()
            .map(|&item| created[item].logical_id.to_owned())
            .collect::<BTreeSet<_>>()
    };
    let mut needed: Vec<Needs> = (0..created.len())
        .map(|item| Needs {
            directly: names(&needs[item]),
            at_all: names(&closure(&needs, item)),
        })
        .collect();
    let mut created: Vec<Option<Declared<'a>>> = created.into_iter().map(Some).collect();
    let in_order = order.into_iter();
    Dependencies {
        ordered: in_order
            .filter_map(|item| Some((created[item].take()?, std::mem::take(&mut needed[item]))))
            .collect(),
    }
}

/// By index: the resources that each one refers to where it is evaluated, and those in its `DependsOn`.
fn needs(created: &[Declared<'_>], scope: &Scope<'_>) -> Vec<BTreeSet<usize>> {
    let positions = created.iter().enumerate();
    let index: BTreeMap<&str, usize> = positions.map(|(i, one)| (one.logical_id, i)).collect();
    let needs = created.iter().map(|declared| {
        let taken = Some(&scope.conditions);
        let referred = declared
            .properties
            .map(|node| references(node, taken))
            .unwrap_or_default();
        let referred = referred
            .iter()
            .filter_map(|reference| index.get(reference.target.as_str()));
        // A `DependsOn` on a resource that will not be created has no effect, as in CloudFormation.
        let depended = declared
            .depends_on
            .iter()
            .filter_map(|(name, _)| index.get(name));
        referred.chain(depended).copied().collect()
    });
    needs.collect()
}
