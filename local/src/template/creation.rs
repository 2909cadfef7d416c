//! Evaluates the resources in creation order, each into typed properties and the names that later ones refer to.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::Declared;
use super::dependencies::{Dependencies, Needs};
use super::dynamic;
use super::intrinsics::evaluate;
use super::naming::Naming;
use super::node::{Node, Value};
use super::problem::{Problems, TemplateError, TemplatePath};
use super::resources::Created;
use super::scope::Scope;
use super::shape::{Shape, conform};

/// Resolves all resources.
///
/// A resource that depends on a failed one is skipped, so that one mistake is reported once.
pub(super) fn create(
    dependencies: &Dependencies<'_>,
    scope: &mut Scope<'_>,
    references: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Result<Vec<Created>, TemplateError> {
    let mut created = Vec::new();
    let mut failed: BTreeSet<&str> = BTreeSet::new();
    for (declared, needs) in &dependencies.ordered {
        let blocked = needs
            .directly
            .iter()
            .any(|name| failed.contains(name.as_str()));
        match if blocked {
            None
        } else {
            create_one(declared, needs, scope, references, problems)
        } {
            None => drop(failed.insert(declared.logical_id)),
            Some(resource) => {
                scope
                    .resources
                    .insert(declared.logical_id.to_owned(), resource.named.clone());
                created.push(resource);
            }
        }
    }
    problems.settle().map(|()| created)
}

fn create_one(
    declared: &Declared<'_>,
    needs: &Needs,
    scope: &Scope<'_>,
    references: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<Created> {
    let top = TemplatePath::Section("Resources");
    let resource = top.key(declared.logical_id);
    let place = resource.key("Properties");
    let empty = Node {
        line: declared.line,
        value: Value::Map(Vec::new()),
    };
    let properties = match declared.properties {
        None => empty,
        Some(node) => {
            let mut evaluated = problems
                .keep(evaluate(node, scope, &place))?
                .unwrap_or(empty);
            problems.keep(dynamic::resolve(&mut evaluated, references, scope, &place))?;
            evaluated
        }
    };
    let lines: BTreeMap<String, usize> = properties
        .as_map()
        .unwrap_or_default()
        .iter()
        .map(|entry| (entry.name.clone(), entry.line))
        .collect();
    // A missing property is reported at the resource, not at the first of its properties.
    let properties = Node {
        line: declared.line,
        value: properties.value,
    };
    let properties = conform(
        &properties,
        Shape::Object(declared.kind.fields),
        &place,
        problems,
    )?;
    let naming = Naming {
        identity: scope.identity,
        logical_id: declared.logical_id,
        properties: &properties,
    };
    let named = (declared.kind.named)(&naming);
    Some(Created {
        logical_id: declared.logical_id.to_owned(),
        kind: declared.kind,
        line: declared.line,
        lines,
        named,
        needs: needs.at_all.clone(),
        properties,
    })
}
