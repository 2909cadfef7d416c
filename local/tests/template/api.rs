//! The WebSocket API: routes, integrations, authorizers, stages, deployments.

use chatctl_local::unstable::stack::{Api, Authorization, Integration, IntegrationKind};
use expect_test::{Expect, expect};

use crate::{API, check_error, check_resource_error, stack, with_api};

pub(crate) const PARTS: &str = "
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

fn function(integration: &Integration) -> &str {
    match &integration.kind {
        IntegrationKind::Function { arn } => arn,
        _ => "no function",
    }
}

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
            integration.logical_id,
            function(integration),
            integration.timeout
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
fn the_parts_of_an_api_are_connected() {
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
fn ids_have_api_gateway_s_format_and_are_stable() {
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
            .map(|found| function(&found).to_owned())
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
            "the template cannot be used: it has no AWS::ApiGatewayV2::Api, but a local stack needs exactly one"
        ],
    );
    check_resource_error(
        &API.replace("Api:\n", "Second:\n"),
        expect![
            "the template cannot be used: line 6: Resources.Second: a second API beside `Api`, but the local target runs one for each stack"
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
                "the template cannot be used: line 4: Resources.Api.Properties.DisableExecuteApiEndpoint: the local target has no other endpoint"
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
