//! Reads a CloudFormation template and resolves it into a [`crate::stack::Stack`].
//!
//! Pure: text in, stack out. Each step is one file, in this order: `source` (text → tree), `parameters`, `conditions`,
//! `declared` and `names` (the definitions), `dependencies` (the creation order), `creation` (properties and names, in
//! creation order) and `resources` (the meaning of each type). A step with problems is the last one, and reports all of
//! them.

mod conditions;
mod constraints;
mod creation;
mod declared;
mod dependencies;
mod dynamic;
mod intrinsics;
mod json;
mod kind;
mod names;
mod naming;
mod node;
mod order;
mod outputs;
mod parameters;
mod problem;
mod references;
mod resources;
mod scalars;
mod scope;
mod sections;
mod shape;
mod source;
mod sub;

pub use problem::{Problem, TemplateError};

use std::collections::BTreeMap;

use crate::options::StackRequest;
use crate::stack::{Identity, Stack};
use problem::Problems;
use resources::{Created, of_kind};
use scope::Scope;

/// Resolves the template in `source`, YAML or JSON, with the given values for its parameters.
///
/// The same arguments give the same stack, ids included. Conditions and functions are evaluated as in CloudFormation;
/// macros, imports and other features that need an account are refused.
///
/// # Errors
/// [`TemplateError`] with every problem that could be found at once, worded for the template's author.
pub fn resolve(
    source: &str,
    parameters: &BTreeMap<String, String>,
    identity: &Identity,
) -> Result<Stack, TemplateError> {
    resolve_with(source, parameters, &BTreeMap::new(), identity)
}

/// Like [`resolve`], with the request's values for dynamic references in resources' properties.
pub(crate) fn resolve_request(
    request: &StackRequest,
    identity: &Identity,
) -> Result<Stack, TemplateError> {
    let StackRequest {
        template,
        parameters,
        references,
        ..
    } = request;
    resolve_with(template, parameters, references, identity)
}

fn resolve_with(
    source: &str,
    parameters: &BTreeMap<String, String>,
    references: &BTreeMap<String, String>,
    identity: &Identity,
) -> Result<Stack, TemplateError> {
    let document = source::parse(source)?;
    let mut problems = Problems::default();
    let sections = sections::split(&document, &mut problems);
    problems.settle()?;

    let values = parameters::resolve(sections.parameters, parameters, &mut problems);
    problems.settle()?;

    let mut scope = Scope::new(identity, values, sections.mappings);
    conditions::resolve(sections.conditions, &mut scope, &mut problems);
    problems.settle()?;

    let resources = declared::read(sections.resources, &scope.conditions, &mut problems);
    names::check(&resources, &sections, &scope, &mut problems);
    let declared = dependencies::order(declared::created(resources), &scope, &mut problems);
    problems.settle()?;

    let created = creation::create(&declared, &mut scope, references, &mut problems)?;
    let outputs = outputs::resolve(sections.outputs, &scope, &mut problems);
    problems.settle()?;

    assemble(&created, outputs, identity, problems)
}

/// Makes a stack of the resources: converts each, and checks that they fit together.
fn assemble(
    created: &[Created],
    outputs: BTreeMap<String, String>,
    identity: &Identity,
    mut problems: Problems,
) -> Result<Stack, TemplateError> {
    let roles = resources::iam::roles(created, &mut problems);
    let mut functions = BTreeMap::new();
    for resource in of_kind(created, &resources::lambda::FUNCTION) {
        problems.keep(resources::trust::check_role_of(resource, created));
        let function = problems.keep(resources::lambda::function(resource));
        functions.extend(function.map(|function| (resource.logical_id.clone(), function)));
    }
    resources::event_policy::apply(created, identity, &mut functions, &mut problems);
    let mut permissions = Vec::new();
    for resource in of_kind(created, &resources::permission::PERMISSION) {
        permissions.extend(
            problems
                .keep(resources::permission::permission(
                    resource, created, identity,
                ))
                .flatten(),
        );
    }
    let mut tables = BTreeMap::new();
    for resource in of_kind(created, &resources::dynamodb::TABLE) {
        let table = problems.keep(resources::dynamodb::table(resource));
        tables.extend(table.map(|table| (resource.logical_id.clone(), table)));
    }
    resources::check_names(created, &mut problems);
    let api = resources::api::api(created, &mut problems);
    problems.settle()?;
    let warnings = problems.into_notes();
    // An API without a problem always exists, but this message costs nothing.
    let api = api.ok_or_else(|| TemplateError::from(problem::whole(0, "it has no usable API")))?;
    let resources = created.iter().map(Created::resource).collect();
    Ok(Stack {
        identity: identity.clone(),
        resources,
        api,
        functions,
        permissions,
        tables,
        roles,
        outputs,
        warnings,
    })
}
