//! The integration of a route.

use std::collections::BTreeMap;
use std::time::Duration;

use super::logical_id::LogicalId;

/// An integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// `TimeoutInMillis`, 50 ms to 29 s.
    pub timeout: Duration,
    /// What it invokes.
    pub kind: IntegrationKind,
}

/// The target of an integration, by its `IntegrationType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegrationKind {
    /// `AWS_PROXY`: a Lambda function receives the event and responds.
    Function {
        /// Its ARN, taken out of `IntegrationUri`.
        arn: String,
    },
    /// `HTTP_PROXY`: an HTTP backend receives the message unchanged, and its response is passed on unchanged.
    HttpProxy(HttpRequest),
    /// `HTTP`: an HTTP backend, with templates for the request and for the response.
    Http(HttpRequest, Mapping),
    /// `MOCK`: no backend; the request template yields the status.
    Mock(Mapping),
}

/// The destination of an HTTP integration's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `IntegrationMethod`.
    pub method: String,
    /// `IntegrationUri`; it may contain `${stageVariables.name}` and `{name}` for mapped path parameters.
    pub uri: String,
    /// `RequestParameters`.
    pub parameters: Vec<ParameterMapping>,
}

/// One entry of `RequestParameters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterMapping {
    /// Where the value goes.
    pub target: ParameterTarget,
    /// Its name there.
    pub name: String,
    /// Where the value comes from.
    pub source: ParameterSource,
}

/// The part of the backend's request that a parameter sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterTarget {
    /// `integration.request.header.NAME`; it replaces the client's header.
    Header,
    /// `integration.request.querystring.NAME`.
    QueryString,
    /// `integration.request.path.NAME`, for `{NAME}` in the URI.
    Path,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterSource {
    /// `'text'`
    Literal(String),
    /// `route.request.header.NAME`, on `$connect` only: the last value.
    Header(String),
    /// `route.request.multivalueheader.NAME`, on `$connect` only: all values.
    AllHeaders(String),
    /// `route.request.querystring.NAME`, on `$connect` only: the last value.
    QueryString(String),
    /// `route.request.multivaluequerystring.NAME`, on `$connect` only: all values.
    AllQueryStrings(String),
    /// `route.request.body.PATH`, or `route.request.body` for all of it: a JSON path into the message.
    Body(String),
    /// `stageVariables.NAME`
    StageVariable(String),
    /// `context.PATH`
    Context(String),
}

/// How a non-proxy integration converts a message to a request and a response to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// `RequestTemplates` by template key.
    pub request_templates: BTreeMap<String, String>,
    /// `TemplateSelectionExpression`, which yields a template key.
    pub selection: Option<String>,
    /// The handling of a message without a template.
    pub passthrough: Passthrough,
    /// `ContentHandlingStrategy: CONVERT_TO_BINARY`: the message is base64 and the backend receives the bytes.
    pub decodes_base64: bool,
    /// In the order of the template. A response that matches none fails.
    pub responses: Vec<IntegrationResponse>,
}

/// `PassthroughBehavior`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passthrough {
    /// A message without a matching template is passed on unchanged.
    #[default]
    WhenNoMatch,
    /// The same, but only if there are no templates at all; else status 415.
    WhenNoTemplates,
    /// Status 415.
    Never,
}

/// An `AWS::ApiGatewayV2::IntegrationResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationResponse {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// `$default`, `/regular expression/` over the backend's status, or the status itself.
    pub key: String,
    /// `ResponseTemplates` by template key.
    pub templates: BTreeMap<String, String>,
    /// `TemplateSelectionExpression`, which yields a template key.
    pub selection: Option<String>,
    /// `ContentHandlingStrategy: CONVERT_TO_TEXT`: the client receives the backend's bytes as base64.
    pub encodes_base64: bool,
    /// `ResponseParameters`: headers of the response to the handshake, by name.
    pub headers: Vec<(String, ResponseSource)>,
}

/// The source of a response's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseSource {
    /// `'text'`
    Literal(String),
    /// `integration.response.header.NAME`
    Header(String),
    /// `integration.response.body.PATH`: a JSON path into the backend's response.
    Body(String),
}
