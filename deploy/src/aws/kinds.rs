//! Maps each service's error codes to kinds of refusals.

/// A kind of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aws) enum Kind {
    Throttled,
    /// Temporary credentials that have expired.
    Expired,
    /// AWS does not recognise the access key here.
    UnknownKey,
    /// The signature was made with another secret.
    BadSignature,
    /// The session token does not belong to the key.
    BadToken,
    /// The request's time differs from AWS's.
    Clock,
    /// The account or the Region does not have this service.
    Unavailable,
    /// There are no credentials.
    NoCredentials,
    Denied,
    NotFound,
    /// No connection was made, or it broke.
    Unreachable,
    /// The host name does not exist.
    UnknownHost,
    /// The server's certificate is not trusted.
    Certificate,
    /// A proxy failed.
    Proxy,
    /// No response came in time.
    Silent,
    /// AWS had an internal error.
    Internal,
    /// Something between here and AWS responded.
    WebPage,
    /// The response cannot be parsed.
    Garbled,
    Other,
}

/// Maps the HTTP status: the response to a HEAD request has no body with a code
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>).
pub(super) fn by_status(status: u16) -> Kind {
    match status {
        // A success that cannot be read.
        200..=299 => Kind::Garbled,
        401 | 403 => Kind::Denied,
        404 => Kind::NotFound,
        // S3 throttles with 503.
        429 | 503 => Kind::Throttled,
        500.. => Kind::Internal,
        _ => Kind::Other,
    }
}

/// Maps the error code (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, and each service's own page).
pub(super) fn by_code(code: &str, message: &str) -> Kind {
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
        // Each service reports a wrong clock with another code.
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Kind::Clock,
        _ if message.contains("Signature expired")
            || message.contains("Signature not yet current") =>
        {
            Kind::Clock
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Kind::Expired,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure" => {
            match message.contains("security token") && message.contains("expired") {
                true => Kind::Expired,
                false => Kind::UnknownKey,
            }
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            Kind::BadSignature
        }
        "MissingAuthenticationToken" | "MissingAuthenticationTokenException" | "InvalidToken" => {
            Kind::BadToken
        }
        "NotSignedUp"
        | "SubscriptionRequired"
        | "SubscriptionRequiredException"
        | "OptInRequired"
        | "AccountProblem"
        | "AllAccessDisabled"
        | "RegionDisabledException" => Kind::Unavailable,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_s_code_for_the_same_refusal_is_mapped() {
        for (code, kind) in [
            ("Throttling", Kind::Throttled),
            ("TooManyRequestsException", Kind::Throttled),
            ("ExpiredToken", Kind::Expired),
            ("ExpiredTokenException", Kind::Expired),
            ("InvalidClientTokenId", Kind::UnknownKey),
            ("UnrecognizedClientException", Kind::UnknownKey),
            ("SignatureDoesNotMatch", Kind::BadSignature),
            ("InvalidToken", Kind::BadToken),
            ("RequestTimeTooSkewed", Kind::Clock),
            ("NotSignedUp", Kind::Unavailable),
            ("SubscriptionRequiredException", Kind::Unavailable),
            ("AccessDenied", Kind::Denied),
            ("AccessDeniedException", Kind::Denied),
            ("ResourceNotFoundException", Kind::NotFound),
            ("SomethingNew", Kind::Other),
        ] {
            assert_eq!(by_code(code, ""), kind, "{code}");
        }
    }

    /// From public recordings: <https://github.com/aws-amplify/aws-sdk-android/issues/88>,
    /// <https://github.com/mhart/aws4fetch/issues/73>.
    #[test]
    fn a_wrong_clock_is_recognised_by_its_message_whatever_the_code() {
        for (code, message) in [
            (
                "SignatureDoesNotMatch",
                "Signature expired: 20151130T204723Z is now earlier than 20160119T133514Z (20160119T135014Z - 15 min.)",
            ),
            (
                "InvalidSignatureException",
                "Signature not yet current: 20301206T194311Z is still later than 20160105T194814Z (20160105T194314Z + 5 min.)",
            ),
            (
                "AccessDeniedException",
                "Signature expired: 20241008T195522Z is now earlier than 20241008T195940Z (20241008T200440Z - 5 min.)",
            ),
        ] {
            assert_eq!(by_code(code, message), Kind::Clock, "{message}");
        }
    }

    #[test]
    fn a_validation_error_only_means_a_missing_stack_if_its_message_does() {
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
