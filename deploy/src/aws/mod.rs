//! The AWS target: the engine's traits over the AWS SDK. No SDK type leaves this folder.

mod account;
mod buckets;
mod call;
mod cloudformation;
mod credentials;
mod environment;
mod error;
mod files;
mod functions;
mod gateways;
mod http;
mod identity;
mod kinds;
mod logs;
pub mod metrics;
mod names;
mod no_credentials;
mod operator;
mod origin;
mod partition;
mod profile;
mod region;
mod requests;
mod simulator;
#[cfg(test)]
mod stub;
mod tables;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::SharedCredentialsProvider;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::retry::RetryConfig;

use crate::config::account::AccountRules;
use crate::config::{Aws, Snippet};
use crate::engine::cloud::CloudStacks;
use crate::engine::{ErrorKind, TargetError, limits};
pub use account::AwsAccount;
pub use buckets::{Bucket, bucket_name};
use cloudformation::Cloud;
use credentials::Explained;
pub use functions::{Concurrency, LambdaFunctions};
pub use gateways::ApiGateways;
pub use identity::Identity;
pub use logs::CloudWatchLogs;
pub use metrics::CloudWatchMetrics;
pub use names::AccountNames;
pub use operator::{ApiConnections, ChatLocation, DynamoConnections, stand_in};
use origin::Origin;
pub use region::named_region;
pub use simulator::IamSimulator;
pub use tables::Tables;

/// One account's resources in one Region.
#[derive(Debug)]
pub struct AwsTarget {
    config: SdkConfig,
    /// The Region that every request goes to.
    pub region: String,
    /// CloudFormation.
    pub stacks: CloudStacks<Cloud>,
    /// Lambda.
    pub functions: LambdaFunctions,
    /// API Gateway.
    pub gateways: ApiGateways,
    /// ACM and Route 53.
    pub names: AccountNames,
    /// DynamoDB.
    pub tables: Tables,
    /// CloudWatch Logs.
    pub logs: CloudWatchLogs,
    /// CloudWatch.
    pub metrics: CloudWatchMetrics,
    rules: AccountRules,
}

/// The most attempts of a request, with growing pauses in between.
const ATTEMPTS: u32 = 5;

/// The pause before the second attempt; it doubles with each further one.
const BACKOFF: Duration = Duration::from_secs(1);

/// The deadline for credentials. If a program provides them (`credential_process`), the user may have to confirm
/// something first.
const CREDENTIALS: Duration = Duration::from_secs(50);

impl AwsTarget {
    /// Finds Region and credentials like every AWS tool: settings, environment, profile. It sends nothing.
    ///
    /// If the settings name a profile, only that is used for credentials.
    ///
    /// `AWS_ENDPOINT_URL` is honoured, so that an emulator can replace AWS
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    ///
    /// # Errors
    /// No Region is set, the environment or a file in ~/.aws is invalid, or the profile of the settings or the
    /// environment does not exist.
    pub async fn connect(settings: &Aws) -> Result<Self, TargetError> {
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(limits::scaled(BACKOFF));
        let mut origin = Origin::load(settings).await?;
        let http = http::client().await?;
        let region = origin.region(settings, &http).await?;
        settings.rules.check_region(&region).map_err(usage)?;
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(http::timeouts())
            .identity_cache(
                IdentityCache::lazy()
                    .load_timeout(limits::scaled(CREDENTIALS))
                    .build(),
            )
            .retry_config(retries)
            .region(Region::new(region.clone()))
            .profile_files(origin.files.for_sdk())
            .profile_name(&origin.profile);
        let config = loader.load().await;
        let credentials = match origin.is_profile_only {
            true => Some(profile::credentials(
                &origin.profile,
                &origin.files,
                &config,
            )),
            false => config.credentials_provider(),
        };
        let config = match credentials {
            None => config,
            Some(inner) => {
                let origin = Arc::new(origin);
                let explained = SharedCredentialsProvider::new(Explained { inner, origin });
                config
                    .into_builder()
                    .credentials_provider(explained)
                    .build()
            }
        };
        Ok(Self {
            stacks: CloudStacks::new(Cloud::new(&config, &region, &settings.rules)),
            functions: LambdaFunctions::new(&config),
            gateways: ApiGateways::new(&config),
            names: AccountNames::new(&config),
            tables: Tables::new(&config),
            logs: CloudWatchLogs::new(&config),
            metrics: CloudWatchMetrics::new(&config),
            region,
            config,
            rules: settings.rules.clone(),
        })
    }

    /// The identity of the credentials.
    ///
    /// # Errors
    /// [`crate::engine::ErrorKind::Denied`] if there are none, or AWS does not accept them.
    pub async fn identity(&self) -> Result<Identity, TargetError> {
        identity::identity(&self.config).await
    }

    /// The bucket that handlers are published to: the user's own, or that of this account and Region, which may not
    /// exist yet.
    pub fn bucket(&self, identity: &Identity) -> Bucket {
        Bucket::new(&self.config, identity, &self.region, &self.rules)
    }

    /// IAM's judgement of identities.
    pub fn simulator(&self) -> IamSimulator {
        IamSimulator::new(&self.config)
    }

    /// Checks that the account's rules are about the account of `identity`.
    ///
    /// # Errors
    /// [`crate::engine::ErrorKind::Usage`] if one names another account.
    pub fn check_account(&self, identity: &Identity) -> Result<(), TargetError> {
        self.rules.check_account(&identity.account).map_err(usage)
    }
}

/// The error for a place in the config.
fn usage(problem: Snippet) -> TargetError {
    TargetError::new(ErrorKind::Usage, problem.to_string())
}

/// A time in seconds since the Unix epoch, to the second: `2026-01-31T12:00:00Z`; `None` beyond the calendar.
pub fn rfc3339(seconds: f64) -> Option<String> {
    DateTime::from_secs_f64(seconds.floor())
        .fmt(Format::DateTime)
        .ok()
}
