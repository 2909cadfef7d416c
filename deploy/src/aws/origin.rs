//! The sources of credentials and Region in settings, environment and the two files.

use std::collections::BTreeSet;

use aws_config::BehaviorVersion;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::profile::{Profile, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::environment;
use super::files::Files;
use super::profile;
use crate::config::Aws;
use crate::config::names::RegionName;
use crate::engine::{ErrorKind, TargetError, limits};

/// What decides the identity and the Region.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) files: Files,
    /// The profile in use, named explicitly or by default.
    pub(super) profile: String,
    /// Whether only the profile is used.
    pub(super) is_profile_only: bool,
    sections: ProfileSet,
    /// The problem with the files, which may not be needed.
    problem: Option<TargetError>,
}

impl Origin {
    /// Combines settings, environment and files.
    ///
    /// # Errors
    /// A variable or file that is needed is invalid, or the named profile does not exist.
    pub(super) async fn load(settings: &Aws) -> Result<Self, TargetError> {
        let is_profile_only = settings.profile.is_some();
        environment::check(is_profile_only)?;
        let keys_decide = !is_profile_only && profile::keys_decide();
        let (files, problem) = match Files::load().await {
            Ok(files) => (files, None),
            Err(error) if keys_decide => (Files::default(), Some(error)),
            Err(error) => return Err(error),
        };
        let named = settings.profile.clone().or_else(profile::from_environment);
        if let Some(profile) = &named
            && !keys_decide
            && (is_profile_only || profile != "default")
        {
            profile::exists(profile, &files)?;
        }
        let profile = named.unwrap_or_else(|| "default".to_owned());
        let origin = Self {
            sections: files.sections(&profile).await,
            files,
            profile,
            is_profile_only,
            problem,
        };
        if !keys_decide {
            origin.check_keys()?;
        }
        Ok(origin)
    }

    /// The profile in use, followed by those that it takes its credentials from.
    pub(super) fn chain(&self) -> Vec<&Profile> {
        let (mut chain, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next = Some(self.profile.as_str());
        while let Some(name) = next.filter(|name| seen.insert(name.to_owned())) {
            let Some(profile) = self.sections.get_profile(name) else {
                break;
            };
            next = profile.get("source_profile");
            chain.push(profile);
        }
        chain
    }

    /// The first profile of the chain that has `property`, and its value.
    pub(super) fn property(&self, property: &str) -> Option<(&str, &str)> {
        let chain = self.chain();
        let mut found = chain
            .into_iter()
            .filter_map(|profile| Some((profile.name(), profile.get(property)?)));
        found.next()
    }

    /// The SDK makes headers of keys, and panics with invalid characters.
    fn check_keys(&self) -> Result<(), TargetError> {
        for profile in self.chain() {
            for property in ["aws_access_key_id", "aws_session_token"] {
                let value = profile.get(property).unwrap_or_default();
                if is_header(value) {
                    continue;
                }
                let (name, files) = (profile.name(), &self.files);
                let message = format!(
                    "`{property}` of profile `{name}` in {files} contains characters that are not allowed"
                );
                return Err(TargetError::new(ErrorKind::Usage, message)
                    .with_hint("write it again, without spaces, quotes and line breaks"));
            }
        }
        Ok(())
    }

    /// The Region of the settings, the environment or the profile, else of the AWS machine that this runs on.
    ///
    /// # Errors
    /// No Region is set, or its name is invalid.
    pub(super) async fn region(
        &mut self,
        settings: &Aws,
        http: &SharedHttpClient,
    ) -> Result<String, TargetError> {
        if let Some(region) = &settings.region {
            return Ok(region.to_string());
        }
        for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            let value = std::env::var_os(variable).unwrap_or_default();
            if !value.is_empty() {
                return named(&value.to_string_lossy(), variable);
            }
        }
        let selected = self.sections.get_profile(&self.profile);
        if let Some(region) = selected.and_then(|profile| profile.get("region"))
            && !region.is_empty()
        {
            return named(region, &format!("`region` of profile `{}`", self.profile));
        }
        // As the last source, the machine's metadata is requested, which may not respond.
        let asked = ProviderConfig::without_region()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(http.clone());
        let machine = ImdsRegionProvider::builder().configure(&asked).build();
        let asking = tokio::time::timeout(limits::CALL.time(), machine.region());
        let found = asking.await.map_err(|_elapsed| {
            let message = "could not find the AWS Region in time";
            TargetError::new(ErrorKind::Unreachable, message)
                .with_hint("add `--region eu-west-1`, or set AWS_REGION")
        })?;
        if let Some(region) = found {
            return named(region.as_ref(), "the metadata of this machine");
        }
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        let message = match settings.profile {
            Some(_) => format!(
                "no AWS Region is set, neither in profile `{}` nor in the environment",
                self.profile
            ),
            None => "no AWS Region is set".to_owned(),
        };
        let empty = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find(|variable| std::env::var_os(variable).is_some_and(|value| value.is_empty()));
        let empty = empty.map(|variable| format!("; {variable} is set, and empty"));
        let hint = format!(
            "add `--region eu-west-1`, set AWS_REGION, or set `region` under `[aws]` in chatctl.toml{}",
            empty.unwrap_or_default()
        );
        Err(TargetError::new(ErrorKind::Usage, message).with_hint(hint))
    }
}

/// Returns `region` from `source`, if it can be a Region's name.
fn named(region: &str, source: &str) -> Result<String, TargetError> {
    match region.parse::<RegionName>() {
        Ok(region) => Ok(region.into()),
        Err(error) => Err(
            TargetError::new(ErrorKind::Usage, format!("{source}: {error}")).with_hint(
                "a Region's name has the form eu-west-1; set another one with `--region`",
            ),
        ),
    }
}

/// Whether `value` is a valid header value.
pub(super) fn is_header(value: &str) -> bool {
    value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
