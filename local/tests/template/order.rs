//! Creation order, cycles, names and digests.

use expect_test::expect;

use crate::{check_resource_error, stack, with_api};

fn order(resources: &str) -> String {
    let stack = stack(&with_api(resources));
    stack
        .resources
        .iter()
        .map(|resource| resource.logical_id.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn resources_come_after_their_references_and_otherwise_in_template_order() {
    let resources = "
  D: { Type: 'AWS::Logs::LogGroup', DependsOn: C }
  C: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Sub '${A}-c' } }
  B: { Type: 'AWS::Logs::LogGroup' }
  A: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Join ['', [a, !Select [0, !Split ['-', !Ref B]]]] } }
";
    assert_eq!(order(resources), "Api B A C D");
}

#[test]
fn a_reference_in_an_untaken_branch_does_not_affect_the_order() {
    let template = format!(
        "Conditions:\n  No: !Equals [a, b]\n{}",
        with_api(
            "
  A: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !If [No, !Ref B, a] } }
  B: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Sub '${A}-b' } }
"
        )
    );
    let names: Vec<String> = stack(&template)
        .resources
        .into_iter()
        .map(|resource| resource.physical_id)
        .collect();
    assert_eq!(names[1..], ["a", "a-b"]);
}

#[test]
fn a_cycle_is_listed() {
    check_resource_error(
        "
  A: { Type: 'AWS::Logs::LogGroup', DependsOn: B }
  B: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Ref C } }
  C: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Sub '${B}' } }
",
        expect![
            "the template cannot be used: line 7: Resources.B: circular dependency between resources: B → C → B"
        ],
    );
}

#[test]
fn a_digest_only_changes_with_the_properties() {
    let digest = |properties: &str| {
        let logs =
            format!("  Logs:\n    Type: AWS::Logs::LogGroup\n    Properties: {properties}\n");
        stack(&with_api(&logs)).resources[1].digest.clone()
    };
    let one = digest("{ LogGroupName: a, RetentionInDays: 7 }");
    assert_eq!(one.len(), 64);
    assert_eq!(
        one,
        digest("{ RetentionInDays: '7', LogGroupName: !Join ['', [a]] }")
    );
    assert_ne!(one, digest("{ LogGroupName: a, RetentionInDays: 14 }"));
}

#[test]
fn one_failed_resource_is_one_problem() {
    check_resource_error(
        "
  A: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: 'not a name' } }
  B: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Sub '${A}-b' } }
  C: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Sub '${B}-c' } }
",
        expect![
            "the template cannot be used: line 6: Resources.A.Properties.LogGroupName: must be 1 to 512 letters, digits and `.` `_` `-` `/` `#`, but is `not a name`"
        ],
    );
}

#[test]
fn every_wrong_declaration_is_reported_with_its_line() {
    check_resource_error(
        "
  A: text
  B: { Properties: {} }
  C: { Type: 'AWS::SNS::Topic' }
  D: { Type: 'AWS::Logs::LogGroup', Propertys: {} }
  E-F: { Type: 'AWS::Logs::LogGroup' }
  G: { Type: 'AWS::Logs::LogGroup', DeletionPolicy: Keep }
  H: { Type: 'AWS::Logs::LogGroup', UpdatePolicy: {} }
  I: { Type: 'AWS::Logs::LogGroup', DependsOn: { a: b } }
  J: { Type: 'AWS::CloudFormation::CustomResource' }
",
        expect![[r#"
            the template cannot be used, for 9 reasons:
              line 6: Resources.A: must be a map, but is a string
              line 7: Resources.B: the attribute `Type` is required
              line 8: Resources.C: the local target does not support the type `AWS::SNS::Topic`, only AWS::ApiGatewayV2::Api, AWS::ApiGatewayV2::Authorizer, AWS::ApiGatewayV2::Deployment, AWS::ApiGatewayV2::Integration, AWS::ApiGatewayV2::IntegrationResponse, AWS::ApiGatewayV2::Model, AWS::ApiGatewayV2::Route, AWS::ApiGatewayV2::RouteResponse, AWS::ApiGatewayV2::Stage, AWS::DynamoDB::Table, AWS::IAM::Policy, AWS::IAM::Role, AWS::Lambda::EventInvokeConfig, AWS::Lambda::Function, AWS::Lambda::Permission, AWS::Logs::LogGroup
              line 9: Resources.D: `Propertys` is not an attribute of a resource
              line 10: Resources.E-F: a logical id must have letters and digits only, 255 at most
              line 11: Resources.G: `DeletionPolicy` must be one of Delete, Retain, RetainExceptOnCreate, Snapshot
              line 12: Resources.H: the attribute `UpdatePolicy` has no effect on the types that the local target supports
              line 13: Resources.I.DependsOn: must be a string, but is a map
              line 14: Resources.J: the local target does not support the type `AWS::CloudFormation::CustomResource`, only AWS::ApiGatewayV2::Api, AWS::ApiGatewayV2::Authorizer, AWS::ApiGatewayV2::Deployment, AWS::ApiGatewayV2::Integration, AWS::ApiGatewayV2::IntegrationResponse, AWS::ApiGatewayV2::Model, AWS::ApiGatewayV2::Route, AWS::ApiGatewayV2::RouteResponse, AWS::ApiGatewayV2::Stage, AWS::DynamoDB::Table, AWS::IAM::Policy, AWS::IAM::Role, AWS::Lambda::EventInvokeConfig, AWS::Lambda::Function, AWS::Lambda::Permission, AWS::Logs::LogGroup"#]],
    );
}

#[test]
fn retained_resources_with_metadata_are_accepted() {
    let resources = "
  A:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Metadata: { why: [history, 1] }
";
    assert_eq!(order(resources), "Api A");
}

#[test]
fn more_resources_than_cloudformation_accepts_are_refused() {
    let many: String = (0..500)
        .map(|i| format!("  L{i}: {{ Type: 'AWS::Logs::LogGroup' }}\n"))
        .collect();
    check_resource_error(
        &many,
        expect![
            "the template cannot be used: line 2: Resources: there are 501 resources, 500 at most"
        ],
    );
}
