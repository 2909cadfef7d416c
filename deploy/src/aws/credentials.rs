//! Credentials, and explanations of missing ones: the source that was tried, the problem and a remedy.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};
use aws_sdk_sts::config::SharedCredentialsProvider;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use futures_util::FutureExt;

use super::error::{message_of, refused};
use super::no_credentials::NoCredentials;
use super::origin::{Origin, is_header};
use crate::engine::network::ProxyFailure;
use crate::engine::{ErrorKind, causes};

/// Requests credentials from `inner`, and explains its errors by their source.
#[derive(Debug)]
pub(super) struct Explained {
    pub(super) inner: SharedCredentialsProvider,
    pub(super) origin: Arc<Origin>,
}

impl ProvideCredentials for Explained {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

impl Explained {
    async fn credentials(&self) -> Provided {
        let asking = AssertUnwindSafe(self.inner.provide_credentials());
        // A program may have printed a key that cannot be used in a request, with which the SDK panics.
        let answer = asking.catch_unwind().await;
        let problem = match answer {
            Ok(Ok(credentials)) => {
                let token = credentials.session_token().unwrap_or_default();
                if is_header(credentials.access_key_id()) && is_header(token) {
                    return Ok(credentials);
                }
                self.unusable()
            }
            Ok(Err(error)) => explained(&error, &self.origin),
            Err(_panic) => self.unusable(),
        };
        Err(CredentialsError::provider_error(problem))
    }

    fn unusable(&self) -> NoCredentials {
        NoCredentials {
            kind: ErrorKind::Denied,
            why: "the credentials contain characters that no key has".into(),
            hint: match self.origin.property("credential_process") {
                Some((profile, _)) => {
                    format!("check the output of the `credential_process` of profile `{profile}`")
                }
                None => "`aws configure list` shows where they come from".into(),
            },
        }
    }
}

/// The explanation of `error` for credentials from `origin`.
fn explained(error: &CredentialsError, origin: &Origin) -> NoCredentials {
    let causes = || causes(error);
    let chain: Vec<_> = causes().map(ToString::to_string).collect();
    let has = |words: &str| chain.iter().any(|text| text.contains(words));
    let last = chain.last().map_or("", String::as_str);
    let profile = &origin.profile;
    let quoted = shell_words::quote(profile);
    let denied = |why: String, hint: String| NoCredentials {
        kind: ErrorKind::Denied,
        why,
        hint,
    };
    if has("access token instead of credentials")
        || has("` was missing")
        || has("was not defined")
        || has("could not be built")
    {
        return NoCredentials {
            kind: ErrorKind::Usage,
            why: format!(
                "profile `{profile}` in {} has no usable credentials: {}",
                origin.files,
                reason(&chain)
            ),
            hint: "correct it there, or choose another profile (`--profile`, AWS_PROFILE)".into(),
        };
    }
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return none(origin);
    }
    // A role is assumed with credentials that were found, so AWS's refusal is about them.
    let role =
        causes().find_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
    if let Some(error) = role {
        return role_refused(error, origin);
    }
    type WebIdentity = SdkError<AssumeRoleWithWebIdentityError, HttpResponse>;
    let web = causes().find_map(|cause| cause.downcast_ref::<WebIdentity>());
    if let Some(error) = web {
        let reported = refused("sts:AssumeRoleWithWebIdentity", "", error);
        return NoCredentials {
            kind: reported.kind,
            why: format!("the role could not be assumed with the web identity's token: {}", message_of(error)),
            hint: match reported.kind {
                ErrorKind::Unreachable => reported.hint.unwrap_or_default(),
                _ => "compare the role's trust policy with the token (audience, subject, provider), and renew the token \
                      if it has expired"
                    .into(),
            },
        };
    }
    if has("external process") {
        return process_failed(&chain, origin);
    }
    if let Some(proxy) = causes().find_map(|cause| cause.downcast_ref::<ProxyFailure>()) {
        return NoCredentials {
            kind: ErrorKind::Unreachable,
            why: format!("could not request credentials: {proxy}"),
            hint: proxy.hint().into(),
        };
    }
    if has("dispatch failure")
        || has("has timed out")
        || matches!(error, CredentialsError::ProviderTimedOut(_))
    {
        return NoCredentials {
            kind: ErrorKind::Unreachable,
            why: format!("could not request credentials: the network failed: {last}"),
            hint: "check the network and the Region's name, then try again".into(),
        };
    }
    if origin.property("sso_session").is_some() || origin.property("sso_start_url").is_some() {
        let again = format!(
            "sign in with `aws sso login --profile {quoted}`, then run the same command again"
        );
        let center = "IAM Identity Center";
        return if has("ForbiddenException") || has("No access") || has("ResourceNotFoundException")
        {
            let of = |property: &str| origin.property(property).map_or("", |(_, value)| value);
            let (role, account) = (of("sso_role_name"), of("sso_account_id"));
            denied(
                format!("{center} refuses role `{role}` in account {account} for this session: {last}"),
                "have it assigned, or compare `sso_role_name` and `sso_account_id` with the access portal".into(),
            )
        } else if has("expired") || has("Unauthorized") || has("not found or invalid") {
            denied(
                format!("the session of {center} for profile `{profile}` has expired"),
                again,
            )
        } else if has("failed to load") || has("failed to read") {
            denied(
                format!("profile `{profile}` has no session of {center} on this machine"),
                again,
            )
        } else {
            denied(
                format!("the session of {center} for profile `{profile}` cannot be used: {last}"),
                again,
            )
        };
    }
    if origin.property("login_session").is_some() {
        let why = match has("failed to read") {
            true => format!("profile `{profile}` has no session of `aws login` on this machine"),
            false if has("expired") || has("reauthenticate") => {
                format!("the session of profile `{profile}` has expired")
            }
            false => format!("the session of profile `{profile}` cannot be used: {last}"),
        };
        let again =
            format!("sign in with `aws login --profile {quoted}`, then run the same command again");
        return denied(why, again);
    }
    denied(
        format!("credentials could not be loaded: {}", reason(&chain)),
        "`aws configure list` shows where they come from, and `aws sts get-caller-identity` whether they work".into(),
    )
}

/// The explanation if no source has credentials.
fn none(origin: &Origin) -> NoCredentials {
    let profile = &origin.profile;
    let asked = match origin.is_profile_only {
        true => format!("profile `{profile}` in {} has none", origin.files),
        false => format!(
            "neither the environment, nor profile `{profile}` in {}, nor the machine itself has any",
            origin.files
        ),
    };
    NoCredentials {
        kind: ErrorKind::Denied,
        why: asked,
        hint: "found no AWS credentials: sign in with `aws login`, name a profile with `--profile`, or set \
               AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `--local` needs none"
            .into(),
    }
}

fn role_refused(error: &SdkError<AssumeRoleError, HttpResponse>, origin: &Origin) -> NoCredentials {
    let reported = refused("sts:AssumeRole", "", error);
    let (profile, role) = origin
        .property("role_arn")
        .unwrap_or((&origin.profile, "of the profile"));
    let why = format!(
        "profile `{profile}` could not assume role {role}: {}",
        message_of(error)
    );
    let hint = match (origin.property("mfa_serial"), reported.kind) {
        (Some(_), ErrorKind::Denied) => with_code(origin),
        _ => reported.hint.unwrap_or_default(),
    };
    NoCredentials {
        kind: reported.kind,
        why,
        hint,
    }
}

/// The AWS CLI prompts for the code of a device, which the SDK cannot
/// (<https://github.com/awslabs/aws-sdk-rust/issues/527>,
/// <https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html>).
fn with_code(origin: &Origin) -> String {
    let quoted = shell_words::quote(&origin.profile);
    let unnamed = match origin.is_profile_only {
        true => ", without `--profile` and without `profile` in chatctl.toml",
        false => "",
    };
    format!(
        "the profile has `mfa_serial`, and only the AWS CLI can prompt for that device's code: \
         `eval \"$(aws configure export-credentials --profile {quoted} --format env)\"` prompts for it and sets temporary \
         keys in the environment of this shell (`--format powershell` or `fish` for these); then run the same command \
         there{unnamed}"
    )
}

/// The program's output may be a secret, so neither the output nor the arguments are shown.
fn process_failed(chain: &[String], origin: &Origin) -> NoCredentials {
    let (profile, command) = origin
        .property("credential_process")
        .unwrap_or((&origin.profile, ""));
    let program = shell_words::split(command)
        .ok()
        .and_then(|words| words.into_iter().next())
        .unwrap_or_else(|| {
            command
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned()
        });
    let words = chain.last().map_or("", String::as_str);
    let what = match words.split_once("exited with code ") {
        Some((_, rest)) => {
            let status = rest.split(". Stderr:").next().unwrap_or_default();
            let status = status.trim_start_matches("exit status: ");
            match status {
                "127" => "was not found (exit code 127)".to_owned(),
                status if status.parse::<i32>().is_ok() => format!("failed with exit code {status}"),
                other => format!("failed: {other}"),
            }
        }
        None if words.contains("could not parse response") || words.contains("UTF-8") => {
            "printed no credentials in the format of AWS tools (JSON with `Version`, `AccessKeyId`, \
             `SecretAccessKey`)"
                .to_owned()
        }
        None => "could not be run".to_owned(),
    };
    NoCredentials {
        kind: ErrorKind::Denied,
        why: format!("the `credential_process` of profile `{profile}`, `{program}`, {what}"),
        hint: format!(
            "run it as written in {} to see its messages, or have it renewed",
            origin.files
        ),
    }
}

/// The last part of a chain, without the SDK's own introduction. A chain of providers has a line for each.
fn reason(chain: &[String]) -> String {
    let last = chain.last().map_or("", String::as_str);
    let telling = ["access token instead", "` was missing", "was not defined"];
    let line = last
        .lines()
        .find(|line| telling.iter().any(|words| line.contains(words)));
    let words = line.unwrap_or(last);
    let introduced = ["was not enabled: ", "could not be built: "];
    let words = introduced.iter().fold(words, |words, introduction| {
        words
            .split_once(introduction)
            .map_or(words, |(_, rest)| rest)
    });
    words.trim().to_owned()
}
