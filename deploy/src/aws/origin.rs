//! Where credentials and Region come from, as far as settings, environment and the two files say.

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

/// What decides who acts, and where.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) files: Files,
    /// The profile that is asked, whether somebody named it or not.
    pub(super) profile: String,
    /// Whether nothing but the profile is asked.
    pub(super) is_profile_only: bool,
    sections: ProfileSet,
    /// What is wrong with the files, where they may not be needed.
    problem: Option<TargetError>,
}

impl Origin {
    /// What settings, environment and files say together.
    ///
    /// # Errors
    /// A variable or a file that is needed makes no sense, or the profile that was asked for does not exist.
    pub(super) async fn load(settings: &Aws) -> Result<Self, TargetError> {
        let is_profile_only = settings.profile.is_some();
        environment::check(is_profile_only)?;
        let keys_decide = !is_profile_only && profile::keys_decide();
        let (files, problem) = match Files::load().await {
            Ok(files) => (files, None),
            Err(error) if keys_decide => (Files::default(), Some(error)),
            Err(error) => return Err(error),
        };
        let named = settings.profile.clone().or_else(profile::of_environment);
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

    /// The profile that is asked, and those that it takes its credentials from, in that order.
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

    /// The SDK makes headers of keys, and panics over what none can have.
    fn check_keys(&self) -> Result<(), TargetError> {
        for profile in self.chain() {
            for property in ["aws_access_key_id", "aws_session_token"] {
                let value = profile.get(property).unwrap_or_default();
                if is_header(value) {
                    continue;
                }
                let (name, files) = (profile.name(), &self.files);
                let message = format!(
                    "`{property}` of profile `{name}` in {files} has characters in it that no such value has"
                );
                return Err(TargetError::new(ErrorKind::Usage, message)
                    .with_hint("write it again, without spaces, quotes and line breaks in it"));
            }
        }
        Ok(())
    }

    /// The Region: from settings, environment, the profile, else from the machine on AWS that this is.
    ///
    /// # Errors
    /// Nothing names one, or what names one does not name a Region.
    pub(super) async fn region(
        &mut self,
        settings: &Aws,
        http: &SharedHttpClient,
    ) -> Result<String, TargetError> {
        if let Some(region) = &settings.region {
            return Ok(region.clone());
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
        // Where nothing names a Region, the machine itself is asked, which may not answer.
        let asked = ProviderConfig::without_region()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_http_client(http.clone());
        let machine = ImdsRegionProvider::builder().configure(&asked).build();
        let asking = tokio::time::timeout(limits::CALL.time(), machine.region());
        let found = asking.await.map_err(|_elapsed| {
            let message = "it took too long to find out which AWS region to use";
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
                "neither profile `{}` nor the environment says which AWS region to use",
                self.profile
            ),
            None => "nothing says which AWS region to use".to_owned(),
        };
        let empty = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find(|variable| std::env::var_os(variable).is_some_and(|value| value.is_empty()));
        let empty = empty.map(|variable| format!("; {variable} is set, and empty"));
        let hint = format!(
            "add `--region eu-west-1`, set AWS_REGION, or put `region` under `[aws]` in chatctl.toml{}",
            empty.unwrap_or_default()
        );
        Err(TargetError::new(ErrorKind::Usage, message).with_hint(hint))
    }
}

/// `region`, which `source` names, if it can be one.
fn named(region: &str, source: &str) -> Result<String, TargetError> {
    match region.parse::<RegionName>() {
        Ok(region) => Ok(region.into()),
        Err(error) => Err(
            TargetError::new(ErrorKind::Usage, format!("{source}: {error}"))
                .with_hint("a Region's name is like eu-west-1; `--region` names another one"),
        ),
    }
}

/// Whether a header can hold `value`.
pub(super) fn is_header(value: &str) -> bool {
    value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
