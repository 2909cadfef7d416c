//! What an overlay makes of a template, and what is refused.

use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::overlay::Overlay;
use crate::stack::change::ChangeSummary;
use crate::stack::outline::outline;
use crate::stack::policy::uncovered;
use crate::stack::render::for_region;
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

#[track_caller]
fn refused(text: &str, line: usize, parts: &[&str]) {
    let error = with("", text).expect_err(text).to_string();
    assert!(error.starts_with(&format!("extra.yaml:{line}:")), "{error}");
    for part in parts {
        assert!(error.contains(part), "no {part:?} in {error}");
    }
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
fn a_mistake_is_shown_with_its_line_and_what_to_do() {
    let error = with(
        "",
        "Resources:\n  DirectFuntion:\n    Properties: { MemorySize: 512 }\n",
    )
    .unwrap_err();
    expect![[r#"
        extra.yaml:2:3: this stack has no resource `DirectFuntion`, but `DirectFunction`: a change needs a logical id that `chatctl render` shows without the overlay, and a resource of your own a `Type`
            |
          2 |   DirectFuntion:
            |   ^^^^^^^^^^^^^"#]]
    .assert_eq(&error.to_string());
    let own = "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n";
    for (text, line, parts) in [
        // References.
        (
            "    Properties: { QueueName: !Ref Tabel }\n",
            4,
            ["no resource or parameter `Tabel`", "render"],
        ),
        (
            "    Properties: { QueueName: !GetAtt Conections.Arn }\n",
            4,
            ["`Conections`, but `Connections`", "render"],
        ),
        (
            "    Properties: { QueueName: !Sub '${!a}${StageName}${Nothing.Arn}' }\n",
            4,
            ["no resource `Nothing`", ""],
        ),
        (
            "    DependsOn: [Api, Ap]\n",
            4,
            ["no resource `Ap`", "but `Api`"],
        ),
        ("    Condition: Never\n", 4, ["no condition `Never`", ""]),
        (
            "    Properties: { QueueName: !If [Never, a, b] }\n",
            4,
            ["no condition `Never`", ""],
        ),
        (
            "    Properties: { QueueName: !FindInMap [M, a, b] }\n",
            4,
            ["no mapping `M`", ""],
        ),
        // Form.
        (
            "    Propertis: {}\n",
            4,
            ["`Propertis` is not an attribute", "`Properties`"],
        ),
        (
            "    DeletionPolicy: Keep\n",
            4,
            ["one of Delete, Retain", ""],
        ),
        (
            "    Properties: { QueueName: ~ }\n",
            4,
            ["no empty value", "leave the key out"],
        ),
        ("    Properties: [1]\n", 4, ["must be a mapping", ""]),
        (
            "    DependsOn: [R]\n  R:\n    Type: AWS::SNS::Topic\n    DependsOn: Q\n",
            2,
            ["Q → R → Q", "take one of"],
        ),
        (
            "  a-b:\n    Type: AWS::SQS::Queue\n",
            4,
            ["`a-b` is no logical id", "letters and digits"],
        ),
        (
            "  ConnectLogsPolicy:\n    Type: AWS::IAM::Policy\n",
            4,
            ["chatctl's in some Regions", "another one"],
        ),
        (
            "  R:\n    Type: Queue\n",
            5,
            ["such as AWS::SQS::Queue", ""],
        ),
        (
            "Outputs:\n  Url: { Value: x }\n",
            5,
            ["`Url` is chatctl's", "another name"],
        ),
        (
            "Outputs:\n  X: { Description: x }\n",
            5,
            ["needs a `Value`", ""],
        ),
        (
            "Parameters:\n  X: { Type: String }\n",
            4,
            ["`Parameters`", "`Mappings`"],
        ),
        (
            "Transform: AWS::Serverless-2016-10-31\n",
            4,
            ["transform", "paste what it makes"],
        ),
        ("Description: mine\n", 4, ["chatctl's", "comment"]),
        (
            "R:\n  Type: AWS::SQS::Queue\n",
            4,
            ["belongs under `Resources`", ""],
        ),
        (
            "Conditions:\n  C: !Equals [!Ref Api, x]\n",
            5,
            ["a condition cannot use the resource `Api`", ""],
        ),
        (
            "  Again:\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref Api\n      RouteKey: $default\n",
            8,
            ["has the route \"$default\" already", "[[routes]]"],
        ),
    ] {
        refused(&format!("{own}{text}"), line, &parts);
    }
}

#[test]
fn what_the_rest_of_chatctl_relies_on_is_kept() {
    for (id, change, parts) in [
        (
            "DirectFunction",
            "Type: AWS::SQS::Queue",
            ["chatctl's AWS::Lambda::Function", "another logical id"],
        ),
        (
            "DirectFunction",
            "Properties: { Handler: x }",
            ["`Handler` of DirectFunction", "`handler` in the config"],
        ),
        (
            "DirectFunction",
            "Properties: { Handler: null }",
            ["`Handler`", "which code runs"],
        ),
        (
            "DirectFunction",
            "Properties: { Runtime: python3.13 }",
            ["`Runtime`", "which code runs"],
        ),
        (
            "DirectFunction",
            "Properties: { Code: { S3Key: x } }",
            ["`Code`", ""],
        ),
        ("DirectFunction", "Properties: { Role: x }", ["`Role`", ""]),
        (
            "DirectFunction",
            "Properties: { Layers: [x] }",
            ["`Layers`", ""],
        ),
        (
            "DirectFunction",
            "Properties: { FunctionName: x }",
            ["`FunctionName`", "leave it out"],
        ),
        (
            "DirectFunction",
            "Properties: { LoggingConfig: { LogGroup: x } }",
            ["LoggingConfig.LogGroup", "chatctl logs"],
        ),
        (
            "DirectFunction",
            "Properties: { Environment: { Variables: { TABLE_NAME: x } } }",
            ["Environment.Variables.TABLE_NAME", "another name"],
        ),
        (
            "DirectFunction",
            "Properties: { Environment: { Variables: { AUTH_MODE: token } } }",
            ["AUTH_MODE", "the config sets"],
        ),
        (
            "DirectFunction",
            "Properties: { Environment: null }",
            ["TABLE_NAME", ""],
        ),
        (
            "DirectFunction",
            "Properties: { Timeouts: null }",
            ["has no `Timeouts`", ""],
        ),
        ("DirectFunction", "Condition: C", ["`Condition`", "Fn::If"]),
        (
            "DirectFunction",
            "DependsOn: null",
            ["`DependsOn`", "added to"],
        ),
        (
            "Connections",
            "DeletionPolicy: Retain",
            ["`DeletionPolicy`", "--keep-data"],
        ),
        (
            "Connections",
            "Properties: { KeySchema: [] }",
            ["`KeySchema`", ""],
        ),
        (
            "Connections",
            "Properties: { TimeToLiveSpecification: { Enabled: false } }",
            ["TimeToLive", ""],
        ),
        (
            "Connections",
            "Properties: { AttributeDefinitions: [] }",
            ["`pk` and `sk`", "repeat them"],
        ),
        (
            "DirectRole",
            "Properties: { Policies: [] }",
            ["`Policies`", "AWS::IAM::Policy"],
        ),
        (
            "DirectRole",
            "Properties: { AssumeRolePolicyDocument: { Statement: [] } }",
            ["`AssumeRolePolicyDocument`", "who may act"],
        ),
        (
            "DirectPermission",
            "Properties: { Principal: x }",
            ["`Principal`", "who may act"],
        ),
        (
            "DefaultRoute",
            "Properties: { Target: x }",
            ["`Target`", "[[routes]]"],
        ),
        (
            "ConnectRoute",
            "Properties: { AuthorizationType: NONE }",
            ["`AuthorizationType`", "`[auth]`"],
        ),
        (
            "Authorizer",
            "Properties: { AuthorizerUri: x }",
            ["`AuthorizerUri`", ""],
        ),
        (
            "DirectIntegration",
            "Properties: { IntegrationUri: x }",
            ["`IntegrationUri`", ""],
        ),
        (
            "Api",
            "Properties: { RouteSelectionExpression: $request.body.type }",
            ["RouteSelection", ""],
        ),
        (
            "Stage",
            "Properties: { AutoDeploy: false }",
            ["`AutoDeploy`", "`[stage]`"],
        ),
        (
            "Stage",
            "Properties: { DefaultRouteSettings: null }",
            ["Throttling", "`[stage]`"],
        ),
        (
            "DirectLogs",
            "Properties: { LogGroupName: x }",
            ["`LogGroupName`", ""],
        ),
    ] {
        refused(&format!("Resources:\n  {id}:\n    {change}\n"), 3, &parts);
    }
    refused(
        "Resources:\n  DirectFunction: null\n",
        2,
        &["stays", "`Properties`"],
    );
    // Beside it, much can be changed.
    for (id, change) in [
        (
            "DirectFunction",
            "{ MemorySize: 256, Timeout: 5, TracingConfig: { Mode: Active }, Environment: { Variables: { A: b } } }",
        ),
        (
            "DirectFunction",
            "{ LoggingConfig: { SystemLogLevel: INFO }, ReservedConcurrentExecutions: 5, Handler: direct }",
        ),
        (
            "DirectRole",
            "{ ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess'] }",
        ),
        (
            "Stage",
            "{ DefaultRouteSettings: { DetailedMetricsEnabled: true }, Tags: { a: b } }",
        ),
        ("Api", "{ Name: mine }"),
        ("DirectIntegration", "{ TimeoutInMillis: 5000 }"),
        ("DirectLogs", "{ RetentionInDays: 30 }"),
        (
            "Connections",
            "{ AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: sk, AttributeType: S}, \
             {AttributeName: room, AttributeType: S}] }",
        ),
    ] {
        accepted(
            "",
            &format!(
                "Resources:\n  {id}:\n    Type: {}\n    Properties: {change}\n",
                {
                    let template = render(&settings(""));
                    template.document()["Resources"][id]["Type"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                }
            ),
        );
    }
}

#[test]
fn limits_of_cloudformation_are_found_before_it_is_asked() {
    let topics: String = (0..500)
        .map(|n| format!("  T{n}: {{ Type: 'AWS::SNS::Topic' }}\n"))
        .collect();
    refused(
        &format!("Resources:\n{topics}"),
        1,
        &["resources, and a stack has 500 at most", "of their own"],
    );
    let outputs: String = (0..200)
        .map(|n| format!("  O{n}: {{ Value: x }}\n"))
        .collect();
    refused(
        &format!("Outputs:\n{outputs}"),
        1,
        &["outputs, and a stack has 200 at most"],
    );
    let long = "x".repeat(60_000);
    refused(
        &format!("Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Metadata: {{ Text: {long} }}\n"),
        1,
        &["51200 at most", "a stack of its own"],
    );
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
    let additions = Additions::of(&settings).unwrap();
    let old = render(&self::settings(""));
    let code = ["DirectFunction".to_owned()].into();
    let mut summary = ChangeSummary::between(Some(&old), &render(&settings), &code);
    additions.mark(&mut summary);
    let lines: Vec<_> = std::iter::once(additions.told())
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
    expect![[r#"
        Queue (AWS::SQS::Queue)
        Connections (PointInTimeRecoverySpecification)"#]]
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

fn here(text: &str) -> Here {
    let settings = with("", text).unwrap_or_else(|error| panic!("{error}"));
    for_machine(
        &render(&settings),
        Additions::of(&settings).as_ref(),
        |kind| chatctl_local::supported_types().any(|known| known == kind),
    )
}

#[test]
fn one_machine_runs_what_it_knows_and_names_the_rest_once() {
    let here = here(QUEUE);
    assert_eq!(
        here.told().unwrap(),
        "no effect on this machine: Queue (AWS::SQS::Queue); references to them get placeholders"
    );
    let document = here.template.document();
    let resources = &document["Resources"];
    assert!(resources.get("Queue").is_none());
    assert_eq!(resources["DirectFunction"]["Properties"]["MemorySize"], 512);
    let variables = &resources["DirectFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["QUEUE"]["Fn::Sub"], "Queue/${AWS::Region}");
    let statement = &resources["Ask"]["Properties"]["PolicyDocument"]["Statement"][0];
    let arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:Queue";
    assert_eq!(statement["Resource"]["Fn::Sub"], arn);
    assert!(document["Outputs"].get("QueueUrl").is_none());
}

/// A local stack's reader must take what is left of any overlay.
#[test]
fn what_is_left_for_one_machine_can_run_there() {
    let function = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
  Count:
    Type: AWS::Lambda::Function
    Properties: { Runtime: python3.13, Handler: index.handler, Role: !GetAtt Role.Arn, Code: { ZipFile: "x" } }
  CountIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !Sub "arn:${AWS::Partition}:apigateway:${Count.Arn}" }
  CountRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: count, Target: !Sub "integrations/${CountIntegration}" }
  CountPermission:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Count, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com }
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
  Bound:
    Type: AWS::IAM::ManagedPolicy
    Properties: { PolicyDocument: { Version: 2012-10-17, Statement: [] } }
  DirectRole:
    Properties: { ManagedPolicyArns: [!Ref Bound] }
  DirectFunction:
    DependsOn: Count
"#;
    let identity = chatctl_local::unstable::stack::Identity {
        stack_name: "chat".into(),
        region: "us-east-1".into(),
        account_id: "000000000000".into(),
        seed: "x".into(),
    };
    let values = [("CodeBucket", "b"), ("CodeKey", "k")];
    let values = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    for (text, idle) in [
        ("", vec![]),
        (QUEUE, vec!["Queue"]),
        (
            function,
            vec![
                "Bound",
                "Count",
                "CountIntegration",
                "CountPermission",
                "CountRoute",
            ],
        ),
    ] {
        let here = here(text);
        assert_eq!(here.idle.keys().collect::<Vec<_>>(), idle);
        let json = here.template.to_json();
        let read = chatctl_local::unstable::template::resolve(&json, &values, &identity);
        read.unwrap_or_else(|error| panic!("{error}\n{json}"));
    }
}

/// Every property of the default template, by resource.
fn properties() -> Vec<(String, String, Value)> {
    let template = render(&settings(""));
    let all = template.resources().flat_map(|(id, resource)| {
        let properties = resource["Properties"].as_object().unwrap().clone();
        properties
            .into_iter()
            .map(|(name, value)| (id.to_owned(), name, value))
    });
    all.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn saying_what_chatctl_says_changes_nothing(picked in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let all = properties();
        let mut document = json!({ "Resources": {} });
        for index in picked {
            let (id, name, value) = index.get(&all);
            document["Resources"][id]["Properties"][name] = value.clone();
        }
        prop_assert_eq!(accepted("", &document.to_string()), render(&settings("")));
    }

    #[test]
    fn a_value_of_any_kind_anywhere_is_merged_or_refused_and_never_more_than_said(
        index in any::<prop::sample::Index>(),
        value in prop_oneof![Just(json!(null)), Just(json!("x")), Just(json!([])), Just(json!({"Ref": "Api"})), Just(json!({"x": 1}))],
    ) {
        let all = properties();
        let (id, name, _) = index.get(&all);
        let text = json!({ "Resources": { id: { "Properties": { name: value } } } }).to_string();
        match with("", &text) {
            Err(error) => prop_assert!(error.to_string().starts_with("extra.yaml:1:")),
            Ok(settings) => {
                let before = render(&self::settings(""));
                for ((id_before, before), (id_after, after)) in before.resources().zip(render(&settings).resources()) {
                    prop_assert_eq!(id_before, id_after);
                    let mut after = after.clone();
                    if id_before == id {
                        after["Properties"][name] = before["Properties"][name].clone();
                    }
                    prop_assert_eq!(before, &after);
                }
            }
        }
    }
}
