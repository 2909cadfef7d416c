//! Routes, integrations, authorizers and stages that API Gateway or the local target refuses.

use expect_test::{Expect, expect};

use crate::api::PARTS;
use crate::check_resource_error;

/// The error after `change` to the parts above.
fn check_change(from: &str, to: &str, expected: Expect) {
    assert!(PARTS.contains(from), "{from} is not in the template");
    check_resource_error(&PARTS.replace(from, to), expected);
}

#[test]
fn every_wrong_route_is_refused() {
    check_change(
        "RouteKey: nothing",
        "RouteKey: $nothing",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.RouteKey: `$nothing` begins with `$`, but only $connect, $disconnect and $default may"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: ''",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.RouteKey: must not be empty"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: $default",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.RouteKey: `Default` already has the route key `$default`"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: nothing, AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.AuthorizationType: only $connect can be authorized, but this is the route `nothing`"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: nothing, ApiKeyRequired: true",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.ApiKeyRequired: the local target has no API keys"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: nothing, RequestModels: { a: b }",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.RequestModels: there is no model `b` in this template"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: nothing, Target: integrations/none",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.Target: there is no integration with the id `none` in this template"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: nothing, Target: !Ref Integration",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.Target: must have the form integrations/{id}, but is `baaq88l`"
        ],
    );
    check_change(
        "AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer",
        "AuthorizationType: AWS_IAM",
        expect![
            "the template cannot be used: line 19: Resources.Connect.Properties.AuthorizationType: AWS_IAM is not supported by the local target"
        ],
    );
    check_change(
        "AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer",
        "AuthorizationType: JWT",
        expect![
            "the template cannot be used: line 19: Resources.Connect.Properties.AuthorizationType: JWT is for HTTP APIs only"
        ],
    );
    check_change(
        "AuthorizationType: CUSTOM",
        "AuthorizationType: custom",
        expect![
            "the template cannot be used: line 19: Resources.Connect.Properties.AuthorizationType: must be one of NONE, AWS_IAM, CUSTOM, JWT, but is `custom`"
        ],
    );
    check_change(
        ", AuthorizerId: !Ref Authorizer",
        "",
        expect![
            "the template cannot be used: line 17: Resources.Connect: `AuthorizationType: CUSTOM` needs an `AuthorizerId`"
        ],
    );
    check_change(
        "AuthorizerId: !Ref Authorizer",
        "AuthorizerId: none",
        expect![
            "the template cannot be used: line 19: Resources.Connect.Properties.AuthorizerId: there is no authorizer with the id `none` in this template"
        ],
    );
    check_change(
        "RouteId: !Ref Default",
        "RouteId: none",
        expect![
            "the template cannot be used: line 25: Resources.Answer.Properties.RouteId: there is no route with the id `none` in this template"
        ],
    );
    check_change(
        "ApiId: !Ref Api, RouteKey: nothing",
        "ApiId: a1b2c3d4e5, RouteKey: nothing",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.ApiId: `a1b2c3d4e5` is not the id of `Api`, the API of this template"
        ],
    );
}

#[test]
fn every_wrong_integration_and_authorizer_is_refused() {
    check_change(
        "IntegrationType: AWS_PROXY",
        "IntegrationType: AWS",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.IntegrationType: the local target runs AWS_PROXY (Lambda), HTTP, HTTP_PROXY and MOCK integrations; call another AWS service from a function"
        ],
    );
    check_change(
        "IntegrationType: AWS_PROXY",
        "IntegrationType: AWS_PROXIED",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.IntegrationType: must be one of AWS, AWS_PROXY, HTTP, HTTP_PROXY, MOCK, but is `AWS_PROXIED`"
        ],
    );
    check_change(
        "TimeoutInMillis: 50",
        "TimeoutInMillis: 49",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.TimeoutInMillis: must be a whole number from 50 to 29000, but is `49`"
        ],
    );
    check_change(
        "TimeoutInMillis: 50",
        "TimeoutInMillis: 29001",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.TimeoutInMillis: must be a whole number from 50 to 29000, but is `29001`"
        ],
    );
    check_change(
        "TimeoutInMillis: 50",
        "CredentialsArn: 'arn:aws:iam::y:role/r'",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.CredentialsArn: the local target only invokes functions by their AWS::Lambda::Permission; omit this property"
        ],
    );
    check_change(
        "TimeoutInMillis: 50",
        "ConnectionType: VPC_LINK",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.ConnectionType: a Lambda integration has no VPC link"
        ],
    );
    check_change(
        "'arn:aws:lambda:x:y:function:chat'",
        "'https://example.com'",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.IntegrationUri: must have the form arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations, but is `https://example.com`"
        ],
    );
    check_change(
        ", IntegrationUri: 'arn:aws:lambda:x:y:function:chat'",
        "",
        expect![
            "the template cannot be used: line 6: Resources.Integration: the property `IntegrationUri` is required here"
        ],
    );
    check_change(
        "AuthorizerType: REQUEST",
        "AuthorizerType: JWT",
        expect![
            "the template cannot be used: line 13: Resources.Authorizer.Properties.AuthorizerType: a WebSocket API only supports REQUEST authorizers"
        ],
    );
    check_change(
        "route.request.header.msgfrom",
        "method.request.header.msgfrom",
        expect![
            "the template cannot be used: line 16: Resources.Authorizer.Properties.IdentitySource: `method.request.header.msgfrom` is not one of route.request.header., route.request.querystring., stageVariables., context., each followed by a name"
        ],
    );
    check_change(
        "Name: who",
        "Name: who\n      EnableSimpleResponses: true",
        expect![
            "the template cannot be used: line 15: Resources.Authorizer.Properties.EnableSimpleResponses: is for HTTP APIs only"
        ],
    );
    check_change(
        "Name: who",
        "Name: who\n      AuthorizerCredentialsArn: 'arn:aws:iam::y:role/r'",
        expect![
            "the template cannot be used: line 15: Resources.Authorizer.Properties.AuthorizerCredentialsArn: the local target only invokes functions by their AWS::Lambda::Permission; omit this property"
        ],
    );
}

fn check_stage(properties: &str, expected: Expect) {
    let stage = format!(
        "{PARTS}  Stage: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, {properties} }} }}\n"
    );
    let deployment = "  Deployment: { Type: 'AWS::ApiGatewayV2::Deployment', Properties: { ApiId: !Ref Api } }\n";
    check_resource_error(&(stage + deployment), expected);
}

#[test]
fn every_wrong_stage_is_refused() {
    check_stage(
        "StageName: $default",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.StageName: must be 1 to 128 letters, digits and `-` `_`, but is `$default`"
        ],
    );
    check_stage(
        "StageName: 'a/b'",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.StageName: must be 1 to 128 letters, digits and `-` `_`, but is `a/b`"
        ],
    );
    check_stage(
        "StageName: v1, DeploymentId: none",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.DeploymentId: there is no deployment with the id `none` in this template"
        ],
    );
    check_stage(
        "StageName: v1, AutoDeploy: maybe",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.AutoDeploy: must be true or false, but is `maybe`"
        ],
    );
    check_stage(
        "StageName: v1, StageVariables: { a-b: c }",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.StageVariables: the variable name `a-b` may only contain letters, digits and `_`"
        ],
    );
    check_stage(
        "StageName: v1, StageVariables: { a: 'b c' }",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.StageVariables: the value of `a` may only contain letters, digits and -._~:/?#&=,"
        ],
    );
    check_stage(
        "StageName: v1, DefaultRouteSettings: { ThrottlingBurstLimit: -1 }",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.DefaultRouteSettings.ThrottlingBurstLimit: must be a whole number, but is `-1`"
        ],
    );
    check_stage(
        "StageName: v1, DefaultRouteSettings: { ThrottlingRateLimit: fast }",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.DefaultRouteSettings.ThrottlingRateLimit: must be a number, zero or more, but is `fast`"
        ],
    );
    let stage =
        "{ Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: !Ref Api, StageName: v1 } }";
    check_resource_error(
        &format!("  One: {stage}\n  Two: {stage}\n"),
        expect![
            "the template cannot be used: line 6: Resources.Two.Properties.StageName: `One` already has the stage name `v1`"
        ],
    );
}
