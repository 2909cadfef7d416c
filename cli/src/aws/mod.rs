//! The AWS target: the engine's traits over the AWS SDK. No SDK type leaves this folder.

mod buckets;
mod cloudformation;
mod error;
mod functions;
mod gateways;
mod http;
mod identity;
mod logs;
mod profile;
mod region;
#[cfg(test)]
mod stub;
mod tables;

use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::retry::RetryConfig;

use crate::config::Aws;
use crate::engine::cloud::CloudStacks;
use crate::engine::{Refusal, TargetError, limits};
pub(crate) use buckets::Bucket;
use cloudformation::Cloud;
pub(crate) use functions::LambdaFunctions;
pub(crate) use gateways::ApiGateways;
pub(crate) use identity::Identity;
pub(crate) use logs::CloudWatchLogs;
pub(crate) use region::named_region;
pub(crate) use tables::Tables;

/// One account's resources in one region.
#[derive(Debug)]
pub(crate) struct AwsTarget {
    config: SdkConfig,
    pub(crate) region: String,
    pub(crate) stacks: CloudStacks<Cloud>,
    pub(crate) functions: LambdaFunctions,
    pub(crate) gateways: ApiGateways,
    pub(crate) tables: Tables,
    pub(crate) logs: CloudWatchLogs,
}

/// How often a request is tried in all, with growing pauses in between.
const ATTEMPTS: u32 = 5;

/// Before the second of them; it doubles with each further one.
const BACKOFF: Duration = Duration::from_secs(1);

/// Until there are credentials. Where a program is asked for them (`credential_process`), a person may have to confirm
/// something first.
const CREDENTIALS: Duration = Duration::from_secs(50);

impl AwsTarget {
    /// Finds region and credentials the way every AWS tool does: settings, environment, profile. Nothing is sent.
    ///
    /// A profile that the settings name is the only one asked for credentials.
    ///
    /// `AWS_ENDPOINT_URL` is honoured, so that an emulator can stand in for AWS
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    ///
    /// # Errors
    /// Nobody says which region, or the profile that the settings or the environment name does not exist.
    pub(crate) async fn connect(settings: &Aws) -> Result<Self, TargetError> {
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(limits::scaled(BACKOFF));
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http::client())
            .timeout_config(http::timeouts())
            .identity_cache(
                IdentityCache::lazy()
                    .load_timeout(limits::scaled(CREDENTIALS))
                    .build(),
            )
            .retry_config(retries);
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(profile) = settings.profile.clone().or_else(profile::of_environment) {
            profile::exists(&profile)?;
        }
        // Where nothing names a Region, the machine itself is asked, which may not answer.
        let loading = tokio::time::timeout(limits::CALL.time(), loader.load());
        let mut config = loading.await.map_err(|_elapsed| {
            let message = "it took too long to find out which AWS region to use";
            TargetError::new(Refusal::Unreachable, message)
                .with_hint("add `--region eu-west-1`, or set AWS_REGION")
        })?;
        if let Some(profile) = &settings.profile {
            let credentials = profile::credentials(profile, &config);
            config = config
                .into_builder()
                .credentials_provider(credentials)
                .build();
        }
        let Some(region) = config.region().map(ToString::to_string) else {
            let message = match &settings.profile {
                Some(profile) => format!(
                    "neither profile `{profile}` nor the environment says which AWS region to use"
                ),
                None => "nothing says which AWS region to use".to_owned(),
            };
            return Err(
                TargetError::new(Refusal::Usage, message).with_hint(
                    "add `--region eu-west-1`, set AWS_REGION, or put `region` under `[aws]` in chatctl.toml",
                ),
            );
        };
        Ok(Self {
            stacks: CloudStacks::new(Cloud::new(&config)),
            functions: LambdaFunctions::new(&config),
            gateways: ApiGateways::new(&config),
            tables: Tables::new(&config),
            logs: CloudWatchLogs::new(&config),
            region,
            config,
        })
    }

    /// Who the credentials belong to.
    ///
    /// # Errors
    /// [`Refusal::Denied`] when there are none, or AWS does not accept them.
    pub(crate) async fn identity(&self) -> Result<Identity, TargetError> {
        identity::identity(&self.config).await
    }

    /// The bucket of this account and region that handlers are published to; it may not exist yet.
    pub(crate) fn bucket(&self, identity: &Identity) -> Bucket {
        Bucket::new(&self.config, identity, &self.region)
    }
}

/// A time in seconds since the Unix epoch, to the second: `2026-01-31T12:00:00Z`; `None` beyond the calendar.
pub(crate) fn rfc3339(seconds: f64) -> Option<String> {
    DateTime::from_secs_f64(seconds.floor())
        .fmt(Format::DateTime)
        .ok()
}
