//! Classifies AWS's refusals. The only module that inspects SDK errors.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::SdkError;

use super::http::{TooLarge, WebPage};
pub(super) use super::kinds::Kind;
use super::kinds::{by_code, by_status};
use super::no_credentials::NoCredentials;
use super::words::on_one_line;
use crate::engine::network::ProxyFailure;
use crate::engine::{ErrorKind, TargetError, causes, chain};
use crate::stack::denial::Denial;
use crate::stack::denial::action_in;
use crate::stack::unavailable::explanation;

/// AWS's own error message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Words(String);

/// Classifies `error`.
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
        error if NoCredentials::found_in(error).is_some() => Kind::NoCredentials,
        error if is_caused_by::<WebPage>(error) => Kind::WebPage,
        error if is_caused_by::<TooLarge>(error) => Kind::Garbled,
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

/// Converts `error` to ours. `action` is IAM's name of the request, for messages that do not name it; `attempt` is what
/// was attempted, for example `publish the handlers to bucket x`.
pub(super) fn refused<E>(
    action: &'static str,
    attempt: impl std::fmt::Display,
    error: impl std::borrow::Borrow<SdkError<E, HttpResponse>>,
) -> TargetError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = error.borrow();
    if let Some(none) = NoCredentials::found_in(error) {
        return none.reported(attempt);
    }
    let words = words(error);
    let message = format!("could not {attempt}");
    let (refusal, hint) = match kind(error) {
        Kind::Throttled => (
            ErrorKind::Unreachable,
            Some("AWS throttled the request, even after several retries; wait a minute and try again".to_owned()),
        ),
        Kind::Unreachable => (
            ErrorKind::Unreachable,
            Some("check the network and the Region's name, then try again".to_owned()),
        ),
        Kind::Silent => (
            ErrorKind::Unreachable,
            Some("AWS did not respond in time, even after several retries; check the network, then try again".to_owned()),
        ),
        Kind::Internal => (
            ErrorKind::Unreachable,
            Some("AWS had an internal error, even after several retries; try again in a few minutes".to_owned()),
        ),
        Kind::WebPage => (
            ErrorKind::Unreachable,
            Some(
                "something between here and AWS responded with a web page, such as a proxy or the sign-in page of a \
                 network: open a browser to see it, then try again"
                    .to_owned(),
            ),
        ),
        Kind::Garbled => (
            ErrorKind::Unreachable,
            Some(
                "the response is incomplete or not AWS's; something between here and AWS may change it; try again"
                    .to_owned(),
            ),
        ),
        Kind::UnknownHost => (
            ErrorKind::Unreachable,
            Some(
                "AWS's host for this Region was not found: check the Region's name (`--region`, AWS_REGION) and the \
                 network; if AWS is only reachable through a proxy, set HTTPS_PROXY"
                    .to_owned(),
            ),
        ),
        Kind::Certificate => (
            ErrorKind::Unreachable,
            Some(
                "this machine's certificates do not include the server's issuer: if a proxy inspects TLS, set AWS_CA_BUNDLE to the \
                 file with its authority's certificate (PEM); `chatctl doctor` shows which are used"
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
                "AWS does not recognise this access key here: it was mistyped, deleted or deactivated; or it belongs to \
                 another partition, because keys of China and GovCloud are only valid there; or the Region is one that the \
                 account has to enable first (https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html); \
                 `chatctl doctor` shows the Region"
                    .to_owned(),
            ),
        ),
        Kind::BadSignature => (
            ErrorKind::Denied,
            Some(
                "the secret access key does not belong to this access key: check AWS_SECRET_ACCESS_KEY or the profile \
                 for a mistyped or cut-off value"
                    .to_owned(),
            ),
        ),
        Kind::BadToken => (
            ErrorKind::Denied,
            Some(
                "the session token is missing, or does not belong to the keys: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY \
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
            let known = explanation(&words).map(|(meaning, remedy)| format!("{meaning}: {remedy}")).unwrap_or_else(|| {
                "the account is suspended, or has a problem that its billing page in the AWS console shows".to_owned()
            });
            (ErrorKind::Denied, Some(known))
        }
        // Handled above.
        Kind::NoCredentials => (ErrorKind::Denied, None),
        Kind::Denied => {
            let hint = match Denial::parse(&words, action) {
                Some(denial) if !denial.is_mere_lack() => format!("{}: {}", denial.meaning(), denial.remedy()),
                _ => {
                    let named = action_in(&words).unwrap_or(action);
                    format!("the identity lacks the permission {named}")
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

/// The error code of a service's response.
pub(super) fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    }
}

/// AWS's own message: code and message of a response, else the innermost cause.
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
        return format!("the response, with HTTP status {status}, could not be parsed");
    }
    if matches!(error, SdkError::TimeoutError(_)) {
        return "no response came in time".to_owned();
    }
    let mut last = String::new();
    for cause in causes(error) {
        last = cause.to_string();
        // The proxy's message repeats the inner cause.
        if cause.is::<ProxyFailure>() {
            break;
        }
    }
    last
}

/// AWS's own message about `error`, for a longer chain.
pub(super) fn message_of<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    words(error)
}
