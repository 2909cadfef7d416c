//! Creates the AWS clients: once, at init, small and with short timeouts.

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::timeouts::{ThrottlingIsAnAnswer, retries};
use super::tracing::SendTrace;
use super::{CallbackDelivery, DynamoStore, LambdaDispatch, LambdaReviewers, Timeouts};
use crate::environment::{FunctionAddress, Identity, TableAddress};
use crate::runtime::Trace;

/// What the configurations of all services have in common. Their builders share no trait.
macro_rules! configured {
    ($service:ident, $clients:expr, $timeouts:expr) => {
        $service::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region($clients.region())
            .credentials_provider($clients.credentials())
            .http_client($clients.http.clone())
            .timeout_config($timeouts.config())
            .retry_config(retries())
            .interceptor(SendTrace($clients.trace.clone()))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
    };
}

/// Creates clients that share one HTTP client, and thus its connections and trusted certificates.
#[derive(Debug)]
pub struct Clients {
    identity: Identity,
    trace: Trace,
    http: SharedHttpClient,
}

impl Clients {
    /// Prepares clients for services at `endpoints`; `None` is AWS itself. Each request has the id in `trace`.
    ///
    /// Reading the machine's trusted certificates takes time at every cold start, so it only happens if one of the
    /// endpoints needs them.
    #[must_use]
    pub fn new(identity: Identity, trace: Trace, endpoints: &[Option<&str>]) -> Self {
        let is_plain =
            |endpoint: &Option<&str>| endpoint.is_some_and(|url| url.starts_with("http://"));
        let http = if endpoints.iter().all(is_plain) {
            Builder::new().build_http()
        } else {
            // Not aws-lc, whose entropy source takes some 20 ms of processor time in the first handshake.
            Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build_https()
        };
        Self {
            identity,
            trace,
            http,
        }
    }

    /// The table at `address`.
    #[must_use]
    pub fn table(&self, address: TableAddress, timeouts: Timeouts) -> DynamoStore {
        let mut config = configured!(aws_sdk_dynamodb, self, timeouts);
        config.set_endpoint_url(address.endpoint);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        DynamoStore::new(client, address.name)
    }

    /// Posts through the management API at `endpoint`, stage included.
    #[must_use]
    pub fn delivery(&self, endpoint: String, timeouts: Timeouts) -> CallbackDelivery {
        let config = self.posts(endpoint, timeouts);
        CallbackDelivery::new(aws_sdk_apigatewaymanagement::Client::from_conf(
            config.build(),
        ))
    }

    /// Posts without retries after a 429, for callers that post to many connections and schedule retries themselves.
    #[must_use]
    pub fn crowd_delivery(&self, endpoint: String, timeouts: Timeouts) -> CallbackDelivery {
        let config = self
            .posts(endpoint, timeouts)
            .retry_classifier(ThrottlingIsAnAnswer);
        CallbackDelivery::new(aws_sdk_apigatewaymanagement::Client::from_conf(
            config.build(),
        ))
    }

    /// The function at `address`.
    #[must_use]
    pub fn dispatch(&self, address: FunctionAddress, timeouts: Timeouts) -> LambdaDispatch {
        let mut config = configured!(aws_sdk_lambda, self, timeouts);
        config.set_endpoint_url(address.endpoint);
        let client = aws_sdk_lambda::Client::from_conf(config.build());
        LambdaDispatch::new(client, address.name)
    }

    /// The review functions, of Lambda at `endpoint`.
    #[must_use]
    pub fn reviewers(&self, endpoint: Option<String>, timeouts: Timeouts) -> LambdaReviewers {
        let mut config = configured!(aws_sdk_lambda, self, timeouts);
        config.set_endpoint_url(endpoint);
        LambdaReviewers::new(aws_sdk_lambda::Client::from_conf(config.build()))
    }

    fn posts(
        &self,
        endpoint: String,
        timeouts: Timeouts,
    ) -> aws_sdk_apigatewaymanagement::config::Builder {
        configured!(aws_sdk_apigatewaymanagement, self, timeouts).endpoint_url(endpoint)
    }

    fn region(&self) -> Region {
        Region::new(self.identity.region.clone())
    }

    /// A function's credentials outlive its process, so they need no renewal.
    fn credentials(&self) -> Credentials {
        Credentials::new(
            &self.identity.access_key_id,
            &self.identity.secret_access_key,
            self.identity.session_token.clone(),
            None,
            "environment",
        )
    }
}
