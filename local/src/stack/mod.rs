//! A template with every reference resolved: the stack that [`crate::LocalStack`] runs.
//!
//! Pure data, made by [`crate::template`]. Physical ids are derived from [`Identity::seed`] and the logical id, so the
//! same stack keeps its ids over restarts and updates.

mod integration;
mod logical_id;

use std::collections::BTreeMap;
use std::time::Duration;

pub use integration::{
    HttpRequest, Integration, IntegrationKind, IntegrationResponse, Mapping, ParameterMapping,
    ParameterSource, ParameterTarget, Passthrough, ResponseSource,
};
pub use logical_id::LogicalId;

/// The stack's name and place: the values of the pseudo parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `AWS::StackName`.
    pub stack_name: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`, twelve digits.
    pub account_id: String,
    /// The seed of physical ids. A stack that keeps it keeps its ids.
    pub seed: String,
}

/// A resolved stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its name and place.
    pub identity: Identity,
    /// Every resource whose condition holds, in creation order.
    pub resources: Vec<Resource>,
    /// The WebSocket API. A stack without one is refused by the template reader.
    pub api: Api,
    /// Functions by logical id.
    pub functions: BTreeMap<LogicalId, Function>,
    /// Permissions to invoke functions.
    pub permissions: Vec<Permission>,
    /// Tables by logical id.
    pub tables: BTreeMap<LogicalId, Table>,
    /// Roles by ARN, each with the policies attached to it in this template.
    pub roles: BTreeMap<String, Role>,
    /// Resolved outputs.
    pub outputs: BTreeMap<String, String>,
    /// Warnings for the author: settings that AWS accepts but that have no effect, and ones that could not be checked
    /// here.
    pub warnings: Vec<String>,
}

/// One resource, as stack events and `status` show it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// Its type, such as `AWS::Lambda::Function`.
    pub resource_type: String,
    /// The value of `Ref`.
    pub physical_id: String,
    /// A digest of the resolved properties. A different one means that an update changes the resource.
    pub digest: String,
}

impl Resource {
    /// For tests, which make resources without a template.
    #[doc(hidden)]
    pub fn new(
        logical_id: impl Into<String>,
        resource_type: impl Into<String>,
        physical_id: impl Into<String>,
        digest: impl Into<String>,
    ) -> Self {
        Self {
            logical_id: logical_id.into(),
            resource_type: resource_type.into(),
            physical_id: physical_id.into(),
            digest: digest.into(),
        }
    }
}

/// A WebSocket API.
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// Ten lower-case letters and digits.
    pub id: String,
    /// For example `$request.body.action`.
    pub route_selection_expression: String,
    /// Routes by route key. Two with one key are refused by the template reader.
    pub routes: BTreeMap<String, Route>,
    /// Integrations by integration id.
    pub integrations: BTreeMap<String, Integration>,
    /// Authorizers by authorizer id.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Stages by name.
    pub stages: BTreeMap<String, Stage>,
}

/// A route of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// `$connect`, `$disconnect`, `$default` or a custom key.
    pub key: String,
    /// The integration's id; a route without one responds with `Internal server error`.
    pub integration: Option<String>,
    /// The authorization of `$connect`.
    pub authorization: Authorization,
    /// Whether both halves of a two-way route exist: `RouteResponseSelectionExpression: $default` and a `RouteResponse`
    /// with key `$default`.
    pub two_way: bool,
    /// `RequestParameters`: which headers and query parameters of the handshake may be mapped, such as
    /// `route.request.header.token`, and whether each is required.
    pub request_parameters: BTreeMap<String, bool>,
    /// The models of messages.
    pub validation: Option<Validation>,
}

/// The validation of a route's messages before its integration.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// `ModelSelectionExpression`.
    pub selection: String,
    /// `RequestModels`, each with the model's schema: JSON schema draft 4.
    pub models: BTreeMap<String, serde_json::Value>,
}

/// The authorization of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// None.
    None,
    /// By the Lambda authorizer with this id.
    Custom(String),
}

/// A `REQUEST` authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// The ARN of the function it invokes.
    pub function_arn: String,
    /// For example `route.request.header.Authorization`; every one must be present and non-empty.
    pub identity_sources: Vec<String>,
}

/// A stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// The first path segment of the endpoint.
    pub name: String,
    /// `StageVariables`.
    pub variables: BTreeMap<String, String>,
    /// The route keys that are live: all with `AutoDeploy`; with a `Deployment`, those that it depends on, directly or
    /// not; `None` (every handshake gets 403) if the stage has neither.
    pub deployed: Option<Vec<String>>,
    /// The limits of `DefaultRouteSettings` and `RouteSettings`, by route key. A route without an entry has only the
    /// account's limit.
    pub throttles: BTreeMap<String, Throttle>,
}

/// The limits of a token bucket, see
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// Requests per second, sustained.
    pub rate: f64,
    /// Requests in one burst.
    pub burst: u32,
}

impl Throttle {
    /// An account's limit for all its APIs in a Region together, calls of the @connections API included:
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
    pub const ACCOUNT: Self = Self {
        rate: 10_000.0,
        burst: 5_000,
    };

    /// Whether every request is refused.
    pub fn blocks_everything(&self) -> bool {
        self.burst == 0 || self.rate <= 0.0
    }
}

/// A Lambda function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name in the template, and the key of its code.
    pub logical_id: LogicalId,
    /// Its physical name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its role's ARN.
    pub role_arn: String,
    /// `Handler`, passed to the process as `_HANDLER`.
    pub handler: String,
    /// In MB.
    pub memory_size: u32,
    /// `Timeout`.
    pub timeout: Duration,
    /// `Environment.Variables`; reserved names are refused by the template reader.
    pub environment: BTreeMap<String, String>,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<u32>,
    /// `LoggingConfig.LogGroup`, else `/aws/lambda/{name}`.
    pub log_group: String,
    /// The policy for failed asynchronous invocations.
    pub events: EventPolicy,
}

/// Lambda's retries of an asynchronous invocation, from an `AWS::Lambda::EventInvokeConfig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPolicy {
    /// `MaximumRetryAttempts`: the number of retries after a function error, two by default.
    pub retries: u32,
    /// `MaximumEventAgeInSeconds`: an older event is not retried; six hours by default.
    pub longest_age: Duration,
}

impl Default for EventPolicy {
    /// Lambda's own, see <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.
    fn default() -> Self {
        Self {
            retries: 2,
            longest_age: Duration::from_secs(6 * 60 * 60),
        }
    }
}

/// An `AWS::Lambda::Permission`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// The function's ARN.
    pub function_arn: String,
    /// For example `apigateway.amazonaws.com`.
    pub principal: String,
    /// Wildcards `*` and `?` are allowed; `None` permits every source of that principal.
    pub source_arn: Option<String>,
}

/// A DynamoDB table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// Its physical name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The body of a `CreateTable` call, with `TableName`.
    pub create: serde_json::Value,
    /// The TTL attribute, when TTL is on.
    pub ttl_attribute: Option<String>,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its name in the template.
    pub logical_id: LogicalId,
    /// Its ARN.
    pub arn: String,
    /// Its permissions: inline policies, `AWS::IAM::Policy` resources and known managed policies.
    pub policies: Vec<crate::iam::Policy>,
}
