//! Adapts a template to the partition of a Region.

use serde_json::{Value, json};

use super::parameter::CODE_BUCKET;
use crate::stack::Template;

/// The template for `region`. It differs only for AWS GovCloud (US), where Lambda refuses `LoggingConfig`
/// (<https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-lambda.html>,
/// <https://github.com/aws/aws-cdk/issues/29227>).
///
/// There, a function writes to the log group that is named after it. CloudFormation chooses the function's name, so the
/// group depends on the function, and the role's permission to write depends on the group. Until both exist, nothing
/// calls the function.
pub fn for_region(template: &Template, region: &str) -> Template {
    if !region.starts_with("us-gov-") {
        return template.clone();
    }
    let mut document = template.document().clone();
    let resources = document["Resources"].as_object_mut();
    let mut policies = Vec::new();
    if let Some(resources) = resources {
        let functions: Vec<(String, String, Value)> = resources
            .iter_mut()
            .filter_map(|(id, resource)| {
                let properties = resource.get_mut("Properties")?.as_object_mut()?;
                // An overlay's functions are as their author has them.
                if properties.get("Code")?["S3Bucket"]["Ref"] != CODE_BUCKET {
                    return None;
                }
                let logging = properties.shift_remove("LoggingConfig")?;
                let logs = logging["LogGroup"]["Ref"].as_str()?.to_owned();
                // What Lambda would tell the function.
                if let Value::String(level) = &logging["ApplicationLogLevel"] {
                    let environment = properties
                        .entry("Environment")
                        .or_insert_with(|| json!({ "Variables": {} }));
                    environment["Variables"]["LOG_LEVEL"] = json!(level);
                }
                Some((
                    id.clone(),
                    logs,
                    properties["Role"]["Fn::GetAtt"][0].clone(),
                ))
            })
            .collect();
        for (function, logs, role) in functions {
            let role = role.as_str().unwrap_or_default();
            if !resources.contains_key(&logs) || !resources.contains_key(role) {
                continue;
            }
            resources[&logs]["Properties"]["LogGroupName"] =
                json!({ "Fn::Sub": format!("/aws/lambda/${{{function}}}") });
            if let Some(mut policy) = taken_policy(&mut resources[role]["Properties"], &logs) {
                policy["Roles"] = json!([{ "Ref": role }]);
                policies.push((
                    format!("{logs}Policy"),
                    json!({ "Type": "AWS::IAM::Policy", "Properties": policy }),
                ));
            }
        }
        resources.extend(policies);
    }
    Template::new(document)
}

/// Removes the policy that names `logs` from a role's properties. An empty list of policies is removed too, because a
/// role must not have one.
fn taken_policy(role: &mut Value, logs: &str) -> Option<Value> {
    let policies = role.get_mut("Policies")?.as_array_mut()?;
    let names = |policy: &Value| {
        let statements = policy["PolicyDocument"]["Statement"].as_array();
        let arn = json!({ "Fn::GetAtt": [logs, "Arn"] });
        statements.is_some_and(|all| all.iter().any(|one| one["Resource"] == arn))
    };
    let policy = policies.remove(policies.iter().position(names)?);
    if policies.is_empty() {
        role.as_object_mut()?.shift_remove("Policies");
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::super::tests::{
        ALONE, ANNOUNCE, BACKEND, FULL, REQUESTS, REVIEWED, ROOM, belonging, depth, settings,
    };
    use super::*;
    use crate::stack::permissions::gained;
    use expect_test::expect_file;

    #[test]
    fn only_govcloud_has_a_different_template() {
        let template = render(&settings(FULL));
        for region in [
            "",
            "us-east-1",
            "cn-north-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "us-isof-south-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
        ] {
            assert_eq!(for_region(&template, region), template, "{region}");
        }
        let backend = render(&settings(BACKEND));
        assert_eq!(
            for_region(&backend, "us-gov-west-1"),
            backend,
            "it has no function"
        );
    }

    #[test]
    fn in_govcloud_log_groups_are_named_after_functions_and_permissions_are_the_same() {
        for toml in ["", FULL, ROOM, ALONE, REQUESTS, ANNOUNCE, REVIEWED] {
            let everywhere = render(&settings(toml));
            let there = for_region(&everywhere, "us-gov-east-1");
            assert_eq!(gained(Some(&everywhere), &there), []);
            assert_eq!(gained(Some(&there), &everywhere), []);
            let resources = there.document()["Resources"].as_object().unwrap();
            let functions = resources
                .iter()
                .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function");
            for (id, function) in functions {
                assert!(
                    function["Properties"].get("LoggingConfig").is_none(),
                    "{id}"
                );
                let logs = id.replace("Function", "Logs");
                let group = &resources[&logs]["Properties"];
                let name = format!("/aws/lambda/${{{id}}}");
                assert_eq!(group["LogGroupName"]["Fn::Sub"], name);
                assert_eq!(group["RetentionInDays"], 14);
                let role = id.replace("Function", "Role");
                let inline = resources[&role]["Properties"]
                    .get("Policies")
                    .map(Value::to_string)
                    .unwrap_or_default();
                assert!(!inline.contains(&logs), "{role} needs {logs}");
                assert!(
                    !["[]", "null"].contains(&inline.as_str()),
                    "{role}: {inline}"
                );
            }
            let deepest = |template: &Template| {
                let resources = template.document()["Resources"].as_object().unwrap();
                resources.keys().map(|id| depth(id, resources)).max()
            };
            assert!(deepest(&there) <= deepest(&everywhere), "{toml}");
        }
        let there = for_region(&render(&settings("")), "us-gov-west-1");
        expect_file!["snapshots/govcloud.json"].assert_eq(&format!(
            "{:#}\n",
            belonging(
                there.document(),
                &["Authorize", "ConnectLogs", "ConnectRole"]
            )
        ));
    }
}
