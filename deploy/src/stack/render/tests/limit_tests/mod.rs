//! AWS's limits of sizes and orders, checked against renderings with the longest possible names.

mod bounds;
mod environments;

use std::collections::BTreeMap;

use super::*;
use crate::config::names::{StackName, StageName};
use crate::config::permission::{MAX_POLICIES_BYTES, size_of_policies};

/// The most bytes of a function's policy
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_FUNCTION_POLICY_BYTES: usize = 20_480;

/// The partition and the Region with the longest names, combined in an account's ARN. They do not belong together.
const PLACE: [(&str, &str); 4] = [
    ("${AWS::Partition}", "aws-us-gov"),
    ("${AWS::Region}", "us-isof-south-1"),
    ("${AWS::AccountId}", "123456789012"),
    ("${Api}", "abcdefghij"),
];

/// Settings with the longest names, and `routes`.
fn longest(routes: &str) -> Settings {
    let stack = format!("s{}", "-".repeat(127));
    let stage = "t".repeat(128);
    settings(&format!(
        "stack = \"{stack}\"\nstage = \"{stage}\"\n{routes}"
    ))
}

/// As many routes with the longest names as the config accepts: to friends, or to rooms.
fn many(receivers: &str) -> String {
    let route = |number: usize| {
        let key = format!("{number:0>60}");
        format!("[[routes]]\nkey = \"{key}\"\nreceivers = \"{receivers}\"\n")
    };
    (0..24).map(route).collect()
}

/// `value` with every reference resolved to its longest possible value.
fn resolved(value: &Value, settings: &Settings) -> Value {
    let stack = settings.stack.as_ref();
    // CloudFormation cuts the names that it makes for functions to 64 characters, and those of tables to 255.
    let arn = |id: &str| {
        let place = "arn:aws-us-gov:SERVICE:us-isof-south-1:123456789012";
        if id.ends_with("Function") {
            format!(
                "{}:function:{}",
                place.replace("SERVICE", "lambda"),
                "f".repeat(64)
            )
        } else if id.ends_with("Logs") {
            let name = format!("{stack}-{id}-ABCDEFGHIJKLM");
            format!("{}:log-group:{name}:*", place.replace("SERVICE", "logs"))
        } else {
            let name = format!("{stack}-{id}-ABCDEFGHIJKLM");
            format!("{}:table/{name}", place.replace("SERVICE", "dynamodb"))
        }
    };
    match value {
        Value::Array(items) => items.iter().map(|item| resolved(item, settings)).collect(),
        Value::Object(fields) => {
            if let Some(Value::Array(path)) = fields.get("Fn::GetAtt") {
                return json!(arn(path[0].as_str().unwrap()));
            }
            if let Some(Value::String(text)) = fields.get("Fn::Sub") {
                let stage = ("${StageName}", settings.stage.as_ref());
                let all = PLACE.into_iter().chain([stage]);
                let text = all.fold(text.clone(), |text, (name, value)| {
                    text.replace(name, value)
                });
                return json!(text.replace("${Authorizer}", "abcdefghij"));
            }
            let resolve =
                |(name, value): (&String, &Value)| (name.clone(), resolved(value, settings));
            fields.iter().map(resolve).collect::<Section>().into()
        }
        scalar => scalar.clone(),
    }
}

/// The policies that say who may invoke each function, as Lambda makes them of permissions: the statement's id begins
/// with the stack's name, and the source is a condition
/// (<https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html>).
fn policies_of_functions(settings: &Settings) -> BTreeMap<String, String> {
    let rendered = render(settings);
    let mut statements: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (id, resource) in rendered.resources() {
        if resource["Type"] != "AWS::Lambda::Permission" {
            continue;
        }
        let properties = resolved(&resource["Properties"], settings);
        let function = properties["FunctionName"]["Ref"].as_str().unwrap();
        let arn = resolved(&json!({ "Fn::GetAtt": [function, "Arn"] }), settings);
        statements
            .entry(function.to_owned())
            .or_default()
            .push(json!({
                "Sid": format!("{}-{id}-ABCDEFGHIJKLM", settings.stack),
                "Effect": "Allow",
                "Principal": { "Service": properties["Principal"] },
                "Action": properties["Action"],
                "Resource": arn,
                "Condition": { "ArnLike": { "AWS:SourceArn": properties["SourceArn"] } },
            }));
    }
    let policy = |statements: Vec<Value>| {
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string()
    };
    statements
        .into_iter()
        .map(|(function, all)| (function, policy(all)))
        .collect()
}

#[test]
fn a_function_s_policy_fits_its_limit_whatever_the_names_and_routes() {
    for routes in [
        "",
        FULL,
        ROOM,
        ALONE,
        REQUESTS,
        &many("friend"),
        &many("room"),
    ] {
        for (function, policy) in policies_of_functions(&longest(routes)) {
            assert!(policy.contains(&"t".repeat(128)) || policy.contains("/authorizers/"));
            // It has one statement, which leaves room for others.
            assert_eq!(policy.matches("\"Sid\"").count(), 1, "{function}");
            assert!(
                policy.len() < MAX_FUNCTION_POLICY_BYTES / 10,
                "{function}: {}",
                policy.len()
            );
        }
    }
    // One route more is refused.
    let more = many("friend") + &many("friend").replace("key = \"0", "key = \"1");
    let error = loaded(&more).unwrap_err().to_string();
    assert!(error.contains("one route too many"), "{error}");
}

#[test]
fn a_permission_covers_the_one_route_of_a_function_or_the_stage_s_routes() {
    let source = |routes: &str, id: &str| {
        let rendered = document(routes);
        let source = &rendered["Resources"][id]["Properties"]["SourceArn"]["Fn::Sub"];
        source
            .as_str()
            .unwrap_or_default()
            .rsplit_once("${Api}/")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(source("", "DirectPermission"), "${StageName}/$default");
    assert_eq!(source(FULL, "DirectPermission"), "${StageName}/*");
    assert_eq!(source(FULL, "BroadcastPermission"), "${StageName}/*");
    assert_eq!(source(FULL, "HandlerRollPermission"), "${StageName}/roll");
    assert_eq!(source(FULL, "ConnectPermission"), "${StageName}/$connect");
}

/// The characters of all policies in each role, white space not counted.
fn policies_of_roles(settings: &Settings) -> BTreeMap<String, usize> {
    let rendered = render(settings);
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    let size = |document: &Value| resolved(document, settings).to_string().len();
    for (id, resource) in rendered.resources() {
        let properties = &resource["Properties"];
        match resource["Type"].as_str() {
            Some("AWS::IAM::Role") => {
                let policies = properties["Policies"].as_array().into_iter().flatten();
                let own: usize = policies.map(|policy| size(&policy["PolicyDocument"])).sum();
                *sizes.entry(id.to_owned()).or_default() += own;
            }
            Some("AWS::IAM::Policy") => {
                let role = properties["Roles"][0]["Ref"].as_str().unwrap();
                *sizes.entry(role.to_owned()).or_default() += size(&properties["PolicyDocument"]);
            }
            _ => {}
        }
    }
    sizes
}

#[test]
fn the_policies_of_our_own_functions_fit_into_their_roles_whatever_the_names() {
    for routes in ["", FULL, ROOM, ALONE, REQUESTS, REVIEWED] {
        for (role, size) in policies_of_roles(&longest(routes)) {
            assert!(size < MAX_POLICIES_BYTES / 4, "{role}: {size}");
        }
    }
}

#[test]
fn the_computed_size_of_a_handler_s_policies_is_an_upper_bound_and_close() {
    let key: String = "k".repeat(100);
    let routes = FULL.replace("key = \"roll\"", &format!("key = \"{key}\""));
    for settings in [settings(FULL), longest(&routes), longest(ALONE)] {
        let rendered = policies_of_roles(&settings);
        for (key, handler) in settings.custom_handlers() {
            let role = ids::for_route("Handler", key) + "Role";
            let (stack, stage): (&StackName, &StageName) = (&settings.stack, &settings.stage);
            let judged = size_of_policies(&handler.grants, key, stack, stage);
            let actual = rendered[&role];
            assert!(
                (actual..actual + 50).contains(&judged),
                "{role}: {actual}, {judged}"
            );
        }
    }
}

#[test]
fn the_stage_depends_on_every_part_of_a_deployment_of_the_api() {
    for routes in [
        "",
        FULL,
        ROOM,
        ALONE,
        BACKEND,
        REQUESTS,
        REVIEWED,
        &many("room"),
    ] {
        let rendered = document(routes);
        let resources = rendered["Resources"].as_object().unwrap();
        let kinds = ["Route", "RouteResponse", "IntegrationResponse"];
        let is_part = |resource: &Value| {
            kinds
                .iter()
                .any(|kind| resource["Type"] == format!("AWS::ApiGatewayV2::{kind}"))
        };
        let parts: Vec<_> = resources
            .iter()
            .filter(|(_, it)| is_part(it))
            .map(|(id, _)| id)
            .collect();
        assert!(parts.len() >= 3);
        assert_eq!(resources["Stage"]["DependsOn"], json!(parts));
        for part in parts {
            assert!(
                !resources[part].to_string().contains("\"Stage\""),
                "{part} waits for the stage"
            );
        }
    }
}
