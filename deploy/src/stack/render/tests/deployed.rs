//! Our shapes beside those that AWS has deployed: the property names, per type, of WebSocket stacks that AWS's own tools
//! deploy in their integration tests.
//!
//! CDK: <https://github.com/aws/aws-cdk/tree/6ca8a4a10847cbe4de2edecd5925a93a42c4821d/packages/@aws-cdk-testing/framework-integ/test>,
//! `aws-apigatewayv2-integrations/test/websocket/integ.{aws,http,lambda,mock}` and `aws-apigatewayv2/test/websocket/integ.stage`.
//! SAM: <https://github.com/aws/serverless-application-model/tree/fb91c819679cbf28051fca9a0725cf3a550925e6/integration/combination>,
//! `test_websocket_api_{basic,with_auth,route_config}`, with the resources that its `websocket_api_generator.py` makes.

use std::collections::BTreeSet;

use super::*;

/// Types and properties that were deployed.
const DEPLOYED: [(&str, &[&str]); 8] = [
    (
        "AWS::ApiGatewayV2::Api",
        &["Name", "ProtocolType", "RouteSelectionExpression"],
    ),
    (
        // SAM's `websocket_api_with_lambda_auth` has no `IdentitySource` either.
        "AWS::ApiGatewayV2::Authorizer",
        &["ApiId", "AuthorizerType", "AuthorizerUri", "Name"],
    ),
    (
        "AWS::ApiGatewayV2::Integration",
        &[
            "ApiId",
            "IntegrationMethod",
            "IntegrationType",
            "IntegrationUri",
            "PassthroughBehavior",
            "RequestTemplates",
            "TemplateSelectionExpression",
            "TimeoutInMillis",
        ],
    ),
    (
        "AWS::ApiGatewayV2::IntegrationResponse",
        &["ApiId", "IntegrationId", "IntegrationResponseKey"],
    ),
    (
        "AWS::ApiGatewayV2::Route",
        &[
            "ApiId",
            "AuthorizationType",
            "AuthorizerId",
            "RouteKey",
            "RouteResponseSelectionExpression",
            "Target",
        ],
    ),
    (
        "AWS::ApiGatewayV2::RouteResponse",
        &["ApiId", "RouteId", "RouteResponseKey"],
    ),
    (
        "AWS::ApiGatewayV2::Stage",
        &["ApiId", "AutoDeploy", "DefaultRouteSettings", "StageName"],
    ),
    (
        "AWS::Lambda::Permission",
        &["Action", "FunctionName", "Principal", "SourceArn"],
    ),
];

/// What we render beyond that. It rests on AWS's documents alone.
const DOCUMENTED: [(&str, &str); 1] = [
    // <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html>
    ("AWS::ApiGatewayV2::Integration", "RequestParameters"),
];

#[test]
fn the_api_s_resources_have_the_properties_that_aws_s_own_tools_deploy() {
    let mut beyond = BTreeSet::new();
    let mut types = BTreeSet::new();
    for toml in ["", FULL, ROOM, BACKEND, ALONE] {
        for resource in document(toml)["Resources"].as_object().unwrap().values() {
            let kind = resource["Type"].as_str().unwrap();
            let Some((kind, deployed)) = DEPLOYED.iter().find(|(name, _)| *name == kind) else {
                assert!(!kind.starts_with("AWS::ApiGatewayV2::"), "{kind}");
                continue;
            };
            types.insert(*kind);
            let properties = resource["Properties"].as_object().unwrap().keys();
            beyond.extend(
                properties
                    .filter(|property| !deployed.contains(&property.as_str()))
                    .map(|property| (*kind, property.clone())),
            );
        }
    }
    assert_eq!(types.len(), DEPLOYED.len(), "only {types:?} are rendered");
    let documented = DOCUMENTED.map(|(kind, property)| (kind, property.to_owned()));
    assert_eq!(beyond, BTreeSet::from(documented));
}

/// `AWS::Lambda::Permission` of CDK and SAM end the source in the route's key; ours must, too, and so must each route have
/// one. <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html>
#[test]
fn each_permission_s_source_ends_in_a_route_key_or_in_the_authorizer() {
    for toml in ["", FULL, ROOM, BACKEND, ALONE] {
        let document = document(toml);
        let resources = document["Resources"].as_object().unwrap();
        let of = |kind: &str| {
            let kind = kind.to_owned();
            resources
                .values()
                .filter(move |resource| resource["Type"] == kind)
                .map(|resource| &resource["Properties"])
        };
        let keys: BTreeSet<&str> = of("AWS::ApiGatewayV2::Route")
            .map(|route| route["RouteKey"].as_str().unwrap())
            .collect();
        for permission in of("AWS::Lambda::Permission") {
            let source = permission["SourceArn"]["Fn::Sub"].as_str().unwrap();
            let (_, last) = source.rsplit_once('/').unwrap();
            assert!(
                keys.contains(last) || last == "${Authorizer}" || last == "*",
                "{toml}: {source}"
            );
        }
    }
}
