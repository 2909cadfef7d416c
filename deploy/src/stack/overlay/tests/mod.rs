//! What an overlay makes of a template.

mod any;
mod here;
mod odd;
mod refusals;

use expect_test::expect;
use serde_json::json;

use super::*;
use crate::config::overlay::Overlay;
use crate::stack::Template;
use crate::stack::change::ChangeSummary;
use crate::stack::outline::outline;
use crate::stack::policy::uncovered;
use crate::stack::render::for_region;
use crate::stack::render::render;
use crate::stack::render::tests::{BACKEND, FULL, ROOM, settings};

/// The settings of `toml` with the overlay `text`.
fn with(toml: &str, text: &str) -> Result<Settings, Snippet> {
    let settings = Settings {
        overlay: Some(Overlay::from_text(text)?),
        ..settings(toml)
    };
    match check(&settings) {
        Ok(()) => Ok(settings),
        Err(ConfigError::Invalid(snippet)) => Err(snippet),
        Err(other) => panic!("{other}"),
    }
}

fn accepted(toml: &str, text: &str) -> Template {
    render(&with(toml, text).unwrap_or_else(|error| panic!("{error}")))
}

const QUEUE: &str = r#"
Conditions:
  Far: !Not [!Equals [!Ref "AWS::Region", eu-west-1]]
Mappings:
  Days:
    far: { kept: 4 }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Condition: Far
    Properties:
      MessageRetentionPeriod: !FindInMap [Days, far, kept]
  Ask:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: ask
      Roles: [!Ref DirectRole]
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{ Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn }]
  DirectFunction:
    Properties:
      MemorySize: 512
      Description: null
      Environment: { Variables: { QUEUE: !Sub "${Queue}/${AWS::Region}" } }
  Connections:
    Properties:
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
Outputs:
  QueueUrl:
    Value: !Ref Queue
"#;

#[test]
fn resources_outputs_and_changes_become_part_of_the_template_and_nothing_else_changes() {
    let before = render(&settings(""));
    let after = accepted("", QUEUE);
    let resources = &after.document()["Resources"];
    assert_eq!(resources["DirectFunction"]["Properties"]["MemorySize"], 512);
    assert!(resources["DirectFunction"]["Properties"]["Description"].is_null());
    let variables = &resources["DirectFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["TABLE_NAME"]["Ref"], "Connections");
    assert_eq!(variables["QUEUE"]["Fn::Sub"], "${Queue}/${AWS::Region}");
    assert_eq!(resources["Queue"]["Type"], "AWS::SQS::Queue");
    assert_eq!(
        after.document()["Outputs"]["QueueUrl"]["Value"]["Ref"],
        "Queue"
    );
    for (id, resource) in before.resources() {
        if !["DirectFunction", "Connections"].contains(&id) {
            assert_eq!(&resources[id], resource, "{id}");
        }
    }
    let outputs = before.document()["Outputs"].as_object().unwrap();
    for (name, output) in outputs {
        assert_eq!(&after.document()["Outputs"][name], output);
    }
    assert_eq!(
        before.document()["Parameters"],
        after.document()["Parameters"]
    );
}

#[test]
fn an_overlay_without_anything_changes_nothing() {
    for text in [
        "",
        "# nothing\n",
        "Resources:\n",
        "{}",
        "Resources: {}\nOutputs: {}\n",
        "AWSTemplateFormatVersion: 2010-09-09\n",
    ] {
        for toml in ["", FULL, ROOM, BACKEND] {
            assert_eq!(accepted(toml, text), render(&settings(toml)), "{text}");
        }
    }
}

#[test]
fn the_stage_also_waits_for_routes_of_the_overlay_s_to_chatctl_s_api() {
    let route = |api: &str| {
        format!(
            "Resources:\n  Other:\n    Type: AWS::ApiGatewayV2::Api\n    Properties: {{ ProtocolType: WEBSOCKET }}\n  \
             Mine:\n    Type: AWS::ApiGatewayV2::Route\n    Properties: {{ ApiId: !Ref {api}, RouteKey: mine }}\n"
        )
    };
    let waits =
        |api: &str| accepted("", &route(api)).document()["Resources"]["Stage"]["DependsOn"].clone();
    assert!(waits("Api").as_array().unwrap().contains(&json!("Mine")));
    assert!(!waits("Other").as_array().unwrap().contains(&json!("Mine")));
}

#[test]
fn rules_of_the_account_and_regions_leave_what_the_overlay_says() {
    let rules = "[aws]\npermissions-boundary = \"arn:aws:iam::123456789012:policy/b\"\nrole-path = \"/chat/\"\n\
                 kms-key = \"arn:aws:kms:eu-west-1:123456789012:key/x\"\n";
    let text = "Resources:\n  Mine:\n    Type: AWS::IAM::Role\n    Properties: { Path: /mine/, AssumeRolePolicyDocument: {} }\n  Logs:\n    \
                Type: AWS::Logs::LogGroup\n  Queue:\n    Type: AWS::SQS::Queue\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      \
                Code: { ZipFile: x }\n      Role: !GetAtt Mine.Arn\n      LoggingConfig: { LogGroup: !Ref Logs }\n";
    let settings = with(rules, text).unwrap();
    let ruled = for_account(&render(&settings), &settings.aws.rules);
    let there = for_region(&ruled, "us-gov-west-1");
    let resources = &there.document()["Resources"];
    assert_eq!(resources["Mine"]["Properties"]["Path"], "/mine/");
    assert_eq!(
        resources["Mine"]["Properties"]["PermissionsBoundary"],
        "arn:aws:iam::123456789012:policy/b"
    );
    assert!(!resources["Logs"]["Properties"]["KmsKeyId"].is_null());
    assert!(
        resources["Logs"]["Properties"]
            .get("LogGroupName")
            .is_none()
    );
    assert_eq!(resources["Queue"], json!({ "Type": "AWS::SQS::Queue" }));
    assert_eq!(
        resources["F"]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"],
        "Logs"
    );
    assert!(
        resources["DirectFunction"]["Properties"]
            .get("LoggingConfig")
            .is_none()
    );
}

#[test]
fn a_plan_says_what_is_the_overlay_s() {
    let settings = with("", QUEUE).unwrap();
    let additions = Additions::from_settings(&settings).unwrap();
    let old = render(&self::settings(""));
    let code = ["DirectFunction".to_owned()].into();
    let mut summary = ChangeSummary::between(Some(&old), &render(&settings), &code);
    additions.mark(&mut summary);
    let lines: Vec<_> = std::iter::once(additions.reported())
        .chain(outline(&summary))
        .collect();
    expect![[r#"
        overlay extra.yaml: adds 2 resources; adds 1 output; changes Connections (PointInTimeRecoverySpecification), DirectFunction (MemorySize, Description, Environment)
        + Queue AWS::SQS::Queue (overlay)
        + Ask AWS::IAM::Policy (overlay)
        ~ Connections AWS::DynamoDB::Table: PointInTimeRecoverySpecification (overlay: PointInTimeRecoverySpecification)
        ~ DirectFunction AWS::Lambda::Function: Code, Description, Environment, MemorySize (overlay: MemorySize, Description, Environment)"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_the_policy_may_lack_is_named() {
    let settings = with("", QUEUE).unwrap();
    expect!["Connections (PointInTimeRecoverySpecification)"]
        .assert_eq(&uncovered(&settings).join("\n"));
    assert_eq!(uncovered(&self::settings("")), [""; 0]);
    let named =
        "Resources:\n  T:\n    Type: AWS::Logs::LogGroup\n    Properties: { LogGroupName: x }\n";
    let named = with("", named).unwrap();
    assert_eq!(
        uncovered(&named),
        ["T (AWS::Logs::LogGroup, with a name of its own)"]
    );
}
