//! `AWS::IAM::Role` and `AWS::IAM::Policy`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::problem::{Problem, Problems};
use super::super::scope::Named;
use super::super::shape::{Shape::*, TAGS, may, must, name};
use super::created::{Created, Kind, of_kind};
use super::managed::{MANAGED, managed};
use crate::iam::Policy;
use crate::stack;

const MAX_ROLE_NAME: usize = 64;

pub(in crate::template) const ROLE: Kind = Kind {
    name: "AWS::IAM::Role",
    fields: &[
        must("AssumeRolePolicyDocument", Document),
        may("Description", Text),
        may("ManagedPolicyArns", List(&Text)),
        may("MaxSessionDuration", Integer(3_600, 43_200)),
        may("Path", Text),
        may("PermissionsBoundary", Text),
        may(
            "Policies",
            List(&Object(&[
                must("PolicyDocument", Document),
                must("PolicyName", name(1, 128, "_+=,.@-")),
            ])),
        ),
        may("RoleName", name(1, MAX_ROLE_NAME, "_+=,.@-")),
        may("Tags", TAGS),
    ],
    attributes: &["Arn", "RoleId"],
    named: |naming| {
        let name = naming.name("RoleName", MAX_ROLE_NAME);
        let path = naming.given("Path").unwrap_or("/");
        let arn = format!(
            "arn:aws:iam::{}:role{path}{name}",
            naming.identity.account_id
        );
        Named::new(name)
            .with("Arn", arn)
            .with("RoleId", format!("AROA{}", naming.upper_id(17)))
    },
};

pub(in crate::template) const POLICY: Kind = Kind {
    name: "AWS::IAM::Policy",
    fields: &[
        may("Groups", List(&Text)),
        must("PolicyDocument", Document),
        must("PolicyName", name(1, 128, "_+=,.@-")),
        may("Roles", List(&Text)),
        may("Users", List(&Text)),
    ],
    attributes: &["Id"],
    named: |naming| {
        let id = naming.generated(128);
        Named::new(&id).with("Id", &id)
    },
};

/// The roles with all policies that this template attaches to them, by ARN.
pub(in crate::template) fn roles(
    created: &[Created],
    problems: &mut Problems,
) -> BTreeMap<String, stack::Role> {
    let mut roles: BTreeMap<String, stack::Role> = BTreeMap::new();
    for resource in of_kind(created, &ROLE) {
        let Some(policies) = problems.keep(own_policies(resource)) else {
            continue;
        };
        let arn = resource.attribute("Arn");
        let role = stack::Role {
            logical_id: resource.logical_id.clone(),
            arn: arn.clone(),
            policies,
        };
        if let Some(other) = roles.insert(arn, role) {
            let reason = format!("`{}` has the same role name", other.logical_id);
            problems.add(resource.problem("RoleName", reason));
        }
    }
    for resource in of_kind(created, &POLICY) {
        let attached = attach(resource, created, &mut roles);
        problems.keep(attached);
    }
    roles
}

fn own_policies(resource: &Created) -> Result<Vec<Policy>, Problem> {
    let boundary = "the local target does not evaluate permissions boundaries, and without one the role would have more permissions than on AWS";
    resource.refuse("PermissionsBoundary", boundary)?;
    let path = resource.text("Path").unwrap_or("/");
    if !(path.starts_with('/') && path.ends_with('/') && path.len() <= 512) {
        return Err(resource.problem("Path", "must begin and end with `/`"));
    }
    let mut policies = Vec::new();
    for policy in resource.properties["Policies"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = policy["PolicyName"].as_str().unwrap_or_default();
        policies.push(parse(
            resource,
            "Policies",
            name,
            &policy["PolicyDocument"],
        )?);
    }
    for arn in resource.properties["ManagedPolicyArns"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let arn = arn.as_str().unwrap_or_default();
        let document = managed(arn).ok_or_else(|| {
            let reason = format!(
                "the local target does not support the managed policy `{arn}`, only {}. \
                 Copy its statements to `Policies`",
                MANAGED.map(|(name, _)| name).join(", ")
            );
            resource.problem("ManagedPolicyArns", reason)
        })?;
        policies.push(parse(resource, "ManagedPolicyArns", arn, &document)?);
    }
    Ok(policies)
}

fn attach(
    resource: &Created,
    created: &[Created],
    roles: &mut BTreeMap<String, stack::Role>,
) -> Result<(), Problem> {
    let names = |property: &str| {
        resource.properties[property]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let document = &resource.properties["PolicyDocument"];
    let policy = parse(
        resource,
        "PolicyDocument",
        resource.required("PolicyName"),
        document,
    )?;
    if ["Groups", "Roles", "Users"]
        .iter()
        .all(|property| names(property).is_empty())
    {
        return Err(resource.problem(
            "Roles",
            "at least one of `Groups`, `Roles` and `Users` is required",
        ));
    }
    for name in names("Roles") {
        let role = of_kind(created, &ROLE).find(|role| role.reference() == name);
        let role = role.ok_or_else(|| {
            resource.problem(
                "Roles",
                format!("there is no role named {name} in this template"),
            )
        })?;
        // Missing if the role has a problem of its own, which was reported already.
        if let Some(role) = roles.get_mut(&role.attribute("Arn")) {
            role.policies.push(policy.clone());
        }
    }
    Ok(())
}

fn parse(
    resource: &Created,
    property: &str,
    name: &str,
    document: &Json,
) -> Result<Policy, Problem> {
    Policy::parse(document).map_err(|error| {
        let source = std::error::Error::source(&error)
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        resource.problem(property, format!("in `{name}`, {error}{source}"))
    })
}
