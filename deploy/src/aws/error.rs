//! What AWS's refusals mean. The only place that looks at an SDK error.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::SdkError;

use super::credentials::found_in;
use super::http::WebPage;
pub(super) use super::kinds::Kind;
use super::kinds::{by_code, by_status};
use crate::engine::network::ProxyFailure;
use crate::engine::{ErrorKind, TargetError, causes, chain};
use crate::stack::denial::Denial;
use crate::stack::denial::action_in;
use crate::stack::unavailable::explanation;

/// What AWS itself said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Words(String);

/// Sorts `error`.
pub(super) fn kind<E>(error: &SdkError<E, HttpResponse>) -> Kind
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let meta = service.err();
            match meta.code().filter(|code| !code.is_empty()) {
                Some(code) => by_code(code, meta.message().unwrap_or_default()),
                None => by_status(service.raw().status().as_u16()),
            }
        }
        SdkError::TimeoutError(_) => Kind::Silent,
        SdkError::ResponseError(_) => Kind::Garbled,
        error if found_in(error).is_some() => Kind::NoCredentials,
        error if is_caused_by::<WebPage>(error) => Kind::WebPage,
        error if is_caused_by::<ProxyFailure>(error) => Kind::Proxy,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Kind::Silent,
        error => {
            let chain = chain(error);
            if chain.contains("invalid peer certificate") {
                Kind::Certificate
            } else if chain.contains("dns error") || chain.contains("failed to lookup address") {
                Kind::UnknownHost
            } else if chain.contains("identity") && chain.contains("timed out") {
                Kind::Silent
            } else if matches!(error, SdkError::DispatchFailure(_)) {
                Kind::Unreachable
            } else {
                Kind::Other
            }
        }
    }
}

/// Turns `error` into ours. `action` is what IAM calls the request, for when AWS does not name it; `attempt` is
/// what was tried, for example `publish the handlers to bucket x`.
pub(super) fn refused<E>(
    action: &'static str,
    attempt: impl std::fmt::Display,
    error: impl std::borrow::Borrow<SdkError<E, HttpResponse>>,
) -> TargetError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = error.borrow();
    if let Some(none) = found_in(error) {
        return none.told(attempt);
    }
    let words = words(error);
    let message = format!("could not {attempt}");
    let (refusal, hint) = match kind(error) {
        Kind::Throttled => (
            ErrorKind::Unreachable,
            Some("AWS was asked too often, also after several tries; wait a minute and try again".to_owned()),
        ),
        Kind::Unreachable => (
            ErrorKind::Unreachable,
            Some("check the network and the region's name, then try again".to_owned()),
        ),
        Kind::Silent => (
            ErrorKind::Unreachable,
            Some("AWS did not answer in time, also after several tries; check the network, then try again".to_owned()),
        ),
        Kind::Internal => (
            ErrorKind::Unreachable,
            Some("AWS had an internal error, also after several tries; try again in a few minutes".to_owned()),
        ),
        Kind::WebPage => (
            ErrorKind::Unreachable,
            Some(
                "something between here and AWS answered with a web page, such as a proxy or the sign-in page of a \
                 network: open a browser to see it, then try again"
                    .to_owned(),
            ),
        ),
        Kind::Garbled => (
            ErrorKind::Unreachable,
            Some(
                "what came back is not AWS's answer, or not all of it; something between here and AWS may change it; try again"
                    .to_owned(),
            ),
        ),
        Kind::UnknownHost => (
            ErrorKind::Unreachable,
            Some(
                "AWS's host for this Region was not found: check the Region's name (`--region`, AWS_REGION) and the \
                 network; where only a proxy reaches AWS, name it in HTTPS_PROXY"
                    .to_owned(),
            ),
        ),
        Kind::Certificate => (
            ErrorKind::Unreachable,
            Some(
                "what answered is not known by the certificates of this machine: where a proxy looks into TLS, name the \
                 file with its authority's certificate (PEM) in AWS_CA_BUNDLE; `chatctl doctor` tells which are used"
                    .to_owned(),
            ),
        ),
        Kind::Proxy => {
            let hint = causes(error).filter_map(|cause| cause.downcast_ref::<ProxyFailure>()).next();
            (ErrorKind::Unreachable, hint.map(|failure| failure.hint().to_owned()))
        }
        Kind::Expired => (
            ErrorKind::Denied,
            Some("the credentials have expired: renew them (`aws sso login`, `aws login`, or new keys), then run the same command again".to_owned()),
        ),
        Kind::UnknownKey => (
            ErrorKind::Denied,
            Some(
                "AWS does not know this access key here: it was mistyped, deleted or switched off; or it belongs to \
                 another partition, as keys of China and GovCloud count only there; or the Region is one that the \
                 account has to enable first (https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html); \
                 `chatctl doctor` tells which Region is asked"
                    .to_owned(),
            ),
        ),
        Kind::BadSignature => (
            ErrorKind::Denied,
            Some(
                "the secret access key is not the one of this access key: check AWS_SECRET_ACCESS_KEY or the profile \
                 for a mistyped or cut-off value"
                    .to_owned(),
            ),
        ),
        Kind::BadToken => (
            ErrorKind::Denied,
            Some(
                "the session token is missing, or not that of the keys: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY \
                 and AWS_SESSION_TOKEN together, or none of them"
                    .to_owned(),
            ),
        ),
        Kind::Clock => (
            ErrorKind::Denied,
            Some(
                "this machine's clock differs from AWS's by more than minutes: set it (for example by NTP), then run \
                 the same command again"
                    .to_owned(),
            ),
        ),
        Kind::Unavailable => {
            let known = explanation(&words).map(|(meaning, remedy)| format!("{meaning}: {remedy}"));
            let known = known.unwrap_or_else(|| {
                "the account is suspended, or has a problem that its billing page in the AWS console tells".to_owned()
            });
            (ErrorKind::Denied, Some(known))
        }
        // Told above.
        Kind::NoCredentials => (ErrorKind::Denied, None),
        Kind::Denied => {
            let hint = match Denial::of(&words, action) {
                Some(denial) if !denial.is_mere_lack() => format!("{}: {}", denial.meaning(), denial.remedy()),
                _ => {
                    let named = action_in(&words).unwrap_or(action);
                    format!("the identity that is used lacks the permission {named}")
                }
            };
            (ErrorKind::Denied, Some(hint))
        }
        Kind::NotFound => (ErrorKind::Failed, None),
        Kind::Other => (ErrorKind::Unexpected, None),
    };
    TargetError {
        hint,
        source: Some(Box::new(Words(on_one_line(&words)))),
        ..TargetError::new(refusal, message)
    }
}

/// Whether an `E` is among the causes of `error`.
fn is_caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<E>())
}

/// The error code of a service's answer.
pub(super) fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    }
}

/// AWS's own words: code and message of an answer, else the innermost cause.
fn words<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let SdkError::ServiceError(service) = error {
        let status = format!("HTTP status {}", service.raw().status().as_u16());
        let code = service.err().code().unwrap_or(&status);
        return match service.err().message() {
            Some(message) if !message.is_empty() => format!("{code}: {message}"),
            _ => code.to_owned(),
        };
    }
    if let SdkError::ResponseError(response) = error {
        let status = response.raw().status().as_u16();
        return format!("the answer, with HTTP status {status}, makes no sense");
    }
    if matches!(error, SdkError::TimeoutError(_)) {
        return "no answer came in time".to_owned();
    }
    let mut last = String::new();
    for cause in causes(error) {
        last = cause.to_string();
        // What is behind it is what the proxy's own words say already.
        if cause.is::<ProxyFailure>() {
            break;
        }
    }
    last
}

/// AWS's own words about `error`, for a longer chain.
pub(super) fn story_of<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    words(error)
}

/// Words of others, whose line breaks are seen and not obeyed.
pub(super) fn on_one_line(words: &str) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" \u{240a} ")
}
