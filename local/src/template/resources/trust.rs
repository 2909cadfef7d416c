//! Whether Lambda may assume the role of a function.

use serde_json::Value as Json;

use super::super::problem::Problem;
use super::created::{Created, of_kind};
use super::iam::ROLE;

/// Refuses a function whose role Lambda may not assume, or whose role is not in the template.
pub(in crate::template) fn check_role_of(
    function: &Created,
    created: &[Created],
) -> Result<(), Problem> {
    let arn = function.required("Role");
    let role = of_kind(created, &ROLE)
        .find(|role| role.attribute("Arn") == arn)
        .ok_or_else(|| {
            let reason = format!(
                "`{arn}` is not the ARN of a role in this template, so its permissions are unknown"
            );
            function.problem("Role", reason)
        })?;
    if trusts_lambda(&role.properties["AssumeRolePolicyDocument"]) {
        return Ok(());
    }
    let reason = format!(
        "the role defined for the function cannot be assumed by Lambda: the AssumeRolePolicyDocument of `{}` \
         must allow sts:AssumeRole to the service lambda.amazonaws.com",
        role.logical_id
    );
    Err(function.problem("Role", reason))
}

/// Whether a trust policy allows Lambda. Its conditions count as met, because they are about a request that is never
/// made here.
fn trusts_lambda(document: &Json) -> bool {
    let statements = one_or_many(&document["Statement"]);
    statements.iter().any(|statement| {
        let has = |value: &Json, wanted: &[&str]| {
            one_or_many(value)
                .iter()
                .any(|item| item.as_str().is_some_and(|item| wanted.contains(&item)))
        };
        statement["Effect"] == "Allow"
            && has(&statement["Action"], &["sts:AssumeRole", "sts:*", "*"])
            && has(
                &statement["Principal"]["Service"],
                &["lambda.amazonaws.com"],
            )
    })
}

fn one_or_many(value: &Json) -> &[Json] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}
