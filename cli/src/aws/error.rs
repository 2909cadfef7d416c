//! What AWS's refusals mean. The only place that looks at an SDK error.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::SdkError;

use super::http::WebPage;
use crate::engine::{Refusal, TargetError};
use crate::stack::cause::action_in;

/// What kind of refusal it is, whatever the service calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Throttled,
    /// Temporary credentials whose time is over.
    Expired,
    /// Credentials that AWS does not know, or a signature that does not fit.
    Unrecognized,
    /// There are none.
    NoCredentials,
    Denied,
    NotFound,
    /// No connection came to be, or it broke.
    Unreachable,
    /// No answer came in time.
    Silent,
    /// AWS had trouble of its own.
    Internal,
    /// Something between here and AWS answered.
    WebPage,
    /// The answer makes no sense.
    Garbled,
    Other,
}

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
        error if is_caused_by::<WebPage>(error) => Kind::WebPage,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Kind::Silent,
        error => {
            let chain = chain(error).to_lowercase();
            if ["credential", "sso", "identity", "profile"]
                .iter()
                .any(|word| chain.contains(word))
            {
                if chain.contains("expired") {
                    Kind::Expired
                } else {
                    Kind::NoCredentials
                }
            } else if matches!(error, SdkError::DispatchFailure(_)) {
                Kind::Unreachable
            } else {
                Kind::Other
            }
        }
    }
}

/// By the HTTP status: the answer to a HEAD request has no body that could carry a code
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>).
fn by_status(status: u16) -> Kind {
    match status {
        401 | 403 => Kind::Denied,
        404 => Kind::NotFound,
        // To whom asks too much S3 says 503.
        429 | 503 => Kind::Throttled,
        500.. => Kind::Internal,
        _ => Kind::Other,
    }
}

/// By the error code
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>, and each service's own page).
fn by_code(code: &str, message: &str) -> Kind {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "RequestThrottled" => Kind::Throttled,
        "ServiceUnavailable"
        | "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "ServiceException" => Kind::Internal,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            Kind::Expired
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "InvalidAccessKeyId"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "AuthFailure"
        | "InvalidToken" => Kind::Unrecognized,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "Forbidden"
        | "NotAuthorized"
        | "403" => Kind::Denied,
        "NotFound"
        | "NotFoundException"
        | "ResourceNotFoundException"
        | "NoSuchKey"
        | "NoSuchBucket"
        | "NoSuchBucketPolicy"
        | "ChangeSetNotFound"
        | "ChangeSetNotFoundException" => Kind::NotFound,
        "ValidationError" if message.contains("does not exist") => Kind::NotFound,
        _ if message.contains("not authorized to perform") => Kind::Denied,
        _ if message.contains("Rate exceeded") => Kind::Throttled,
        _ => Kind::Other,
    }
}

/// Turns `error` into ours. `action` is what IAM calls the request, for when AWS does not name it; `attempt` is
/// what was tried, for example `publish the handlers to bucket x`.
pub(super) fn refused<E>(
    action: &'static str,
    attempt: impl std::fmt::Display,
    error: SdkError<E, HttpResponse>,
) -> TargetError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let words = words(&error);
    let named = action_in(&words).unwrap_or(action).to_owned();
    let message = format!("could not {attempt}");
    let (refusal, hint) = match kind(&error) {
        Kind::Throttled => (
            Refusal::Unreachable,
            Some("AWS was asked too often, also after several tries; wait a minute and try again".to_owned()),
        ),
        Kind::Unreachable => (
            Refusal::Unreachable,
            Some("check the network and the region's name, then try again".to_owned()),
        ),
        Kind::Silent => (
            Refusal::Unreachable,
            Some("AWS did not answer in time, also after several tries; check the network, then try again".to_owned()),
        ),
        Kind::Internal => (
            Refusal::Unreachable,
            Some("AWS had an internal error, also after several tries; try again in a few minutes".to_owned()),
        ),
        Kind::WebPage => (
            Refusal::Unreachable,
            Some(
                "something between here and AWS answered with a web page, such as a proxy or the sign-in page of a \
                 network: open a browser to see it, then try again"
                    .to_owned(),
            ),
        ),
        Kind::Garbled => (
            Refusal::Unreachable,
            Some(
                "what came back is not AWS's answer, or not all of it; something between here and AWS may change it; try again"
                    .to_owned(),
            ),
        ),
        Kind::Expired => (
            Refusal::Denied,
            Some("the credentials have expired: renew them (`aws sso login`, or new keys), then run the same command again".to_owned()),
        ),
        Kind::Unrecognized => (
            Refusal::Denied,
            Some("AWS does not accept these credentials: `chatctl doctor` tells which are used".to_owned()),
        ),
        Kind::NoCredentials => (
            Refusal::Denied,
            Some("found no AWS credentials: name a profile with `--profile`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `--local` needs none".to_owned()),
        ),
        Kind::Denied => (
            Refusal::Denied,
            Some(format!("the identity that is used lacks the permission {named}")),
        ),
        Kind::NotFound => (Refusal::Failed, None),
        Kind::Other => (Refusal::Unexpected, None),
    };
    TargetError {
        hint,
        source: Some(Box::new(Words(words))),
        ..TargetError::new(refusal, message)
    }
}

/// Whether an `E` is among the causes of `error`.
fn is_caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|cause| cause.is::<E>())
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
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_s_word_for_the_same_refusal_is_understood() {
        for (code, kind) in [
            ("Throttling", Kind::Throttled),
            ("TooManyRequestsException", Kind::Throttled),
            ("ExpiredToken", Kind::Expired),
            ("ExpiredTokenException", Kind::Expired),
            ("InvalidClientTokenId", Kind::Unrecognized),
            ("AccessDenied", Kind::Denied),
            ("AccessDeniedException", Kind::Denied),
            ("ResourceNotFoundException", Kind::NotFound),
            ("SomethingNew", Kind::Other),
        ] {
            assert_eq!(by_code(code, ""), kind, "{code}");
        }
    }

    #[test]
    fn a_validation_error_is_only_a_missing_stack_when_it_says_so() {
        assert_eq!(
            by_code("ValidationError", "Stack with id chat does not exist"),
            Kind::NotFound
        );
        assert_eq!(
            by_code("ValidationError", "Template format error"),
            Kind::Other
        );
    }
}
