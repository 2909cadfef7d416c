//! A profile that is named explicitly: checks that it exists, and takes credentials only from it.

use aws_config::BehaviorVersion;
use aws_config::SdkConfig;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_sts::config::SharedCredentialsProvider;

use super::files::Files;
use crate::engine::{ErrorKind, TargetError};
use crate::stack::few::few;

/// The notation of profile names in a file's section titles
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// `[profile work]`, but `[default]`.
    Config,
    /// `[work]`.
    Credentials,
}

/// The profile that the environment sets.
pub(super) fn from_environment() -> Option<String> {
    std::env::var("AWS_PROFILE")
        .ok()
        .filter(|profile| !profile.is_empty())
}

/// Whether keys in the environment take precedence over a profile that the settings do not name.
pub(super) fn keys_decide() -> bool {
    decided_by(|variable| std::env::var(variable).ok())
}

fn decided_by(environment: impl Fn(&str) -> Option<String>) -> bool {
    environment("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.trim().is_empty())
}

/// Checks that `profile` is in one of the files of all AWS tools.
///
/// # Errors
/// It is missing. The error lists the files and their profiles.
pub(super) fn exists(profile: &str, files: &Files) -> Result<(), TargetError> {
    let mut known = names(&files.config.text, Notation::Config);
    known.extend(names(&files.credentials.text, Notation::Credentials));
    if known.iter().any(|name| name == profile) {
        return Ok(());
    }
    known.sort();
    known.dedup();
    let message = format!("there is no AWS profile `{profile}` in {files}");
    let hint = if known.is_empty() {
        "neither has a profile: `aws login`, `aws configure sso` or `aws configure` writes one; `--profile`, `profile` under `[aws]` in chatctl.toml, or AWS_PROFILE chooses it".to_owned()
    } else {
        format!(
            "choose one of {} with `--profile`, with `profile` under `[aws]` in chatctl.toml, or with AWS_PROFILE",
            few(&known)
        )
    };
    Err(TargetError::new(ErrorKind::Usage, message).with_hint(hint))
}

/// The credentials of `profile` alone. A user who names a profile means its account, even if the environment has keys,
/// which would otherwise take precedence.
pub(super) fn credentials(
    profile: &str,
    files: &Files,
    config: &SdkConfig,
) -> SharedCredentialsProvider {
    let mut from = ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(config.region().cloned());
    if let Some(http) = config.http_client() {
        from = from.with_http_client(http);
    }
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&from)
        .profile_files(files.for_sdk())
        .profile_name(profile)
        .build();
    // A chain of one adds the link's name to its error, which the link itself does not.
    let name = format!("profile `{profile}`");
    SharedCredentialsProvider::new(CredentialsProviderChain::first_try(name, provider))
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
    fn keys_in_the_environment_decide_unless_they_are_blank() {
        let decided = |key: &'static str| decided_by(move |_| Some(key.to_owned()));
        assert!(decided("AKID"));
        assert!(!decided(" "));
        assert!(!decided_by(|_| None));
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
