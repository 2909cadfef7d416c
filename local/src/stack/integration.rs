//! What a route hands its requests to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::LogicalId;

/// An integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// `TimeoutInMillis`, 50 ms to 29 s.
    pub timeout: Duration,
    /// What it does.
    pub kind: IntegrationKind,
}

/// What an integration does with a request, by its `IntegrationType`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegrationKind {
    /// `AWS_PROXY`: a Lambda function gets the event and answers.
    Function {
        /// Its ARN, taken out of `IntegrationUri`.
        arn: String,
    },
    /// `HTTP_PROXY`: an HTTP backend gets the message as it is, and its answer is passed on as it is.
    HttpProxy(HttpRequest),
    /// `HTTP`: an HTTP backend, with templates for the request and for the answer.
    Http(HttpRequest, Mapping),
    /// `MOCK`: no backend; the request template yields the status.
    Mock(Mapping),
}

/// Where an HTTP integration sends its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `IntegrationMethod`.
    pub method: String,
    /// `IntegrationUri`; it may hold `${stageVariables.name}` and `{name}` for mapped path parameters.
    pub uri: String,
    /// `RequestParameters`.
    pub parameters: Vec<ParameterMapping>,
}

/// One entry of `RequestParameters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterMapping {
    /// Where the value goes.
    pub target: ParameterTarget,
    /// The name it has there.
    pub name: String,
    /// Where the value comes from.
    pub source: ParameterSource,
}

/// Which part of the backend's request a parameter becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterTarget {
    /// `integration.request.header.NAME`; it replaces the client's.
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

/// How a non-proxy integration turns a message into a request and an answer into a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// `RequestTemplates` by template key.
    pub request_templates: BTreeMap<String, String>,
    /// `TemplateSelectionExpression`, which yields a template key.
    pub selection: Option<String>,
    /// What happens to a message that has no template.
    pub passthrough: Passthrough,
    /// `ContentHandlingStrategy: CONVERT_TO_BINARY`: the message is base64 and the backend gets the bytes.
    pub decodes_base64: bool,
    /// In the order of the template; a request without a fitting one fails.
    pub responses: Vec<IntegrationResponse>,
}

/// `PassthroughBehavior`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passthrough {
    /// A message without a fitting template is passed on as it is.
    #[default]
    WhenNoMatch,
    /// The same, but only where there are no templates at all; else status 415.
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
    /// `ContentHandlingStrategy: CONVERT_TO_TEXT`: the client gets the backend's bytes as base64.
    pub encodes_base64: bool,
    /// `ResponseParameters`: headers of the answer to the handshake, by name.
    pub headers: Vec<(String, ResponseSource)>,
}

/// Where a header of an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseSource {
    /// `'text'`
    Literal(String),
    /// `integration.response.header.NAME`
    Header(String),
    /// `integration.response.body.PATH`: a JSON path into the backend's answer.
    Body(String),
}
