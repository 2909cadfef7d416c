//! The Region of a command that does not connect to AWS.

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::region::ProfileFileRegionProvider;

use crate::config::Aws;

/// The Region that a deployment with these settings would use, from settings, environment and `~/.aws`. The machine's
/// metadata is not requested, so nothing is sent; `None` if none is set.
pub async fn named_region(settings: &Aws) -> Option<String> {
    if let Some(region) = &settings.region {
        return Some(region.to_string());
    }
    if let Some(region) = EnvironmentVariableRegionProvider::new().region().await {
        return Some(region.to_string());
    }
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    Some(profile.build().region().await?.to_string())
}
