//! The resource types of a WebSocket API.

use super::super::created::Kind;
use crate::template::scope::Named;
use crate::template::shape::{COUNT, Field, Shape, Shape::*, may, must, name};

pub(in crate::template) const API: Kind = Kind {
    name: "AWS::ApiGatewayV2::Api",
    fields: &[
        may("ApiKeySelectionExpression", Text),
        may("BasePath", Text),
        may("Body", Json),
        may("BodyS3Location", Json),
        may("CorsConfiguration", Json),
        may("CredentialsArn", Text),
        may("Description", Text),
        may("DisableExecuteApiEndpoint", Flag),
        may("DisableSchemaValidation", Flag),
        may("FailOnWarnings", Flag),
        may("IpAddressType", OneOf(&["ipv4", "dualstack"])),
        must("Name", Text),
        must("ProtocolType", OneOf(&["WEBSOCKET", "HTTP"])),
        may("RouteKey", Text),
        may("RouteSelectionExpression", Text),
        may("Tags", TextMap),
        may("Target", Text),
        may("Version", Text),
    ],
    attributes: &["ApiEndpoint", "ApiId"],
    named: |naming| {
        let id = naming.id(10);
        let endpoint = format!(
            "wss://{id}.execute-api.{}.amazonaws.com",
            naming.identity.region
        );
        Named::new(&id)
            .with("ApiId", &id)
            .with("ApiEndpoint", endpoint)
    },
};

pub(in crate::template) const ROUTE: Kind = Kind {
    name: "AWS::ApiGatewayV2::Route",
    fields: &[
        must("ApiId", Text),
        may("ApiKeyRequired", Flag),
        may("AuthorizationScopes", List(&Text)),
        may(
            "AuthorizationType",
            OneOf(&["NONE", "AWS_IAM", "CUSTOM", "JWT"]),
        ),
        may("AuthorizerId", Text),
        may("ModelSelectionExpression", Text),
        may("OperationName", Text),
        may("RequestModels", TextMap),
        may("RequestParameters", Json),
        must("RouteKey", Text),
        may("RouteResponseSelectionExpression", Text),
        may("Target", Text),
    ],
    attributes: &["Id", "RouteId"],
    named: |naming| {
        let id = naming.id(7);
        Named::new(&id).with("Id", &id).with("RouteId", &id)
    },
};

pub(in crate::template) const INTEGRATION: Kind = Kind {
    name: "AWS::ApiGatewayV2::Integration",
    fields: &[
        must("ApiId", Text),
        may("ConnectionId", Text),
        may("ConnectionType", OneOf(&["INTERNET", "VPC_LINK"])),
        may(
            "ContentHandlingStrategy",
            OneOf(&["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]),
        ),
        may("CredentialsArn", Text),
        may("Description", Text),
        may("IntegrationMethod", Text),
        may("IntegrationSubtype", Text),
        must(
            "IntegrationType",
            OneOf(&["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"]),
        ),
        may("IntegrationUri", Text),
        may(
            "PassthroughBehavior",
            OneOf(&["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"]),
        ),
        may("PayloadFormatVersion", Text),
        may("RequestParameters", TextMap),
        may("RequestTemplates", TextMap),
        may("ResponseParameters", Json),
        may("TemplateSelectionExpression", Text),
        // <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html>
        may("TimeoutInMillis", Integer(50, 29_000)),
        may("TlsConfig", Json),
    ],
    attributes: &["Id", "IntegrationId"],
    named: |naming| {
        let id = naming.id(7);
        Named::new(&id).with("Id", &id).with("IntegrationId", &id)
    },
};

pub(in crate::template) const INTEGRATION_RESPONSE: Kind = Kind {
    name: "AWS::ApiGatewayV2::IntegrationResponse",
    fields: &[
        must("ApiId", Text),
        may(
            "ContentHandlingStrategy",
            OneOf(&["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]),
        ),
        must("IntegrationId", Text),
        must("IntegrationResponseKey", Text),
        may("ResponseParameters", TextMap),
        may("ResponseTemplates", TextMap),
        may("TemplateSelectionExpression", Text),
    ],
    attributes: &["IntegrationResponseId"],
    named: |naming| {
        let id = naming.id(7);
        Named::new(&id).with("IntegrationResponseId", &id)
    },
};

pub(in crate::template) const MODEL: Kind = Kind {
    name: "AWS::ApiGatewayV2::Model",
    fields: &[
        must("ApiId", Text),
        may("ContentType", Text),
        may("Description", Text),
        must("Name", name(1, 128, "")),
        must("Schema", Document),
    ],
    attributes: &["ModelId"],
    named: |naming| {
        let id = naming.id(6);
        Named::new(&id).with("ModelId", &id)
    },
};

pub(in crate::template) const ROUTE_RESPONSE: Kind = Kind {
    name: "AWS::ApiGatewayV2::RouteResponse",
    fields: &[
        must("ApiId", Text),
        may("ModelSelectionExpression", Text),
        may("ResponseModels", Json),
        may("ResponseParameters", Json),
        must("RouteId", Text),
        must("RouteResponseKey", Text),
    ],
    attributes: &["Id", "RouteResponseId"],
    named: |naming| {
        let id = naming.id(7);
        Named::new(&id).with("Id", &id).with("RouteResponseId", &id)
    },
};

const ROUTE_SETTINGS: &[Field] = &[
    may("DataTraceEnabled", Flag),
    may("DetailedMetricsEnabled", Flag),
    may("LoggingLevel", OneOf(&["ERROR", "INFO", "OFF"])),
    may("ThrottlingBurstLimit", COUNT),
    may("ThrottlingRateLimit", Number),
];

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const STAGE_NAME: Shape = name(1, 128, "-_");

pub(in crate::template) const STAGE: Kind = Kind {
    name: "AWS::ApiGatewayV2::Stage",
    fields: &[
        may(
            "AccessLogSettings",
            Object(&[may("DestinationArn", Text), may("Format", Text)]),
        ),
        may("AccessPolicyId", Text),
        must("ApiId", Text),
        may("AutoDeploy", Flag),
        may("ClientCertificateId", Text),
        may("DefaultRouteSettings", Object(ROUTE_SETTINGS)),
        may("DeploymentId", Text),
        may("Description", Text),
        may("RouteSettings", Json),
        must("StageName", STAGE_NAME),
        may("StageVariables", TextMap),
        may("Tags", TextMap),
    ],
    attributes: &["Id"],
    named: |naming| {
        let name = naming.given("StageName").unwrap_or_default();
        Named::new(name).with("Id", name)
    },
};

pub(in crate::template) const DEPLOYMENT: Kind = Kind {
    name: "AWS::ApiGatewayV2::Deployment",
    fields: &[
        must("ApiId", Text),
        may("Description", Text),
        may("StageName", STAGE_NAME),
    ],
    attributes: &["DeploymentId"],
    named: |naming| {
        let id = naming.id(6);
        Named::new(&id).with("DeploymentId", &id)
    },
};

pub(in crate::template) const AUTHORIZER: Kind = Kind {
    name: "AWS::ApiGatewayV2::Authorizer",
    fields: &[
        must("ApiId", Text),
        may("AuthorizerCredentialsArn", Text),
        may("AuthorizerPayloadFormatVersion", OneOf(&["1.0", "2.0"])),
        may("AuthorizerResultTtlInSeconds", Integer(0, 3_600)),
        must("AuthorizerType", OneOf(&["REQUEST", "JWT"])),
        may("AuthorizerUri", Text),
        may("EnableSimpleResponses", Flag),
        may("IdentitySource", List(&Text)),
        may("IdentityValidationExpression", Text),
        may("JwtConfiguration", Json),
        must("Name", Text),
    ],
    attributes: &["AuthorizerId"],
    named: |naming| {
        let id = naming.id(7);
        Named::new(&id).with("AuthorizerId", &id)
    },
};
