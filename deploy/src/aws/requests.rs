//! What each request is called where it is shown.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use hyper::Uri;

use crate::engine::causes;
use crate::engine::network::ProxyFailure;
use crate::engine::requests::Request;

/// Puts the operation's name on each request of a client, because what sends it sees bytes only.
#[derive(Debug)]
pub(super) struct Named;

/// The service and the operation of a request.
#[derive(Debug, Clone)]
struct Operation(String, String);

#[dyn_dispatch_hint]
impl Intercept for Named {
    fn name(&self) -> &'static str {
        "Named"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = config.load::<Metadata>() {
            let service = metadata.service().to_ascii_lowercase().replace(' ', "-");
            let operation = Operation(service, metadata.name().to_owned());
            context.request_mut().add_extension(operation);
        }
        Ok(())
    }
}

/// `request` as it is shown.
///
/// Only clients of the SDK's own give no name: those that ask for credentials. Of them only the host is shown, as their
/// paths can be secrets.
pub(super) fn begin(request: &HttpRequest) -> Request {
    let method = request.method();
    match request.extension::<Operation>() {
        Some(Operation(service, operation)) => Request::begin(method, service, operation),
        None => {
            let uri: Option<Uri> = request.uri().parse().ok();
            let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
            Request::begin(method, "credentials", host)
        }
    }
}

/// Why a request has no status.
pub(super) fn failure(error: &ConnectorError) -> String {
    if error.is_timeout() {
        return "failed (no answer in time)".to_owned();
    }
    let proxy = causes(error).find(|cause| cause.is::<ProxyFailure>());
    match proxy.or(causes(error).last()) {
        Some(cause) => format!("failed ({cause})"),
        None => "failed".to_owned(),
    }
}
