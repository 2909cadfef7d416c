//! The permissions of a template's roles, as a set that can be compared.

mod condition;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::Template;

/// One permission that one role has or gains, or one denial that it loses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The role's logical id.
    pub role: String,
    /// `may dynamodb:Query`, `may be assumed by lambda.amazonaws.com`, `has policy arn:…`.
    pub what: String,
    /// The resource, as the template names it; empty where that does not apply.
    pub on: String,
    /// When it applies, in words: `aws:SecureTransport is true`; empty if always.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
}

impl Permission {
    /// What does not depend on a resource or a condition.
    fn new(role: &str, what: String) -> Self {
        Self {
            role: role.to_owned(),
            what,
            on: String::new(),
            condition: String::new(),
        }
    }
}

/// The permissions that `new` grants and `old` does not: new ones, wider ones, and those that a denial no longer
/// covers.
pub(crate) fn gained(old: Option<&Template>, new: &Template) -> Vec<Permission> {
    let (before_allowed, before_denied) = old.map(permissions).unwrap_or_default();
    let (allowed, denied) = permissions(new);
    let lifted = before_denied
        .difference(&denied)
        .map(|permission| Permission {
            what: format!(
                "is no longer denied {}",
                permission.what.trim_start_matches("may ")
            ),
            ..permission.clone()
        });
    allowed
        .difference(&before_allowed)
        .cloned()
        .chain(lifted)
        .collect()
}

impl fmt::Display for Permission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.role, self.what)?;
        if !self.on.is_empty() {
            write!(out, " on {}", here(&self.on))?;
        }
        if !self.condition.is_empty() {
            write!(out, " where {}", self.condition)?;
        }
        Ok(())
    }
}

/// `resource` without the prefix that all resources of the stack's own account and Region share, so that lines stay
/// short.
fn here(resource: &str) -> String {
    let rest = resource
        .strip_prefix("arn:${AWS::Partition}:")
        .unwrap_or(resource);
    rest.replacen("${AWS::Region}:${AWS::AccountId}:", "", 1)
}

/// Resources that are policies.
const POLICIES: [&str; 5] = [
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
];

/// Their properties that name who has them.
const HOLDERS: [&str; 6] = [
    "Roles",
    "RoleName",
    "Users",
    "UserName",
    "Groups",
    "GroupName",
];

/// Allowed permissions, and denied ones.
fn permissions(template: &Template) -> (BTreeSet<Permission>, BTreeSet<Permission>) {
    let mut both = (BTreeSet::new(), BTreeSet::new());
    for (id, resource) in template.resources() {
        let properties = &resource["Properties"];
        let kind = resource["Type"].as_str().unwrap_or_default();
        if ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"].contains(&kind) {
            for policy in each(&properties["Policies"]) {
                add(&mut both, id, &policy["PolicyDocument"]);
            }
            for arn in each(&properties["ManagedPolicyArns"]) {
                both.0
                    .insert(Permission::new(id, format!("has policy {}", shown(arn))));
            }
            for boundary in each(&properties["PermissionsBoundary"]) {
                let beyond = format!("may anything beyond {}", shown(boundary));
                both.1.insert(Permission::new(id, beyond));
            }
            trust(&mut both.0, id, &properties["AssumeRolePolicyDocument"]);
        } else if POLICIES.contains(&kind) {
            let named = HOLDERS.iter().flat_map(|key| each(&properties[*key]));
            let mut holders: Vec<_> = named.map(shown).collect();
            if holders.is_empty() {
                // What it is attached to is outside the stack: the policy's own id is shown in its place.
                holders.push(id.to_owned());
            }
            for holder in holders {
                add(&mut both, &holder, &properties["PolicyDocument"]);
            }
        }
    }
    both
}

fn add(both: &mut (BTreeSet<Permission>, BTreeSet<Permission>), id: &str, document: &Value) {
    for statement in each(&document["Statement"]) {
        let condition = condition::words(&statement["Condition"]);
        let (actions, except_actions) = (&statement["Action"], &statement["NotAction"]);
        let (resources, except_resources) = (&statement["Resource"], &statement["NotResource"]);
        let actions = each(actions)
            .map(|action| format!("may {}", shown(action)))
            .chain(
                each(except_actions).map(|action| format!("may anything but {}", shown(action))),
            );
        for what in actions {
            let resources = each(resources)
                .map(shown)
                .chain(each(except_resources).map(|r| format!("anything but {}", shown(r))));
            for on in resources {
                let permission = Permission {
                    role: id.into(),
                    what: what.clone(),
                    on,
                    condition: condition.clone(),
                };
                if statement["Effect"] == "Deny" {
                    both.1.insert(permission);
                } else {
                    both.0.insert(permission);
                }
            }
        }
    }
}

fn trust(allowed: &mut BTreeSet<Permission>, id: &str, document: &Value) {
    for statement in each(&document["Statement"]).filter(|statement| statement["Effect"] != "Deny")
    {
        let named = |principal: &Value| -> Vec<String> {
            match principal {
                Value::Object(kinds) => kinds
                    .values()
                    .flat_map(|kind| each(kind).map(shown))
                    .collect(),
                anyone => each(anyone).map(shown).collect(),
            }
        };
        let but = named(&statement["NotPrincipal"])
            .into_iter()
            .map(|who| format!("anyone but {who}"));
        let who = named(&statement["Principal"]).into_iter().chain(but);
        let condition = condition::words(&statement["Condition"]);
        allowed.extend(who.map(|who| Permission {
            condition: condition.clone(),
            ..Permission::new(id, format!("may be assumed by {who}"))
        }));
    }
}

/// IAM accepts one value in place of a list with one element. An intrinsic is one value.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let (one, many): (Option<&Value>, &[Value]) = match value {
        Value::Null => (None, &[]),
        Value::Array(many) => (None, many),
        one => (Some(one), &[]),
    };
    one.into_iter().chain(many)
}

/// A template's value in readable form: `Connections.Arn` for a `Fn::GetAtt`.
fn shown(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some([resource, attribute]) = value["Fn::GetAtt"].as_array().map(Vec::as_slice) {
        return format!("{}.{}", shown(resource), shown(attribute));
    }
    if let Some([between, parts]) = value["Fn::Join"].as_array().map(Vec::as_slice)
        && let (Some(between), Some(parts)) = (between.as_str(), parts.as_array())
    {
        return parts.iter().map(shown).collect::<Vec<_>>().join(between);
    }
    let sub = &value["Fn::Sub"];
    [&value["Ref"], sub, &sub[0]]
        .iter()
        .find_map(|text| text.as_str())
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn role(statements: Value) -> Template {
        Template::new(
            json!({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {
                "Policies": [{"PolicyDocument": {"Statement": statements}}]
            }}}}),
        )
    }

    fn check(old: Value, new: Value, expected: Expect) {
        let lines: String = gained(Some(&role(old)), &role(new))
            .iter()
            .map(|permission| format!("{permission}\n"))
            .collect();
        expected.assert_eq(&lines);
    }

    fn allow(action: Value, resource: Value) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    #[test]
    fn a_new_action_is_gained_and_a_removed_one_is_not_listed() {
        check(
            json!([allow(
                json!(["d:Get", "d:Put"]),
                json!({"Fn::GetAtt": ["T", "Arn"]})
            )]),
            json!([allow(
                json!(["d:Get", "d:Scan"]),
                json!({"Fn::GetAtt": ["T", "Arn"]})
            )]),
            expect![[r#"
                R may d:Scan on T.Arn
            "#]],
        );
    }

    #[test]
    fn a_separate_policy_counts_for_its_roles() {
        let document = json!({"Statement": {"Effect": "Allow", "Action": "x:Y", "Resource": {"Fn::GetAtt": ["F", "Arn"]}}});
        let policy = json!({"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "R"}], "PolicyDocument": document}});
        let template = Template::new(json!({"Resources": {"P": policy}}));
        let lines: Vec<_> = gained(None, &template)
            .iter()
            .map(Permission::to_string)
            .collect();
        assert_eq!(lines, ["R may x:Y on F.Arn"]);
    }

    #[test]
    fn a_wider_resource_is_gained() {
        check(
            json!([allow(json!("d:Get"), json!({"Fn::Sub": "arn:${T}"}))]),
            json!(allow(json!("d:Get"), json!("*"))),
            expect![[r#"
                R may d:Get on *
            "#]],
        );
    }

    #[test]
    fn a_removed_condition_and_a_removed_denial_are_gained() {
        let mut bound = allow(json!("d:Get"), json!("t"));
        bound["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
        let deny = json!({"Effect": "Deny", "Action": "d:Put", "Resource": "t"});
        check(
            json!([bound, deny]),
            json!([allow(json!("d:Get"), json!("t"))]),
            expect![[r#"
                R may d:Get on t
                R is no longer denied d:Put on t
            "#]],
        );
    }

    #[test]
    fn a_trust_without_its_condition_and_policies_of_users_are_gained() {
        let role = |statement: Value| json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": statement}}});
        let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": "x"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "e"}}});
        let before = Template::new(json!({"Resources": {"R": role(statement.clone())}}));
        let reported = |old: Option<&Template>, new: &Template| {
            let lines = gained(old, new)
                .into_iter()
                .map(|permission| permission.to_string());
            lines.collect::<Vec<_>>()
        };
        assert_eq!(
            reported(None, &before),
            ["R may be assumed by x where sts:ExternalId is e"]
        );
        statement["Condition"].take();
        let document = json!({"Statement": [allow(json!("d:Get"), json!({"Fn::Join": ["/", [{"Ref": "B"}, "*"]]}))]});
        let user = json!({"Type": "AWS::IAM::User", "Properties": {"Policies": [{"PolicyDocument": document}]}});
        let policy = json!({"Type": "AWS::IAM::UserPolicy", "Properties": {"UserName": "tom", "PolicyDocument": document}});
        let after =
            Template::new(json!({"Resources": {"R": role(statement), "U": user, "P": policy}}));
        let lines = [
            "R may be assumed by x",
            "U may d:Get on B/*",
            "tom may d:Get on B/*",
        ];
        assert_eq!(reported(Some(&before), &after), lines);
    }

    #[test]
    fn a_new_principal_that_may_assume_the_role_is_gained() {
        let template = Template::new(
            json!({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {
                "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}}]},
                "ManagedPolicyArns": ["arn:p"]
            }}}}),
        );
        let lines: Vec<_> = gained(None, &template)
            .iter()
            .map(Permission::to_string)
            .collect();
        assert_eq!(lines, ["R has policy arn:p", "R may be assumed by x"]);
    }
}
