//! The permissions of a template's roles, as a set that can be compared.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::Template;

/// One permission that one role has or gains, or one denial that it loses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Right {
    /// The role's logical id.
    pub role: String,
    /// `may dynamodb:Query`, `may be assumed by lambda.amazonaws.com`, `has policy arn:…`.
    pub what: String,
    /// The resource, as the template names it; empty where that does not apply.
    pub on: String,
}

/// The permissions that `new` grants and `old` does not: new ones, wider ones, and those that a denial no longer
/// covers.
pub(crate) fn gained(old: Option<&Template>, new: &Template) -> Vec<Right> {
    let (before_allowed, before_denied) = old.map(rights).unwrap_or_default();
    let (allowed, denied) = rights(new);
    let lifted = before_denied.difference(&denied).map(|right| Right {
        what: format!(
            "is no longer denied {}",
            right.what.trim_start_matches("may ")
        ),
        ..right.clone()
    });
    allowed
        .difference(&before_allowed)
        .cloned()
        .chain(lifted)
        .collect()
}

impl fmt::Display for Right {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.role, self.what)?;
        if self.on.is_empty() {
            return Ok(());
        }
        write!(out, " on {}", here(&self.on))
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

/// Allowed permissions, and denied ones.
fn rights(template: &Template) -> (BTreeSet<Right>, BTreeSet<Right>) {
    let mut both = (BTreeSet::new(), BTreeSet::new());
    for (id, resource) in template.resources() {
        let properties = &resource["Properties"];
        if resource["Type"] == "AWS::IAM::Role" {
            for policy in each(&properties["Policies"]) {
                add(&mut both, id, &policy["PolicyDocument"]);
            }
            for arn in each(&properties["ManagedPolicyArns"]) {
                both.0.insert(Right {
                    role: id.into(),
                    what: format!("has policy {}", shown(arn)),
                    on: String::new(),
                });
            }
            for boundary in each(&properties["PermissionsBoundary"]) {
                both.1.insert(Right {
                    role: id.into(),
                    what: format!("may anything beyond {}", shown(boundary)),
                    on: String::new(),
                });
            }
            trust(&mut both.0, id, &properties["AssumeRolePolicyDocument"]);
        } else if matches!(
            resource["Type"].as_str(),
            Some("AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::RolePolicy")
        ) {
            let roles = each(&properties["Roles"]).chain(each(&properties["RoleName"]));
            let mut holders: Vec<_> = roles.map(shown).collect();
            if holders.is_empty() {
                // Users and groups are outside the stack: the policy's own id is shown in their place.
                holders.push(id.to_owned());
            }
            for holder in holders {
                add(&mut both, &holder, &properties["PolicyDocument"]);
            }
        }
    }
    both
}

fn add(both: &mut (BTreeSet<Right>, BTreeSet<Right>), id: &str, document: &Value) {
    for statement in each(&document["Statement"]) {
        let condition = match &statement["Condition"] {
            Value::Null => String::new(),
            condition => format!(" if {condition}"),
        };
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
                let right = Right {
                    role: id.into(),
                    what: what.clone(),
                    on: format!("{on}{condition}"),
                };
                if statement["Effect"] == "Deny" {
                    both.1.insert(right);
                } else {
                    both.0.insert(right);
                }
            }
        }
    }
}

fn trust(allowed: &mut BTreeSet<Right>, id: &str, document: &Value) {
    for statement in each(&document["Statement"]).filter(|statement| statement["Effect"] != "Deny")
    {
        let principals: Vec<String> = match &statement["Principal"] {
            Value::Object(kinds) => kinds
                .values()
                .flat_map(|kind| each(kind).map(shown))
                .collect(),
            anyone => each(anyone).map(shown).collect(),
        };
        allowed.extend(principals.into_iter().map(|who| Right {
            role: id.into(),
            what: format!("may be assumed by {who}"),
            on: String::new(),
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
    ["Ref", "Fn::Sub"]
        .iter()
        .find_map(|intrinsic| value[*intrinsic].as_str())
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
            .map(|right| format!("{right}\n"))
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
            .map(Right::to_string)
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
    fn a_new_principal_that_may_assume_the_role_is_gained() {
        let template = Template::new(
            json!({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {
                "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}}]},
                "ManagedPolicyArns": ["arn:p"]
            }}}}),
        );
        let lines: Vec<_> = gained(None, &template)
            .iter()
            .map(Right::to_string)
            .collect();
        assert_eq!(lines, ["R has policy arn:p", "R may be assumed by x"]);
    }
}
