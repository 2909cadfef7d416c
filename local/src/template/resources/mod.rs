//! The supported resource types: their properties, their names, their attributes.
//!
//! Properties are those of
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>. A
//! property without a use on one machine is accepted and has no effect: tags, tracing, encryption, access logs, and
//! also a function's layers and VPC. A property about permissions, or about which code runs when, is refused if it is
//! not supported.

pub(super) mod api;
mod create_table;
mod created;
pub(super) mod dynamodb;
pub(super) mod event_policy;
pub(super) mod iam;
pub(super) mod lambda;
pub(super) mod logs;
mod managed;
pub(super) mod permission;
pub(super) mod trust;

use std::collections::BTreeMap;

use self::created::of_kind;
pub(super) use self::created::{Created, Kind};
use super::problem::{Problems, TemplateError, whole};
use crate::stack::{Identity, Stack};

/// Every supported type, as listed in an error.
pub(in crate::template) const KINDS: [&Kind; 16] = [
    &api::API,
    &api::AUTHORIZER,
    &api::DEPLOYMENT,
    &api::INTEGRATION,
    &api::INTEGRATION_RESPONSE,
    &api::MODEL,
    &api::ROUTE,
    &api::ROUTE_RESPONSE,
    &api::STAGE,
    &dynamodb::TABLE,
    &iam::POLICY,
    &iam::ROLE,
    &event_policy::EVENT_INVOKE_CONFIG,
    &lambda::FUNCTION,
    &permission::PERMISSION,
    &logs::LOG_GROUP,
];

/// Makes a stack of the resources: converts each, and checks that they fit together.
pub(in crate::template) fn assemble(
    created: &[Created],
    outputs: BTreeMap<String, String>,
    identity: &Identity,
    mut problems: Problems,
) -> Result<Stack, TemplateError> {
    let roles = iam::roles(created, &mut problems);
    let mut functions = BTreeMap::new();
    for resource in of_kind(created, &lambda::FUNCTION) {
        problems.keep(trust::check_role_of(resource, created));
        let function = problems.keep(lambda::function(resource));
        functions.extend(function.map(|function| (resource.logical_id.clone(), function)));
    }
    event_policy::apply(created, identity, &mut functions, &mut problems);
    let mut permissions = Vec::new();
    for resource in of_kind(created, &permission::PERMISSION) {
        permissions.extend(
            problems
                .keep(permission::permission(resource, created, identity))
                .flatten(),
        );
    }
    let mut tables = BTreeMap::new();
    for resource in of_kind(created, &dynamodb::TABLE) {
        let table = problems.keep(dynamodb::table(resource));
        tables.extend(table.map(|table| (resource.logical_id.clone(), table)));
    }
    check_names(created, &mut problems);
    let api = api::api(created, &mut problems);
    problems.settle()?;
    let warnings = problems.into_notes();
    // An API without a problem always exists, but this message costs nothing.
    let api = api.ok_or_else(|| TemplateError::from(whole(0, "it has no usable API")))?;
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

/// Refuses a second resource of a kind with the same name, if the name identifies it on AWS.
fn check_names(created: &[Created], problems: &mut Problems) {
    for (kind, property) in [
        (&lambda::FUNCTION, "FunctionName"),
        (&dynamodb::TABLE, "TableName"),
        (&logs::LOG_GROUP, "LogGroupName"),
    ] {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for resource in of_kind(created, kind) {
            if let Some(first) = seen.insert(resource.reference(), &resource.logical_id) {
                let reason = format!("`{first}` already has the name `{}`", resource.reference());
                problems.add(resource.problem(property, reason));
            }
        }
    }
}
