//! Requests to AWS's services without their generated clients, of whose hundreds of operations chatctl needs a few.
//!
//! Everything but the text of requests and responses is the SDK's: credentials, signatures, retries, deadlines, the clock.

mod bucket;
mod endpoint;
mod error_response;
mod json;
mod partition;
mod query;
mod rest;
mod s3;
mod service;
#[cfg(test)]
mod tests;
mod xml;

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::sdk_feature::AwsSdkFeature;
use aws_runtime::service_clock_skew::{
    DisableClockSkewCorrection, ServiceClockSkewClassifier, ServiceClockSkewInterceptor,
};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::defaults::{DefaultPluginParams, default_plugins};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::{AuthSchemeAndEndpointOrchestrationV2, invoke};
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, ModeledAsRetryableClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime::client::stalled_stream_protection::StalledStreamProtectionInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::endpoint::{EndpointResolverParams, SharedEndpointResolver};
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, Error, Input, Output,
};
use aws_smithy_runtime_api::client::interceptors::{
    Intercept, SharedInterceptor, dyn_dispatch_hint,
};
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, Metadata, OrchestratorError,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::endpoint_config::EndpointUrl;
use aws_types::region::{Region, SigningRegion};

pub(super) use self::bucket::address;
pub(super) use self::error_response::{ErrorResponse, Failure};
pub(super) use self::query::Parameter;
pub(super) use self::rest::encoded;
pub(super) use self::service::{
    ACM, CLOUDFORMATION, CLOUDWATCH, CONNECTIONS, DYNAMODB, GATEWAY, IAM, LAMBDA, LOGS, ROUTE53,
    Service,
};
pub(super) use self::xml::Element;
use super::requests::Named;
use endpoint::ServiceEndpoint;
use service::{Errors, Protocol};

/// A service, as it is called with one configuration.
#[derive(Debug, Clone)]
pub(super) struct Client {
    service: &'static Service,
    plugins: RuntimePlugins,
}

/// A request, as far as its operation decides it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The operation, as it is shown.
    pub(super) operation: &'static str,
    /// The service as it is shown, where that is not its usual name.
    pub(super) shown: Option<&'static str>,
    /// The HTTP method.
    pub(super) method: &'static str,
    /// The path and the query, of [`encoded`] parts.
    pub(super) path: String,
    /// Headers beside those of the content.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The type of the content, and the content.
    pub(super) content: Option<(&'static str, Vec<u8>)>,
    /// Deadlines that differ from those of other requests.
    pub(super) timeouts: Option<TimeoutConfig>,
}

impl Request {
    /// A request without content.
    pub(super) fn new(
        operation: &'static str,
        method: &'static str,
        path: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            shown: None,
            method,
            path: path.into(),
            headers: Vec::new(),
            content: None,
            timeouts: None,
        }
    }
}

impl Client {
    /// A client of `service`, wherever `config` says that it answers.
    pub(super) fn new(service: &'static Service, config: &SdkConfig) -> Self {
        Self::at_endpoint(service, config, ServiceEndpoint::new(service, config, None))
    }

    /// A client of the `service` that answers at `url`.
    pub(super) fn at(service: &'static Service, config: &SdkConfig, url: &str) -> Self {
        Self::at_endpoint(
            service,
            config,
            ServiceEndpoint::new(service, config, Some(url)),
        )
    }

    fn at_endpoint(service: &'static Service, config: &SdkConfig, place: ServiceEndpoint) -> Self {
        let version = config.behavior_version();
        let defaults = DefaultPluginParams::new()
            .with_retry_partition_name(format!("{}-{}", service.word, place.region))
            .with_behavior_version(version.unwrap_or_else(BehaviorVersion::latest))
            .with_is_aws_sdk(true);
        let settings = settings(service, config, &place).freeze();
        let own = StaticRuntimePlugin::new()
            .with_config(settings)
            .with_runtime_components(components(config, place));
        let plugins = RuntimePlugins::new()
            .with_client_plugins(default_plugins(defaults))
            .with_client_plugin(own);
        Self { service, plugins }
    }

    /// The result of `ask` as `read` reads it. An attempt whose result cannot be read is a refusal without a code.
    ///
    /// # Errors
    /// The service refuses, or does not respond.
    pub(super) async fn send<T>(
        &self,
        request: Request,
        read: impl Fn(&[u8]) -> Result<T, BoxError> + Send + Sync + 'static,
    ) -> Result<T, Failure>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let read = move |response: &HttpResponse| read(body_of(response));
        self.exchange(request, read).await
    }

    /// The same of the whole response.
    ///
    /// # Errors
    /// As for [`Client::send`].
    pub(super) async fn exchange<T>(
        &self,
        request: Request,
        read: impl Fn(&HttpResponse) -> Result<T, BoxError> + Send + Sync + 'static,
    ) -> Result<T, Failure>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let read = move |response: &HttpResponse| read(response).map(Output::erase);
        let output = self.invoke(request, Box::new(read)).await?;
        output
            .downcast()
            .map_err(|_| Failure::construction_failure("the result is of another type"))
    }

    async fn invoke(&self, request: Request, read: Read) -> Result<Output, Failure> {
        let operation = request.operation;
        let mut layer = Layer::new(operation);
        layer.store_put(Metadata::new(
            operation,
            request.shown.unwrap_or(self.service.id),
        ));
        if let Some(timeouts) = &request.timeouts {
            layer.store_put(timeouts.clone());
        }
        layer.store_put(SharedRequestSerializer::new(Writer));
        layer.store_put(SharedResponseDeserializer::new(Reader {
            protocol: &self.service.protocol,
            read,
        }));
        let own = StaticRuntimePlugin::new().with_config(layer.freeze());
        let plugins = self.plugins.clone().with_operation_plugin(own);
        let outcome = invoke(self.service.id, operation, Input::erase(request), &plugins).await;
        outcome.map_err(|failure| {
            failure.map_service_error(|refusal| refusal.downcast().unwrap_or_default())
        })
    }
}

/// What `config` says of requests to `service`.
fn settings(service: &'static Service, config: &SdkConfig, place: &ServiceEndpoint) -> Layer {
    let mut layer = Layer::new(service.id);
    if let Some(retries) = config.retry_config() {
        layer.store_put(retries.clone());
    }
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    if let Some(protection) = config.stalled_stream_protection() {
        layer.store_put(protection);
    }
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    for framework in config.framework_metadata() {
        layer.store_append(framework.clone());
    }
    if let Some(disable) = config.disable_clock_skew_correction() {
        layer.store_put(DisableClockSkewCorrection::from(disable));
    }
    if let Some(preference) = config.auth_scheme_preference() {
        layer.store_put(preference.clone());
    }
    if let Some(url) = &place.url {
        layer.store_put(EndpointUrl(url.clone()));
    }
    layer.store_put(Region::new(place.region.clone()));
    layer.store_put(SigningRegion::from(Region::new(place.signed_region())));
    layer.store_put(SigningName::from_static(service.signing));
    let mut signing = SigV4OperationSigningConfig::default();
    signing.signing_options = service.manner.signing();
    layer.store_put(signing);
    layer.store_put(ApiMetadata::new(service.word, env!("CARGO_PKG_VERSION")));
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(AuthSchemeAndEndpointOrchestrationV2);
    layer
}

/// What takes part in requests, as in those of the SDK's clients.
fn components(config: &SdkConfig, place: ServiceEndpoint) -> RuntimeComponentsBuilder {
    let mut all = RuntimeComponentsBuilder::new("chatctl");
    all.set_http_client(config.http_client());
    all.set_sleep_impl(config.sleep_impl());
    all.set_time_source(config.time_source());
    if let Some(cache) = config.identity_cache() {
        all.set_identity_cache(Some(cache));
    }
    if let Some(credentials) = config.credentials_provider() {
        all.set_identity_resolver(SCHEME_ID, credentials);
    }
    let transient = place.service.manner.transient;
    all.set_endpoint_resolver(Some(SharedEndpointResolver::new(place)));
    all.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    all.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)));
    all.push_retry_classifier(HttpStatusCodeClassifier::default());
    all.push_retry_classifier(TransientErrorClassifier::<ErrorResponse>::new());
    all.push_retry_classifier(ModeledAsRetryableClassifier::<ErrorResponse>::new());
    let codes = AwsErrorCodeClassifier::<ErrorResponse>::builder().transient_errors(transient);
    all.push_retry_classifier(codes.build());
    all.push_retry_classifier(ServiceClockSkewClassifier::<ErrorResponse>::new());
    all.push_interceptor(SharedInterceptor::permanent(
        ConnectionPoisoningInterceptor::new(),
    ));
    all.push_interceptor(SharedInterceptor::permanent(
        StalledStreamProtectionInterceptor::default(),
    ));
    all.push_interceptor(ServiceClockSkewInterceptor::new());
    all.push_interceptor(RequestInfoInterceptor::new());
    all.push_interceptor(UserAgentInterceptor::new());
    all.push_interceptor(InvocationIdInterceptor::new());
    all.push_interceptor(RecursionDetectionInterceptor::new());
    all.push_interceptor(Addressed);
    all.push_interceptor(Named);
    all
}

/// Lets the credentials of a request decide where it goes.
#[derive(Debug)]
struct Addressed;

#[dyn_dispatch_hint]
impl Intercept for Addressed {
    fn name(&self) -> &'static str {
        "Addressed"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let state = config.interceptor_state();
        state.store_put(EndpointResolverParams::new(()));
        if config.load::<EndpointUrl>().is_some() {
            let state = config.interceptor_state();
            state.store_append(AwsSdkFeature::EndpointOverride);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Writer;

impl SerializeRequest for Writer {
    fn serialize_input(&self, input: Input, _: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let wanted: Request = input
            .downcast()
            .map_err(|_| "the request is of another type")?;
        let (kind, content) = wanted.content.unzip();
        let length = content.as_ref().map(Vec::len);
        let body = content.map_or_else(SdkBody::empty, SdkBody::from);
        let mut request = HttpRequest::new(body);
        request.set_method(wanted.method)?;
        request.set_uri(wanted.path)?;
        let headers = request.headers_mut();
        if let (Some(kind), Some(length)) = (kind, length) {
            headers.insert("content-type", kind);
            headers.insert("content-length", length.to_string());
        }
        for (name, value) in wanted.headers {
            headers.try_insert(name, value)?;
        }
        Ok(request)
    }
}

/// Reads a success.
type Read = Box<dyn Fn(&HttpResponse) -> Result<Output, BoxError> + Send + Sync>;

fn body_of(response: &HttpResponse) -> &[u8] {
    response.body().bytes().unwrap_or_default()
}

struct Reader {
    protocol: &'static Protocol,
    read: Read,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Reader")
    }
}

impl DeserializeResponse for Reader {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = body_of(response);
        let errors = match self.protocol {
            Protocol::RestXml { errors } => Some(*errors),
            Protocol::Query { .. } => Some(Errors::Wrapped),
            Protocol::Json { .. } | Protocol::RestJson => None,
        };
        let is_refusal = errors == Some(Errors::Bare) && xml::is_error(body);
        let refusal = match response.status().is_success() && !is_refusal {
            true => match (self.read)(response) {
                Ok(output) => return Ok(output),
                Err(_) => ErrorResponse::default(),
            },
            false => ErrorResponse::new(match errors {
                Some(errors) => xml::refusal(body, errors),
                None => json::refusal(response.headers(), body),
            }),
        };
        Err(OrchestratorError::operation(Error::erase(refusal)))
    }
}
