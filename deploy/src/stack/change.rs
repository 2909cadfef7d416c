//! Summarises what a change set will do, for the question before a deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Template;
use super::permissions::Permission;

/// What happens to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// The resource is new.
    Add,
    /// The resource exists and is changed or replaced.
    Modify,
    /// A new resource takes its place; the old one's contents are lost.
    Replace,
    /// Values that are only known during the deployment decide whether it is modified or replaced.
    MayReplace,
    /// The resource is deleted, or leaves the stack.
    Remove,
}

/// One row of a change summary.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    /// What happens to it.
    pub action: Action,
    /// Its name in the template.
    pub logical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// The top-level properties that differ, for `Modify` and `Replace`.
    pub properties: Vec<String>,
    /// Their values, if the target has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueChange>,
    /// What of it the overlay says: the changed properties that it sets, or none for a resource that it adds. `None` for what
    /// is chatctl's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Vec<String>>,
    /// The replaced or removed resource stays in the account, outside the stack.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retained: bool,
}

/// One property's value before and after, as text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueChange {
    /// For example `/Properties/Code/S3Key`.
    pub path: String,
    /// The present value; `None` if the property is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The new value; `None` if the property goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Everything a change set will do, in template order; removals come last.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct ChangeSummary {
    /// The changes in CloudFormation's order.
    pub changes: Vec<ResourceChange>,
    /// Permissions that roles gain; empty where roles are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// The target's warnings, in its own words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl ChangeSummary {
    /// Compares two templates property by property; `new_code` has the logical ids of the functions that get new code.
    pub fn between(old: Option<&Template>, new: &Template, new_code: &BTreeSet<String>) -> Self {
        let before: BTreeMap<_, _> = old.into_iter().flat_map(Template::resources).collect();
        let mut changes: Vec<_> = new
            .resources()
            .filter_map(|(id, resource)| match before.get(id) {
                None => Some(row(Action::Add, id, resource, Vec::new())),
                Some(earlier) => changed(id, earlier, resource, new_code.contains(id)),
            })
            .collect();
        let kept: Vec<_> = new.resources().map(|(id, _)| id).collect();
        let gone = before.iter().filter(|(id, _)| !kept.contains(id));
        changes.extend(gone.map(|(id, resource)| row(Action::Remove, id, resource, Vec::new())));
        Self {
            changes,
            permissions: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The tables whose items would be lost, or might be.
    pub fn lost_tables(&self) -> impl Iterator<Item = &ResourceChange> {
        self.changes.iter().filter(|change| {
            change.resource_type == "AWS::DynamoDB::Table"
                && !change.retained
                && matches!(
                    change.action,
                    Action::Replace | Action::MayReplace | Action::Remove
                )
        })
    }

    fn count(&self, action: Action) -> usize {
        self.changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    }
}

impl fmt::Display for ChangeSummary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (Action::Add, "to add"),
            (Action::Modify, "to change"),
            (Action::Replace, "to replace"),
            (Action::MayReplace, "perhaps to replace"),
            (Action::Remove, "to remove"),
        ];
        let counts: Vec<_> = words
            .iter()
            .map(|(action, word)| (self.count(*action), word))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        out.write_str(&if counts.is_empty() {
            "no resource changes".into()
        } else {
            counts.join(", ")
        })
    }
}

fn row(
    action: Action,
    id: &str,
    resource: &serde_json::Value,
    properties: Vec<String>,
) -> ResourceChange {
    ResourceChange {
        action,
        logical_id: id.to_owned(),
        resource_type: resource["Type"].as_str().unwrap_or_default().to_owned(),
        properties,
        values: Vec::new(),
        overlay: None,
        retained: false,
    }
}

fn changed(
    id: &str,
    earlier: &serde_json::Value,
    resource: &serde_json::Value,
    has_new_code: bool,
) -> Option<ResourceChange> {
    let empty = serde_json::Map::new();
    let of = |resource: &serde_json::Value| {
        resource["Properties"]
            .as_object()
            .cloned()
            .unwrap_or(empty.clone())
    };
    let (old, new) = (of(earlier), of(resource));
    let mut properties: Vec<String> = old
        .keys()
        .chain(new.keys())
        .filter(|key| old.get(*key) != new.get(*key))
        .cloned()
        .collect();
    if has_new_code {
        properties.push("Code".into());
    }
    properties.sort();
    properties.dedup();
    let moved = earlier["Type"] != resource["Type"];
    if properties.is_empty() && !moved {
        return None;
    }
    let replaces = moved
        || properties
            .iter()
            .any(|property| is_immutable(&resource["Type"], property))
        || resource["Type"] == "AWS::DynamoDB::Table" && has_new_types(&old, &new);
    Some(row(
        if replaces {
            Action::Replace
        } else {
            Action::Modify
        },
        id,
        resource,
        properties,
    ))
}

type Properties = serde_json::Map<String, serde_json::Value>;

/// Whether changing the property makes CloudFormation replace the resource
/// (CloudFormation resource type reference, "Update requires: Replacement").
fn is_immutable(resource_type: &serde_json::Value, property: &str) -> bool {
    match resource_type.as_str().unwrap_or_default() {
        "AWS::DynamoDB::Table" => {
            matches!(
                property,
                "TableName" | "KeySchema" | "LocalSecondaryIndexes"
            )
        }
        "AWS::ApiGatewayV2::Api" => property == "ProtocolType",
        "AWS::ApiGatewayV2::Stage" => matches!(property, "StageName" | "ApiId"),
        "AWS::Lambda::Function" => property == "FunctionName",
        "AWS::Lambda::Permission" => true,
        _ => property == "ApiId",
    }
}

/// Whether an attribute that a table keeps gets another type, which may replace the table
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>).
fn has_new_types(old: &Properties, new: &Properties) -> bool {
    let definitions = |properties: &Properties| -> Vec<serde_json::Value> {
        let definitions = properties.get("AttributeDefinitions");
        let definitions = definitions.and_then(serde_json::Value::as_array);
        definitions.cloned().unwrap_or_default()
    };
    let earlier = definitions(old);
    definitions(new).iter().any(|after| {
        earlier.iter().any(|before| {
            before["AttributeName"] == after["AttributeName"]
                && before["AttributeType"] != after["AttributeType"]
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn template(resources: serde_json::Value) -> Template {
        Template::new(json!({ "Resources": resources }))
    }

    fn check(
        old: Option<serde_json::Value>,
        new: serde_json::Value,
        new_code: &[&str],
        expected: Expect,
    ) {
        let summary = ChangeSummary::between(
            old.map(template).as_ref(),
            &template(new),
            &new_code.iter().map(|id| (*id).to_owned()).collect(),
        );
        let rows: String = summary
            .changes
            .iter()
            .map(|c| {
                format!(
                    "{:?} {} {}\n",
                    c.action,
                    c.logical_id,
                    c.properties.join(" ")
                )
            })
            .collect();
        expected.assert_eq(&format!("{rows}{summary}\n"));
    }

    #[test]
    fn a_first_deployment_adds_everything() {
        check(
            None,
            json!({"Table": {"Type": "AWS::DynamoDB::Table"}, "Api": {"Type": "AWS::ApiGatewayV2::Api"}}),
            &[],
            expect![[r#"
                Add Table 
                Add Api 
                2 to add
            "#]],
        );
    }

    #[test]
    fn a_changed_key_schema_replaces_the_table() {
        check(
            Some(
                json!({"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": 1, "BillingMode": 1}}}),
            ),
            json!({"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": 2, "BillingMode": 1}}}),
            &[],
            expect![[r#"
                Replace T KeySchema
                1 to replace
            "#]],
        );
    }

    fn with(property: &str, value: serde_json::Value) -> serde_json::Value {
        json!({"T": {"Type": "AWS::DynamoDB::Table", "Properties": {property: value}}})
    }

    #[test]
    fn other_local_indexes_replace_the_table() {
        check(
            Some(with("LocalSecondaryIndexes", json!([1]))),
            with("LocalSecondaryIndexes", json!([2])),
            &[],
            expect![[r#"
                Replace T LocalSecondaryIndexes
                1 to replace
            "#]],
        );
    }

    #[test]
    fn another_type_of_an_attribute_replaces_the_table_and_a_new_attribute_does_not() {
        let attribute =
            |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
        let before = with("AttributeDefinitions", json!([attribute("a", "S")]));
        check(
            Some(before.clone()),
            with("AttributeDefinitions", json!([attribute("a", "N")])),
            &[],
            expect![[r#"
                Replace T AttributeDefinitions
                1 to replace
            "#]],
        );
        check(
            Some(before),
            with(
                "AttributeDefinitions",
                json!([attribute("b", "N"), attribute("a", "S")]),
            ),
            &[],
            expect![[r#"
                Modify T AttributeDefinitions
                1 to change
            "#]],
        );
    }

    #[test]
    fn new_code_touches_its_functions_only() {
        let both =
            json!({"F": {"Type": "AWS::Lambda::Function"}, "G": {"Type": "AWS::Lambda::Function"}});
        check(
            Some(both.clone()),
            both,
            &["F"],
            expect![[r#"
                Modify F Code
                1 to change
            "#]],
        );
    }

    #[test]
    fn a_removed_route_is_removed_and_equal_resources_are_not_listed() {
        check(
            Some(
                json!({"A": {"Type": "AWS::ApiGatewayV2::Route"}, "B": {"Type": "AWS::ApiGatewayV2::Route"}}),
            ),
            json!({"A": {"Type": "AWS::ApiGatewayV2::Route"}}),
            &[],
            expect![[r#"
                Remove B 
                1 to remove
            "#]],
        );
    }
}
