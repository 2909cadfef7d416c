//! Integrations without functions, their responses, and models: accepted and refused ones.

use chatctl_local::unstable::stack::{
    HttpRequest, IntegrationKind, ParameterSource, ParameterTarget, Passthrough, ResponseSource,
};
use expect_test::{Expect, expect};

use crate::{check_resource_error, stack, with_api};

const PARTS: &str = "
  Http:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: HTTP
      IntegrationMethod: POST
      IntegrationUri: https://example.com/{where}/${stageVariables.room}
      PassthroughBehavior: NEVER
      TemplateSelectionExpression: \\$default
      RequestTemplates: { $default: '$input.body' }
      RequestParameters: { integration.request.header.who: route.request.querystring.who }
      TimeoutInMillis: 100
  HttpDefault:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties:
      ApiId: !Ref Api
      IntegrationId: !Ref Http
      IntegrationResponseKey: $default
      ResponseParameters: { method.response.header.who: integration.response.header.x-who }
  HttpWrong:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties:
      ApiId: !Ref Api
      IntegrationId: !Ref Http
      IntegrationResponseKey: '/4../'
      ResponseTemplates: { $default: wrong }
      ContentHandlingStrategy: CONVERT_TO_TEXT
  Message:
    Type: AWS::ApiGatewayV2::Model
    Properties: { ApiId: !Ref Api, Name: message, Schema: { type: object, required: [text] } }
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $connect
      Target: !Sub integrations/${Http}
      RequestParameters: { route.request.querystring.who: { Required: true } }
  Send:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: send
      Target: !Sub integrations/${Http}
      ModelSelectionExpression: $request.body.kind
      RequestModels: { a: message, b: !Ref Message }
";

#[test]
fn an_http_integration_has_all_its_parts() {
    let api = stack(&with_api(PARTS)).api;
    let integration = api.integrations.values().next().unwrap();
    let IntegrationKind::Http(request, mapping) = &integration.kind else {
        panic!("{integration:?}");
    };
    assert_eq!(integration.timeout.as_millis(), 100);
    let HttpRequest {
        method,
        uri,
        parameters,
    } = request;
    assert_eq!(
        (method.as_str(), uri.as_str()),
        ("POST", "https://example.com/{where}/${stageVariables.room}")
    );
    assert_eq!(parameters[0].target, ParameterTarget::Header);
    assert_eq!(
        parameters[0].source,
        ParameterSource::QueryString("who".to_owned())
    );
    assert_eq!(mapping.passthrough, Passthrough::Never);
    assert_eq!(mapping.selection.as_deref(), Some("\\$default"));
    assert_eq!(mapping.request_templates["$default"], "$input.body");
    let keys: Vec<&str> = mapping
        .responses
        .iter()
        .map(|one| one.key.as_str())
        .collect();
    assert_eq!(keys, ["$default", "/4../"]);
    assert_eq!(
        mapping.responses[0].headers,
        [("who".to_owned(), ResponseSource::Header("x-who".to_owned()))]
    );
    assert!(mapping.responses[1].encodes_base64);
    let validation = api.routes["send"].validation.as_ref().unwrap();
    assert_eq!(validation.models["a"], validation.models["b"]);
    assert!(api.routes["$connect"].request_parameters["route.request.querystring.who"]);
}

#[test]
fn an_http_proxy_and_a_mock_have_few_required_properties() {
    let parts = "
  Proxy:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationMethod: ANY, IntegrationUri: 'HTTP://127.0.0.1:1' }
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: MOCK }
";
    let api = stack(&with_api(parts)).api;
    let kinds = api.integrations.values().map(|one| match one.kind {
        IntegrationKind::HttpProxy(_) => "proxy",
        IntegrationKind::Mock(_) => "mock",
        _ => "other",
    });
    let mut kinds: Vec<_> = kinds.collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["mock", "proxy"]);
}

/// The error after `change` to the parts above.
#[track_caller]
fn check_change(from: &str, to: &str, expected: Expect) {
    assert!(PARTS.contains(from), "{from} is not in the template");
    check_resource_error(&PARTS.replace(from, to), expected);
}

#[test]
fn every_wrong_http_integration_is_refused() {
    for (from, to, expected) in [
        (
            "https://example.com/",
            "ftp://example.com/",
            expect![
                "the template cannot be used: line 12: Resources.Http.Properties.IntegrationUri: must be an http:// or https:// URL, but is `ftp://example.com/{where}/${stageVariables.room}`"
            ],
        ),
        (
            "https://example.com/{where}/${stageVariables.room}",
            "'https://example com'",
            expect![
                "the template cannot be used: line 12: Resources.Http.Properties.IntegrationUri: `https://example com` is not a URL: invalid uri character"
            ],
        ),
        (
            "IntegrationMethod: POST",
            "IntegrationMethod: post",
            expect![
                "the template cannot be used: line 11: Resources.Http.Properties.IntegrationMethod: must be one of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, but is `post`"
            ],
        ),
        (
            "IntegrationMethod: POST\n",
            "Description: x\n",
            expect![
                "the template cannot be used: line 6: Resources.Http: an HTTP integration needs an `IntegrationMethod`, such as POST"
            ],
        ),
        (
            "integration.request.header.who",
            "integration.header.who",
            expect![
                "the template cannot be used: line 16: Resources.Http.Properties.RequestParameters: `integration.header.who` is not one of integration.request.header.NAME, integration.request.querystring.NAME, integration.request.path.NAME"
            ],
        ),
        (
            "route.request.querystring.who }",
            "querystring.who }",
            expect![
                "the template cannot be used: line 16: Resources.Http.Properties.RequestParameters: `integration.request.header.who`: `querystring.who` is not one of route.request.header.NAME, route.request.multivalueheader.NAME, route.request.querystring.NAME, route.request.multivaluequerystring.NAME, stageVariables.NAME, context.NAME, route.request.body.PATH, 'TEXT'"
            ],
        ),
        (
            "route.request.querystring.who }",
            "'route.request.body.a[?(x)]' }",
            expect![
                "the template cannot be used: line 16: Resources.Http.Properties.RequestParameters: `integration.request.header.who`: the path `$.a[?(x)]` has a bracket that is none of ['name'], [0], [-1] and [*]"
            ],
        ),
        (
            "PassthroughBehavior: NEVER",
            "PassthroughBehavior: ALWAYS",
            expect![
                "the template cannot be used: line 13: Resources.Http.Properties.PassthroughBehavior: must be one of WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER, but is `ALWAYS`"
            ],
        ),
        (
            "PassthroughBehavior: NEVER",
            "ConnectionType: VPC_LINK",
            expect![
                "the template cannot be used: line 13: Resources.Http.Properties.ConnectionType: the local target has no VPC links; name the backend in `IntegrationUri`"
            ],
        ),
        (
            "PassthroughBehavior: NEVER",
            "CredentialsArn: 'arn:aws:iam::y:role/r'",
            expect![
                "the template cannot be used: line 13: Resources.Http.Properties.CredentialsArn: an HTTP backend does not use AWS credentials"
            ],
        ),
        (
            "PassthroughBehavior: NEVER",
            "TlsConfig: { ServerNameToVerify: x }",
            expect![
                "the template cannot be used: line 13: Resources.Http.Properties.TlsConfig: is for HTTP APIs only"
            ],
        ),
        (
            "{ $default: '$input.body' }",
            "{ $default: { statusCode: 200 } }",
            expect![
                "the template cannot be used: line 15: Resources.Http.Properties.RequestTemplates.$default: must be a string, but is a map"
            ],
        ),
        (
            "TimeoutInMillis: 100",
            "TimeoutInMillis: 49",
            expect![
                "the template cannot be used: line 17: Resources.Http.Properties.TimeoutInMillis: must be a whole number from 50 to 29000, but is `49`"
            ],
        ),
    ] {
        check_change(from, to, expected);
    }
}

#[test]
fn every_wrong_response_is_refused() {
    for (from, to, expected) in [
        (
            "'/4../'",
            "'/4(/'",
            expect![
                "the template cannot be used: line 30: Resources.HttpWrong.Properties.IntegrationResponseKey: `/4(/` is not a supported regular expression: found open group without closing ')'"
            ],
        ),
        (
            "'/4../'",
            "$default",
            expect![
                "the template cannot be used: line 30: Resources.HttpWrong.Properties.IntegrationResponseKey: `HttpDefault` has the key `$default` already"
            ],
        ),
        (
            "'/4../'",
            "''",
            expect![
                "the template cannot be used: line 30: Resources.HttpWrong.Properties.IntegrationResponseKey: must not be empty"
            ],
        ),
        (
            "CONVERT_TO_TEXT",
            "CONVERT_TO_BINARY",
            expect![
                "the template cannot be used: line 32: Resources.HttpWrong.Properties.ContentHandlingStrategy: the local target only sends text; use CONVERT_TO_TEXT or omit this property"
            ],
        ),
        (
            "method.response.header.who",
            "header.who",
            expect![
                "the template cannot be used: line 24: Resources.HttpDefault.Properties.ResponseParameters: `header.who` must have the form method.response.header.NAME"
            ],
        ),
        (
            "integration.response.header.x-who",
            "header.x-who",
            expect![
                "the template cannot be used: line 24: Resources.HttpDefault.Properties.ResponseParameters: `header.x-who` is not one of integration.response.header.NAME, integration.response.body.PATH, 'TEXT'"
            ],
        ),
        (
            "IntegrationId: !Ref Http\n      IntegrationResponseKey: $default",
            "IntegrationId: none\n      IntegrationResponseKey: $default",
            expect![
                "the template cannot be used: line 22: Resources.HttpDefault.Properties.IntegrationId: there is no integration with the id `none` in this template"
            ],
        ),
    ] {
        check_change(from, to, expected);
    }
}

#[test]
fn every_wrong_model_and_route_parameter_is_refused() {
    for (from, to, expected) in [
        (
            "required: [text]",
            "const: 1",
            expect![
                "the template cannot be used: line 35: Resources.Message.Properties.Schema: #/const: `const` is not a keyword of JSON schema draft 4"
            ],
        ),
        (
            "{ type: object, required: [text] }",
            "'no schema'",
            expect![
                "the template cannot be used: line 35: Resources.Message.Properties.Schema: must be a map, or a string that contains a JSON object"
            ],
        ),
        (
            "a: message",
            "a: other",
            expect![
                "the template cannot be used: line 50: Resources.Send.Properties.RequestModels: there is no model `other` in this template"
            ],
        ),
        (
            "      RequestParameters: { route.request.querystring.who: { Required: true } }\n",
            "",
            expect![
                "the template cannot be used: line 36: Resources.Connect: `Http` maps `route.request.querystring.who`, which the route must declare: { route.request.querystring.who: { Required: false } }"
            ],
        ),
        (
            "{ Required: true }",
            "{ Optional: true }",
            expect![
                "the template cannot be used: line 42: Resources.Connect.Properties.RequestParameters: `route.request.querystring.who` must have the form { Required: true or false }"
            ],
        ),
        (
            "{ route.request.querystring.who:",
            "{ querystring.who:",
            expect![
                "the template cannot be used: line 42: Resources.Connect.Properties.RequestParameters: `querystring.who` is not one of route.request.header.NAME, route.request.querystring.NAME, route.request.multivalueheader.NAME, route.request.multivaluequerystring.NAME"
            ],
        ),
    ] {
        check_change(from, to, expected);
    }
}
