//! How the AWS clients are made: once, at init, as small and as impatient as possible.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::{CallbackDelivery, DynamoStore};
use crate::environment::{Identity, TableAddress};

/// Makes clients that share one HTTP client, and with it connections and trusted certificates.
#[derive(Debug)]
pub struct Clients {
    identity: Identity,
    http: SharedHttpClient,
}

/// How long to wait for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a TCP and TLS connection.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// For all attempts together, the pauses between them included.
    pub operation: Duration,
}

impl Patience {
    /// For the table: everything asked of it may be repeated, so one attempt need not be long.
    pub const TABLE: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_millis(1500),
        operation: Duration::from_secs(4),
    };

    /// For posts. A post that is not answered in time may have arrived, and to
    /// repeat it would show the message twice: so one attempt may take all the
    /// time there is. What was refused is repeated, and so is what met a broken
    /// connection: after a pause, a function finds its idle connections closed.
    ///
    /// A post must not be waited for without limit: one to a connection whose
    /// `$connect` still runs may never be answered.
    pub const POST: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(3),
        operation: Duration::from_secs(3),
    };

    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

impl Clients {
    /// Prepares clients for services at `endpoints`; `None` is AWS itself.
    ///
    /// To read the machine's trusted certificates costs time at every cold
    /// start, so it happens only when one of the endpoints needs them.
    #[must_use]
    pub fn new(identity: Identity, endpoints: &[Option<&str>]) -> Self {
        let is_plain =
            |endpoint: &Option<&str>| endpoint.is_some_and(|url| url.starts_with("http://"));
        let http = if endpoints.iter().all(is_plain) {
            Builder::new().build_http()
        } else {
            // Not aws-lc: its entropy source costs some 20 ms of CPU in the first handshake.
            Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build_https()
        };
        Self { identity, http }
    }

    /// The table at `address`.
    #[must_use]
    pub fn table(&self, address: TableAddress, patience: Patience) -> DynamoStore {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region())
            .credentials_provider(self.credentials())
            .http_client(self.http.clone())
            .timeout_config(patience.timeouts())
            .retry_config(retries())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(address.endpoint);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        DynamoStore::new(client, address.name)
    }

    /// The way back to clients through the management API at `endpoint`, stage included.
    #[must_use]
    pub fn delivery(&self, endpoint: String, patience: Patience) -> CallbackDelivery {
        let config = aws_sdk_apigatewaymanagement::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region())
            .credentials_provider(self.credentials())
            .http_client(self.http.clone())
            .timeout_config(patience.timeouts())
            .retry_config(retries())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .endpoint_url(endpoint);
        CallbackDelivery::new(aws_sdk_apigatewaymanagement::Client::from_conf(
            config.build(),
        ))
    }

    fn region(&self) -> Region {
        Region::new(self.identity.region.clone())
    }

    /// A function's credentials outlive its process, so nothing has to renew them.
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

/// Three attempts; the pauses are those of a conversation, not of a batch job.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100))
}
