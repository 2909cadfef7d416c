//! The supported resource types: their properties, their names, their attributes.
//!
//! Properties are those of
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>. A
//! property without a use on one machine is accepted and has no effect: tags, tracing, encryption, access logs, and
//! also a function's layers and VPC. A property about permissions, or about which code runs when, is refused if it is
//! not supported.

pub(super) mod api;
mod create_table;
pub(super) mod dynamodb;
pub(super) mod event_policy;
pub(super) mod iam;
pub(super) mod lambda;
pub(super) mod logs;
mod managed;
pub(super) mod permission;
pub(super) mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::naming::{Naming, hex_digest};
use super::problem::{Problem, Problems, TemplateError, TemplatePath, whole};
use super::scope::Named;
use super::shape::Field;
use crate::stack::{Identity, Resource, Stack};

/// A resource type.
#[derive(Debug)]
pub(in crate::template) struct Kind {
    pub(in crate::template) name: &'static str,
    pub(in crate::template) fields: &'static [Field],
    /// The attributes for `Fn::GetAtt`.
    pub(in crate::template) attributes: &'static [&'static str],
    /// The values of `Ref` and `Fn::GetAtt`.
    pub(in crate::template) named: fn(&Naming<'_>) -> Named,
}

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

/// A resource with everything resolved.
#[derive(Debug)]
pub(in crate::template) struct Created {
    pub(in crate::template) logical_id: String,
    pub(in crate::template) kind: &'static Kind,
    pub(in crate::template) line: usize,
    /// In the shape that its kind requires.
    pub(in crate::template) properties: Json,
    /// The line of each property.
    pub(in crate::template) lines: BTreeMap<String, usize>,
    pub(in crate::template) named: Named,
    /// The logical ids that it depends on, directly or not.
    pub(in crate::template) needs: BTreeSet<String>,
}

impl Created {
    pub(in crate::template) fn is(&self, kind: &'static Kind) -> bool {
        self.kind.name == kind.name
    }

    /// The value of `Ref`.
    pub(in crate::template) fn reference(&self) -> &str {
        &self.named.reference
    }

    /// The value of `Fn::GetAtt`. The kind must have the attribute.
    pub(in crate::template) fn attribute(&self, name: &str) -> String {
        self.named.attribute(name).unwrap_or_default().to_owned()
    }

    pub(in crate::template) fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }

    /// A property that the kind's shape requires.
    pub(in crate::template) fn required(&self, property: &str) -> &str {
        self.text(property).unwrap_or_default()
    }

    /// The entries of a property that is a map; none if the template does not set it.
    pub(in crate::template) fn map(
        &self,
        property: &str,
    ) -> impl Iterator<Item = (&String, &Json)> {
        let found = self.properties.get(property).and_then(Json::as_object);
        found.into_iter().flatten()
    }

    pub(in crate::template) fn is_true(&self, property: &str) -> bool {
        self.properties.get(property).and_then(Json::as_bool) == Some(true)
    }

    /// A problem of a property, or of the resource if the template does not set the property.
    pub(in crate::template) fn problem(
        &self,
        property: &str,
        reason: impl Into<String>,
    ) -> Problem {
        let (top, line) = (
            TemplatePath::Section("Resources"),
            self.lines.get(property).copied(),
        );
        let resource = top.key(&self.logical_id);
        let properties = resource.key("Properties");
        match line {
            Some(line) => Problem::new(line, properties.key(property), reason),
            None => Problem::new(self.line, resource, reason),
        }
    }

    /// Refuses a property that the local target could only ignore.
    pub(in crate::template) fn refuse(&self, property: &str, reason: &str) -> Result<(), Problem> {
        match self.properties.get(property) {
            None | Some(Json::Bool(false)) => Ok(()),
            Some(_) => Err(self.problem(property, reason)),
        }
    }

    pub(in crate::template) fn resource(&self) -> Resource {
        Resource {
            logical_id: self.logical_id.clone(),
            resource_type: self.kind.name.to_owned(),
            physical_id: self.named.reference.clone(),
            digest: hex_digest(&canonical(&self.properties)),
        }
    }
}

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

/// JSON with sorted keys, so that the order in which a template lists properties does not matter.
fn canonical(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            let sorted: BTreeMap<&String, &Json> = fields.iter().collect();
            let fields = sorted
                .iter()
                .map(|(name, value)| format!("{}:{}", Json::from(name.as_str()), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => format!(
            "[{}]",
            items.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        scalar => scalar.to_string(),
    }
}

/// The resources of one kind, in creation order.
pub(in crate::template) fn of_kind<'a>(
    created: &'a [Created],
    kind: &'static Kind,
) -> impl Iterator<Item = &'a Created> + use<'a> {
    created.iter().filter(move |resource| resource.is(kind))
}
