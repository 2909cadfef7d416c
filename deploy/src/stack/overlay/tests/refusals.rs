//! What is refused, with its line and what to do.

use expect_test::expect;

use super::*;

#[track_caller]
pub(super) fn refused(text: &str, line: usize, parts: &[&str]) {
    let error = with("", text).expect_err(text).to_string();
    assert!(error.starts_with(&format!("extra.yaml:{line}:")), "{error}");
    for part in parts {
        assert!(error.contains(part), "no {part:?} in {error}");
    }
}

#[test]
fn a_mistake_is_shown_with_its_line_and_what_to_do() {
    let error = with(
        "",
        "Resources:\n  DirectsFunction:\n    Properties: { MemorySize: 512 }\n",
    )
    .unwrap_err();
    expect![[r#"
        extra.yaml:2:3: this stack has no resource `DirectsFunction`, but `DirectFunction`: a change needs a logical id that `chatctl render` shows without the overlay, and a resource of your own a `Type`
            |
          2 |   DirectsFunction:
            |   ^^^^^^^^^^^^^^^"#]]
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
            ["Variables.AUTH", "the config sets"],
        ),
        (
            "DirectFunction",
            "Properties: { Environment: null }",
            ["Variables.TABLE", ""],
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
        &["resources, and a stack has 500 at most", "of its own"],
    );
    let outputs: String = (0..200)
        .map(|n| format!("  O{n}: {{ Value: x }}\n"))
        .collect();
    refused(
        &format!("Outputs:\n{outputs}"),
        1,
        &["outputs, and a stack has 200 at most"],
    );
    let long = "x".repeat(1_000_000);
    refused(
        &format!("Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Metadata: {{ Text: {long} }}\n"),
        1,
        &["1000000 at most", "a stack of its own"],
    );
}
