//! A profile that was asked for by name: that it exists, and credentials from nowhere else.

use std::path::{Path, PathBuf};

use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::SharedCredentialsProvider;

use crate::engine::{Refusal, TargetError};
use crate::stack::few::few;

/// Where profiles are written down, and how a section's title leads to its name
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// `[profile work]`, but `[default]`.
    Config,
    /// `[work]`.
    Credentials,
}

/// The profile that must exist because the environment names it.
pub(super) fn of_environment() -> Option<String> {
    named_by(|variable| std::env::var(variable).ok())
}

/// Keys in the environment come first, and `default` may be missing: then others than files are asked.
fn named_by(environment: impl Fn(&str) -> Option<String>) -> Option<String> {
    let value = |variable: &str| environment(variable).filter(|value| !value.is_empty());
    match value("AWS_ACCESS_KEY_ID") {
        Some(_) => None,
        None => value("AWS_PROFILE").filter(|profile| profile != "default"),
    }
}

/// Makes sure that `profile` is there, in one of the files that every AWS tool reads.
///
/// # Errors
/// It is not; told are the files that were looked at and the profiles that there are.
pub(super) fn exists(profile: &str) -> Result<(), TargetError> {
    let files = files();
    let mut known = Vec::new();
    for (path, notation) in &files {
        let text = std::fs::read(path).unwrap_or_default();
        known.extend(names(&String::from_utf8_lossy(&text), *notation));
    }
    if known.iter().any(|name| name == profile) {
        return Ok(());
    }
    known.sort();
    known.dedup();
    let paths: Vec<_> = files
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    let message = format!(
        "there is no AWS profile `{profile}` in {}",
        paths.join(" or ")
    );
    let hint = if known.is_empty() {
        "neither names a profile: `aws configure sso` or `aws configure` writes one; `--profile`, `profile` under `[aws]` in chatctl.toml, or AWS_PROFILE chooses it".to_owned()
    } else {
        format!(
            "choose one of {} with `--profile`, with `profile` under `[aws]` in chatctl.toml, or with AWS_PROFILE",
            few(&known)
        )
    };
    Err(TargetError::new(Refusal::Usage, message).with_hint(hint))
}

/// The credentials of `profile` alone. Whoever names a profile means its account, whatever keys the environment holds,
/// which would come first otherwise.
pub(super) fn credentials(profile: &str, config: &SdkConfig) -> SharedCredentialsProvider {
    let mut from = ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(config.region().cloned());
    if let Some(http) = config.http_client() {
        from = from.with_http_client(http);
    }
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&from)
        .profile_name(profile)
        .build();
    // A chain of one names its link when that has no credentials, which the link itself does not.
    let name = format!("profile `{profile}`");
    SharedCredentialsProvider::new(CredentialsProviderChain::first_try(name, provider))
}

/// The two files, which the environment may move
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html>).
fn files() -> [(PathBuf, Notation); 2] {
    let file = |variable: &str, name: &str| {
        let moved = std::env::var_os(variable).filter(|path| !path.is_empty());
        moved.map_or_else(
            || Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(name),
            PathBuf::from,
        )
    };
    [
        (file("AWS_CONFIG_FILE", ".aws/config"), Notation::Config),
        (
            file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            Notation::Credentials,
        ),
    ]
}

/// The names of the profiles in a file.
fn names(text: &str, notation: Notation) -> Vec<String> {
    let titles = text.lines().filter_map(|line| {
        let (title, _) = line.trim().strip_prefix('[')?.split_once(']')?;
        Some(title.trim())
    });
    titles
        .filter_map(|title| {
            let named = title
                .strip_prefix("profile")
                .filter(|rest| rest.starts_with(char::is_whitespace));
            let name = match (notation, named) {
                (Notation::Config, Some(name)) => name,
                (Notation::Config, None) if title == "default" => title,
                (Notation::Credentials, None) => title,
                _ => return None,
            };
            Some(name.trim().trim_matches(['"', '\'']).to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_the_environment_must_exist_unless_it_decides_nothing() {
        let named = |variables: &[(&str, &str)]| {
            named_by(|wanted| {
                let found = variables.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let profile = ("AWS_PROFILE", "work");
        assert_eq!(named(&[profile]).as_deref(), Some("work"));
        assert_eq!(named(&[profile, ("AWS_ACCESS_KEY_ID", "AKID")]), None);
        assert_eq!(named(&[("AWS_PROFILE", "default")]), None);
        assert_eq!(named(&[("AWS_PROFILE", "")]), None);
    }

    #[test]
    fn profiles_are_read_in_the_notation_of_their_file() {
        let config = "# [profile no]\n[default]\nregion = x\n[profile work] # ours\n[ profile  'a b' ]\n\
                      [sso-session work2]\n[bare]\n[profiles]\n";
        assert_eq!(names(config, Notation::Config), ["default", "work", "a b"]);
        let credentials = "[default]\n[work]\naws_access_key_id = [x]\n[profile odd]\n";
        assert_eq!(
            names(credentials, Notation::Credentials),
            ["default", "work"]
        );
    }
}
