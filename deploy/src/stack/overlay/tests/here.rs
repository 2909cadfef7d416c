//! What of an overlay runs on one machine.

use super::*;

fn here(text: &str) -> LocalTemplate {
    let settings = with("", text).unwrap_or_else(|error| panic!("{error}"));
    for_machine(
        &render(&settings),
        Additions::from_settings(&settings).as_ref(),
        |kind| chatctl_local::supported_types().any(|known| known == kind),
    )
}

#[test]
fn one_machine_runs_what_it_supports_and_names_the_rest_once() {
    let here = here(QUEUE);
    assert_eq!(
        here.reported().unwrap(),
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
