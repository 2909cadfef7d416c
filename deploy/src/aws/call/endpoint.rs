//! Where each service answers: the same hosts as those of the SDK's clients, which a test compares.

use aws_config::SdkConfig;
use aws_credential_types::attributes::AccountId;
use aws_smithy_runtime_api::client::endpoint::{
    EndpointFuture, EndpointResolverParams, ResolveEndpoint, error::ResolveEndpointError,
};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_types::endpoint::Endpoint;
use aws_types::endpoint_config::AccountIdEndpointMode;
use aws_types::service_config::ServiceConfigKey;

use super::bucket::{Bucket, Hosts};
use super::partition::Partition;
use super::service::{Gov, Scope, Service};

/// Where a client's requests go.
#[derive(Debug)]
pub(super) struct ServiceEndpoint {
    pub(super) service: &'static Service,
    pub(super) region: String,
    /// The address that the user has set, or a caller.
    pub(super) url: Option<String>,
    pub(super) fips: bool,
    pub(super) dual_stack: bool,
    account: AccountIdEndpointMode,
    /// The bucket that all requests are about.
    pub(super) bucket: Option<Bucket>,
}

impl ServiceEndpoint {
    /// The place of `service` for `config`, or `url`.
    pub(super) fn new(service: &'static Service, config: &SdkConfig, url: Option<&str>) -> Self {
        let region = config.region().map(ToString::to_string);
        Self {
            service,
            region: region.unwrap_or_default(),
            url: url.map_or_else(|| of_user(service, config), |url| Some(url.to_owned())),
            fips: config.use_fips().unwrap_or_default(),
            dual_stack: config.use_dual_stack().unwrap_or_default(),
            account: config
                .account_id_endpoint_mode()
                .cloned()
                .unwrap_or_default(),
            bucket: None,
        }
    }

    /// The Region that requests are signed for. With a service of all Regions it is the same wherever the request goes.
    pub(super) fn signed_region(&self) -> String {
        match self.service.scope {
            Scope::Partition(home) => home(
                Partition::for_region(&self.region),
                self.fips,
                self.dual_stack,
            )
            .region
            .to_owned(),
            Scope::Region(_) | Scope::Account(_) => self.region.clone(),
        }
    }

    /// The address of the requests whose credentials belong to `account`.
    ///
    /// # Errors
    /// The settings contradict each other. The words are the SDK's.
    fn url(&self, account: Option<&str>) -> Result<String, &'static str> {
        if !is_host_part(&self.region) {
            return Err("invalid value for field: `region` - must be a valid host label");
        }
        if let Some(bucket) = &self.bucket {
            return bucket.url(Hosts {
                region: &self.region,
                url: self.url.as_deref(),
                fips: self.fips,
                dual_stack: self.dual_stack,
            });
        }
        if let Some(url) = &self.url {
            return match (self.fips, self.dual_stack) {
                (true, _) => {
                    Err("Invalid Configuration: FIPS and custom endpoint are not supported")
                }
                (_, true) => {
                    Err("Invalid Configuration: Dualstack and custom endpoint are not supported")
                }
                _ => Ok(url.clone()),
            };
        }
        let partition = Partition::for_region(&self.region);
        let suffix = match self.dual_stack {
            true => partition.dual_stack_suffix,
            false => partition.suffix,
        };
        let host = self.service.host;
        let (label, has_fips_label) = match self.service.scope {
            Scope::Partition(home) => {
                let home = home(partition, self.fips, self.dual_stack);
                (home.label, home.has_fips_label)
            }
            Scope::Region(gov) => (
                Some(self.region.as_str()),
                self.has_fips_label(gov, partition),
            ),
            Scope::Account(gov) => {
                if let Some(account) = self.of_account(partition, account)? {
                    return Ok(format!("https://{account}.ddb.{}.{suffix}", self.region));
                }
                (
                    Some(self.region.as_str()),
                    self.has_fips_label(gov, partition),
                )
            }
        };
        let fips = if has_fips_label { "-fips" } else { "" };
        Ok(match label {
            Some(label) => format!("https://{host}{fips}.{label}.{suffix}"),
            None => format!("https://{host}{fips}.{suffix}"),
        })
    }

    fn has_fips_label(&self, gov: Gov, partition: &Partition) -> bool {
        let is_silent = match gov {
            Gov::None => false,
            Gov::SingleStack => !self.dual_stack,
            Gov::All => true,
        };
        self.fips && !(partition.name == "aws-us-gov" && is_silent)
    }

    /// `account`, if it has a host of its own
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-account-endpoints.html>).
    fn of_account<'a>(
        &self,
        partition: &Partition,
        account: Option<&'a str>,
    ) -> Result<Option<&'a str>, &'static str> {
        let is_required = self.account == AccountIdEndpointMode::Required;
        let has_hosts = ["aws", "aws-cn", "aws-us-gov"].contains(&partition.name);
        match account {
            _ if self.fips && is_required => Err(
                "Invalid Configuration: AccountIdEndpointMode is required and FIPS is enabled, but FIPS account endpoints are \
                 not supported",
            ),
            _ if !has_hosts && is_required => Err(
                "Invalid Configuration: AccountIdEndpointMode is required but account endpoints are not supported in this region",
            ),
            None if is_required => Err(
                "AccountIdEndpointMode is required but no AccountID was provided or able to be loaded",
            ),
            Some(account)
                if has_hosts && !self.fips && self.account != AccountIdEndpointMode::Disabled =>
            {
                match is_host_part(account) {
                    true => Ok(Some(account)),
                    false => Err("Credentials-sourced account ID parameter is invalid"),
                }
            }
            _ => Ok(None),
        }
    }
}

/// The address of `service` that a variable or a profile sets, or else that of all services
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
fn of_user(service: &Service, config: &SdkConfig) -> Option<String> {
    let all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return all();
    }
    let key = ServiceConfigKey::builder()
        .service_id(service.id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok();
    let own = config.service_config().zip(key);
    own.and_then(|(settings, key)| settings.load_config(key))
        .or_else(all)
}

/// Whether `text` can be part of a host's name.
fn is_host_part(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

impl ResolveEndpoint for ServiceEndpoint {
    fn resolve_endpoint<'a>(&'a self, params: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        let identity = params.get_property::<Identity>();
        let account = identity.and_then(|identity| identity.property::<AccountId>());
        EndpointFuture::ready(match self.url(account.map(AccountId::as_str)) {
            Ok(url) => Ok(Endpoint::builder().url(url).build()),
            Err(why) => Err(ResolveEndpointError::message(why).into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::service::*;
    use super::*;

    fn place(
        service: &'static Service,
        words: &[&str],
        account: AccountIdEndpointMode,
    ) -> ServiceEndpoint {
        ServiceEndpoint {
            service,
            region: words[0].to_owned(),
            url: words
                .contains(&"custom")
                .then(|| "http://stub/x".to_owned()),
            fips: words.contains(&"fips"),
            dual_stack: words.contains(&"dual"),
            account,
            bucket: None,
        }
    }

    /// Each line of the record is a service, a Region, flags, and the address or the refusal of the generated client.
    #[test]
    fn every_address_is_that_of_the_generated_client() {
        let preferred = || (AccountIdEndpointMode::Preferred, None);
        let account = Some("123456789012");
        let mut lines = 0;
        for line in include_str!("recorded/endpoints.txt").lines() {
            if line.starts_with('#') {
                continue;
            }
            let (of, expected) = line.split_once(": ").unwrap();
            let (name, words) = of.split_once(" | ").unwrap();
            let (service, (mode, account)) = match name {
                "ACM" => (&ACM, preferred()),
                "Route 53" => (&ROUTE53, preferred()),
                "CloudWatch" => (&CLOUDWATCH, preferred()),
                "CloudWatch Logs" => (&LOGS, preferred()),
                "Lambda" => (&LAMBDA, preferred()),
                "ApiGatewayV2" => (&GATEWAY, preferred()),
                "ApiGatewayManagementApi" => (&CONNECTIONS, preferred()),
                "CloudFormation" => (&CLOUDFORMATION, preferred()),
                "IAM" => (&IAM, preferred()),
                "DynamoDB" => (&DYNAMODB, preferred()),
                "DynamoDB of an account" => {
                    (&DYNAMODB, (AccountIdEndpointMode::Preferred, account))
                }
                "DynamoDB required without" => (&DYNAMODB, (AccountIdEndpointMode::Required, None)),
                "DynamoDB required" => (&DYNAMODB, (AccountIdEndpointMode::Required, account)),
                "DynamoDB disabled" => (&DYNAMODB, (AccountIdEndpointMode::Disabled, account)),
                other => panic!("{other}"),
            };
            let words: Vec<_> = words.split(' ').collect();
            let place = place(service, &words, mode);
            let shown = match place.url(account) {
                Ok(url) => url,
                Err(why) => format!("refused: {why}"),
            };
            let (expected, region) = match expected.split_once(" as ") {
                Some((expected, region)) => (expected, Some(region)),
                None => (expected, None),
            };
            assert_eq!(shown, expected, "{of}");
            if let Some(region) = region {
                assert_eq!(place.signed_region(), region, "{of}");
            }
            lines += 1;
        }
        assert!(lines > 800, "{lines}");
    }
}
