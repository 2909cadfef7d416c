//! Adapts a template to the rules of the account.

use serde_json::{Map, Value, json};

use crate::config::account::AccountRules;
use crate::stack::Template;

/// What a reader of an encrypted table does with its key.
const READING: [&str; 2] = ["kms:Decrypt", "kms:DescribeKey"];

/// What a writer does beside that.
const WRITING: [&str; 5] = [
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];

/// The template with `rules`: every role has the boundary and the path, and the key encrypts the table and the logs.
/// A local stack has none of it.
pub(in crate::stack) fn for_account(template: &Template, rules: &AccountRules) -> Template {
    let mut document = template.document().clone();
    let tables: Vec<Value> = template
        .resources()
        .filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table")
        .map(|(id, _)| json!({ "Fn::GetAtt": [id, "Arn"] }))
        .collect();
    for (_, resource) in document["Resources"].as_object_mut().into_iter().flatten() {
        let kind = resource["Type"].as_str().unwrap_or_default().to_owned();
        let ruled = [
            "AWS::IAM::Role",
            "AWS::DynamoDB::Table",
            "AWS::Logs::LogGroup",
        ];
        if !ruled.contains(&kind.as_str()) {
            continue;
        }
        let Some(properties) = properties_of(resource) else {
            continue;
        };
        match (kind.as_str(), &rules.kms_key) {
            ("AWS::IAM::Role", key) => {
                if let Some(boundary) = &rules.permissions_boundary {
                    set(properties, "PermissionsBoundary", json!(boundary.as_ref()));
                }
                if let Some(path) = &rules.role_path {
                    set(properties, "Path", json!(path.as_ref()));
                }
                if let Some(key) = key {
                    let_use(properties, &tables, key.as_ref());
                }
            }
            ("AWS::DynamoDB::Table", Some(key)) => {
                let encryption =
                    json!({ "SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": key.as_ref() });
                set(properties, "SSESpecification", encryption);
            }
            ("AWS::Logs::LogGroup", Some(key)) => {
                set(properties, "KmsKeyId", json!(key.as_ref()));
            }
            _ => {}
        }
    }
    Template::new(document)
}

/// A resource's properties. An overlay's need not have any.
fn properties_of(resource: &mut Value) -> Option<&mut Map<String, Value>> {
    let properties = resource.as_object_mut()?.entry("Properties");
    properties.or_insert_with(|| json!({})).as_object_mut()
}

/// Sets what an overlay has not set.
fn set(properties: &mut Map<String, Value>, name: &str, value: Value) {
    properties.entry(name).or_insert(value);
}

/// Permits a role that may use one of `tables` to use their key as far as it needs to, through DynamoDB only.
///
/// DynamoDB uses the key with the permissions of the table's user
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html>).
fn let_use(role: &mut Map<String, Value>, tables: &[Value], key: &str) {
    let Some(policies) = role.get_mut("Policies").and_then(Value::as_array_mut) else {
        return;
    };
    let statements = policies.iter().flat_map(|policy| {
        let statements = policy["PolicyDocument"]["Statement"].as_array();
        statements.into_iter().flatten()
    });
    let of_table = statements.filter(|statement| {
        let resources = &statement["Resource"];
        let mut all = resources
            .as_array()
            .map_or(std::slice::from_ref(resources), Vec::as_slice)
            .iter();
        all.any(|resource| tables.contains(resource))
    });
    let actions: Vec<&str> = of_table
        .flat_map(|statement| {
            let actions = &statement["Action"];
            actions
                .as_array()
                .map_or(std::slice::from_ref(actions), Vec::as_slice)
        })
        .filter_map(|action| action.as_str()?.strip_prefix("dynamodb:"))
        .collect();
    if actions.is_empty() {
        return;
    }
    let is_reading = |action: &&str| {
        let reading = [
            "Get",
            "BatchGet",
            "Query",
            "Scan",
            "ConditionCheck",
            "Describe",
        ];
        reading.iter().any(|word| action.starts_with(word))
    };
    let mut needed = READING.to_vec();
    if !actions.iter().all(is_reading) {
        needed.extend(WRITING);
    }
    // The suffix is another one in China.
    let through = json!({ "StringLike": { "kms:ViaService": { "Fn::Sub": "dynamodb.${AWS::Region}.${AWS::URLSuffix}" } } });
    let statement =
        json!({ "Effect": "Allow", "Action": needed, "Resource": key, "Condition": through });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    policies.push(json!({ "PolicyName": "key", "PolicyDocument": document }));
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::super::tests::{BACKEND, FULL, ROOM, settings};
    use super::*;
    use crate::stack::permissions::gained;
    use expect_test::expect;

    const RULES: &str = r#"
[aws]
permissions-boundary = "arn:aws:iam::123456789012:policy/bounds/chats"
role-path = "/chats/"
kms-key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
"#;

    /// The renderings of `toml` without and with the rules.
    fn both(toml: &str) -> (Template, Template) {
        let settings = settings(&format!("{toml}{RULES}"));
        let plain = render(&settings);
        (plain.clone(), for_account(&plain, &settings.aws.rules))
    }

    #[test]
    fn every_role_table_and_log_group_follows_the_rules_and_nothing_else_changes() {
        for toml in ["", FULL, ROOM, BACKEND] {
            let (plain, ruled) = both(toml);
            for ((id, before), (_, after)) in plain.resources().zip(ruled.resources()) {
                let properties = &after["Properties"];
                match after["Type"].as_str().unwrap() {
                    "AWS::IAM::Role" => {
                        let boundary = "arn:aws:iam::123456789012:policy/bounds/chats";
                        assert_eq!(properties["PermissionsBoundary"], boundary, "{id}");
                        assert_eq!(properties["Path"], "/chats/", "{id}");
                    }
                    "AWS::DynamoDB::Table" => {
                        assert_eq!(properties["SSESpecification"]["SSEType"], "KMS");
                    }
                    "AWS::Logs::LogGroup" => {
                        assert!(
                            properties["KmsKeyId"]
                                .as_str()
                                .unwrap()
                                .contains(":key/1234abcd")
                        );
                    }
                    _ => assert_eq!(before, after, "{id}"),
                }
            }
        }
        let without = settings("");
        let plain = render(&without);
        assert_eq!(for_account(&plain, &without.aws.rules), plain);
    }

    #[test]
    fn only_roles_that_use_the_table_may_use_its_key_and_readers_do_not_write() {
        let (plain, ruled) = both(
            "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"look\"\nhandler = \"look\"\n\
             permissions = [{ actions = [\"dynamodb:Query\"], resources = [\"table\"] }]\n\
             [[routes]]\nkey = \"draw\"\nhandler = \"draw\"\n",
        );
        let mut roles: std::collections::BTreeMap<String, Vec<String>> = Default::default();
        for permission in gained(Some(&plain), &ruled) {
            assert!(
                permission.condition.contains("kms:ViaService"),
                "{permission}"
            );
            let action = permission.what.trim_start_matches("may kms:").to_owned();
            roles.entry(permission.role).or_default().push(action);
        }
        let lines = roles
            .iter()
            .map(|(role, actions)| format!("{role}: {}\n", actions.join(" ")));
        expect![[r#"
            ConnectRole: Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo
            DirectRole: Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo
            DisconnectRole: Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo
            HandlerLookRole: Decrypt DescribeKey
        "#]]
        .assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn a_boundary_that_is_taken_away_is_a_gained_permission() {
        let (plain, ruled) = both("");
        let gained = gained(Some(&ruled), &plain);
        let lines: Vec<_> = gained.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert_eq!(
            lines[0],
            "AuthorizeRole is no longer denied anything beyond arn:aws:iam::123456789012:policy/bounds/chats"
        );
    }
}
