//! The WebSocket API: routes, integrations, authorizers, stages, deployments.

use chatctl_local::stack::{Api, Authorization};
use expect_test::{Expect, expect};

use crate::{API, check_error, check_resource_error, stack, with_api};

const PARTS: &str = "
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: 'arn:aws:lambda:x:y:function:chat', TimeoutInMillis: 50 }
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      AuthorizerType: REQUEST
      Name: who
      AuthorizerUri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:x:y:function:who/invocations'
      IdentitySource: [route.request.header.msgfrom, route.request.querystring.token]
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer, Target: !Sub 'integrations/${Integration}' }
  Default:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $default, RouteResponseSelectionExpression: $default, Target: !Join [/, [integrations, !Ref Integration]] }
  Answer:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref Default, RouteResponseKey: $default }
  Nothing:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: nothing, RouteResponseSelectionExpression: $default }
";

/// The API as text: one line for each part.
fn summary(api: &Api) -> String {
    let mut text = format!("select {}\n", api.route_selection_expression);
    for route in api.routes.values() {
        let integration = route
            .integration
            .as_ref()
            .map_or("nothing", |id| &api.integrations[id].logical_id);
        let guard = match &route.authorization {
            Authorization::None => String::new(),
            Authorization::Custom(id) => format!(" guarded by {}", api.authorizers[id].logical_id),
        };
        let ways = if route.two_way { " both ways" } else { "" };
        text.push_str(&format!(
            "route {} → {integration}{guard}{ways}\n",
            route.key
        ));
    }
    for integration in api.integrations.values() {
        text.push_str(&format!(
            "integration {} → {} in {:?}\n",
            integration.logical_id, integration.function_arn, integration.timeout
        ));
    }
    for authorizer in api.authorizers.values() {
        let sources = authorizer.identity_sources.join(", ");
        text.push_str(&format!(
            "authorizer {} → {} by {sources}\n",
            authorizer.logical_id, authorizer.function_arn
        ));
    }
    for stage in api.stages.values() {
        text.push_str(&format!(
            "stage {} {:?} {:?}\n",
            stage.name, stage.variables, stage.deployed
        ));
    }
    text
}

fn check(resources: &str, expected: Expect) {
    expected.assert_eq(&summary(&stack(&with_api(resources)).api));
}

#[test]
fn the_parts_of_an_api_find_one_another() {
    check(
        PARTS,
        expect![[r#"
        select $request.body.action
        route $connect → Integration guarded by Authorizer
        route $default → Integration both ways
        route nothing → nothing
        integration Integration → arn:aws:lambda:x:y:function:chat in 50ms
        authorizer Authorizer → arn:aws:lambda:x:y:function:who by route.request.header.msgfrom, route.request.querystring.token
    "#]],
    );
}

#[test]
fn ids_have_the_form_of_api_gateway_and_stay() {
    let template = with_api(&format!(
        "{PARTS}Outputs:\n  Endpoint: {{ Value: !GetAtt Api.ApiEndpoint }}\n  Route: {{ Value: !GetAtt Connect.RouteId }}\n"
    ));
    let (one, two) = (stack(&template), stack(&template));
    assert_eq!(one, two);
    let is_id = |id: &str, length| {
        id.len() == length
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    assert!(is_id(&one.api.id, 10));
    assert!(
        one.api
            .integrations
            .keys()
            .chain(one.api.authorizers.keys())
            .all(|id| is_id(id, 7))
    );
    assert!(is_id(&one.outputs["Route"], 7));
    assert_eq!(
        one.outputs["Endpoint"],
        format!(
            "wss://{}.execute-api.eu-central-1.amazonaws.com",
            one.api.id
        )
    );
}

#[test]
fn a_stage_is_live_by_auto_deploy_by_deployment_or_not_at_all() {
    check(
        &format!(
            "{PARTS}
  Auto: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, StageName: auto, AutoDeploy: true }} }}
  Never: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, StageName: never, StageVariables: {{ room: lobby }} }} }}
  Fixed: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, StageName: fixed, DeploymentId: !Ref Deployment }} }}
  Empty: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, StageName: empty, DeploymentId: !Ref Early }} }}
  Late: {{ Type: 'AWS::ApiGatewayV2::Stage', Properties: {{ ApiId: !Ref Api, StageName: late }} }}
  Deployment: {{ Type: 'AWS::ApiGatewayV2::Deployment', DependsOn: Answer, Properties: {{ ApiId: !Ref Api, Description: !Sub 'has ${{Connect}}' }} }}
  Early: {{ Type: 'AWS::ApiGatewayV2::Deployment', Properties: {{ ApiId: !Ref Api }} }}
  Naming: {{ Type: 'AWS::ApiGatewayV2::Deployment', DependsOn: [Late, Nothing], Properties: {{ ApiId: !Ref Api, StageName: late }} }}
"
        ),
        expect![[r#"
            select $request.body.action
            route $connect → Integration guarded by Authorizer
            route $default → Integration both ways
            route nothing → nothing
            integration Integration → arn:aws:lambda:x:y:function:chat in 50ms
            authorizer Authorizer → arn:aws:lambda:x:y:function:who by route.request.header.msgfrom, route.request.querystring.token
            stage auto {} Some(["$connect", "$default", "nothing"])
            stage empty {} Some([])
            stage fixed {} Some(["$connect", "$default"])
            stage late {} Some(["nothing"])
            stage never {"room": "lobby"} None
        "#]],
    );
}

#[test]
fn integration_uris_keep_stage_variables_and_unknown_functions() {
    let integration = |uri: &str| {
        let resources = format!(
            "  I: {{ Type: 'AWS::ApiGatewayV2::Integration', Properties: {{ ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: {uri} }} }}"
        );
        stack(&with_api(&resources))
            .api
            .integrations
            .into_values()
            .map(|found| found.function_arn)
            .collect::<String>()
    };
    assert_eq!(
        integration(
            "!Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:x:y:function:${!stageVariables.f}/invocations'"
        ),
        "arn:aws:lambda:x:y:function:${stageVariables.f}"
    );
    assert_eq!(
        integration("'arn:aws:lambda:x:y:function:elsewhere:live'"),
        "arn:aws:lambda:x:y:function:elsewhere:live"
    );
}

#[test]
fn a_stack_has_exactly_one_api() {
    check_error(
        "Resources:\n  L: { Type: 'AWS::Logs::LogGroup' }",
        expect![
            "the template cannot be used: it has no AWS::ApiGatewayV2::Api, and a local stack needs exactly one"
        ],
    );
    check_resource_error(
        &API.replace("Api:\n", "Second:\n"),
        expect![
            "the template cannot be used: line 6: Resources.Second: a second API: `Api` is one already, and the local target runs one for each stack"
        ],
    );
}

#[test]
fn every_wrong_api_is_refused() {
    for (change, expected) in [
        (
            ("ProtocolType: WEBSOCKET", "ProtocolType: HTTP"),
            expect![
                "the template cannot be used: line 4: Resources.Api.Properties.ProtocolType: must be WEBSOCKET: the local target does not run HTTP APIs"
            ],
        ),
        (
            ("ProtocolType: WEBSOCKET, ", ""),
            expect![
                "the template cannot be used: line 2: Resources.Api.Properties: the property `ProtocolType` is required"
            ],
        ),
        (
            (", RouteSelectionExpression: $request.body.action", ""),
            expect![
                "the template cannot be used: line 2: Resources.Api: a WebSocket API needs a `RouteSelectionExpression`, such as $request.body.action"
            ],
        ),
        (
            ("Name: chat", "Name: chat, CorsConfiguration: {}"),
            expect![
                "the template cannot be used: line 4: Resources.Api.Properties.CorsConfiguration: is for HTTP APIs only"
            ],
        ),
        (
            ("Name: chat", "Name: chat, DisableExecuteApiEndpoint: true"),
            expect![
                "the template cannot be used: line 4: Resources.Api.Properties.DisableExecuteApiEndpoint: the local target has no other endpoint than this one"
            ],
        ),
        (
            ("Name: chat", "Name: chat, name: chat"),
            expect![
                "the template cannot be used: line 4: Resources.Api.Properties: there is no property `name`; did you mean `Name`?"
            ],
        ),
    ] {
        check_error(
            &format!("Resources:{}", API.replace(change.0, change.1)),
            expected,
        );
    }
}

/// The message after `change` to the parts above.
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
            "the template cannot be used: line 28: Resources.Nothing.Properties.RouteKey: `$nothing` begins with `$`, which only $connect, $disconnect and $default may"
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
            "the template cannot be used: line 28: Resources.Nothing.Properties.RouteKey: `Default` has the route key `$default` already"
        ],
    );
    check_change(
        "RouteKey: nothing",
        "RouteKey: nothing, AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer",
        expect![
            "the template cannot be used: line 28: Resources.Nothing.Properties.AuthorizationType: only $connect can be authorized, and this is the route `nothing`"
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
            "the template cannot be used: line 28: Resources.Nothing.Properties.RequestModels: the local target does not validate messages against models"
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
        "IntegrationType: MOCK",
        expect![
            "the template cannot be used: line 8: Resources.Integration.Properties.IntegrationType: the local target runs AWS_PROXY integrations (Lambda) only"
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
            "the template cannot be used: line 8: Resources.Integration.Properties.CredentialsArn: the local target invokes a function by its AWS::Lambda::Permission only; leave this out"
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
            "the template cannot be used: line 13: Resources.Authorizer.Properties.AuthorizerType: a WebSocket API has REQUEST authorizers only"
        ],
    );
    check_change(
        "route.request.header.msgfrom",
        "method.request.header.msgfrom",
        expect![
            "the template cannot be used: line 16: Resources.Authorizer.Properties.IdentitySource: `method.request.header.msgfrom` is none of route.request.header., route.request.querystring., stageVariables., context., each with a name behind it"
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
            "the template cannot be used: line 15: Resources.Authorizer.Properties.AuthorizerCredentialsArn: the local target invokes a function by its AWS::Lambda::Permission only; leave this out"
        ],
    );
}

#[test]
fn a_two_way_route_needs_both_halves() {
    let two_way = |resources: &str| stack(&with_api(resources)).api.routes["$default"].two_way;
    assert!(two_way(PARTS));
    assert!(!two_way(&PARTS.replace(
        "RouteKey: $default, RouteResponseSelectionExpression: $default",
        "RouteKey: $default"
    )));
    assert!(!two_way(&PARTS.replace(
        "RouteResponseKey: $default",
        "RouteResponseKey: other"
    )));
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
        "StageName: v1, AutoDeploy: true, DeploymentId: !Ref Deployment",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.DeploymentId: a stage has either `AutoDeploy: true` or a `DeploymentId`"
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
            "the template cannot be used: line 29: Resources.Stage.Properties.StageVariables: the variable name `a-b` must have letters, digits and `_` only"
        ],
    );
    check_stage(
        "StageName: v1, StageVariables: { a: 'b c' }",
        expect![
            "the template cannot be used: line 29: Resources.Stage.Properties.StageVariables: the value of `a` must have letters, digits and -._~:/?#&=, only"
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
            "the template cannot be used: line 6: Resources.Two.Properties.StageName: `One` has the stage name `v1` already"
        ],
    );
}
