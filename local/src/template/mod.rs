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
use scope::Scope;

/// The types that a template can have, such as `AWS::DynamoDB::Table`. Any other is refused.
pub fn supported_types() -> impl Iterator<Item = &'static str> {
    resources::KINDS.iter().map(|kind| kind.name)
}

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

    resources::assemble(&created, outputs, identity, problems)
}
