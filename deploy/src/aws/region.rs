//! Which Region a command without AWS is about.

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::region::ProfileFileRegionProvider;

use crate::config::Aws;

/// The Region that a deployment with these settings would go to, as far as settings, environment and `~/.aws` tell.
/// The machine itself is not asked, so nothing is sent; `None` where nothing names one.
pub async fn named_region(settings: &Aws) -> Option<String> {
    if settings.region.is_some() {
        return settings.region.clone();
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
