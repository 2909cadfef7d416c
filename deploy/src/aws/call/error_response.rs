//! What a service says when it does not do what it was asked.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::{Builder, ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind};

/// Why there is no result.
pub(in crate::aws) type Failure = SdkError<ErrorResponse, HttpResponse>;

/// A response that refuses. Without a code, only its HTTP status counts.
#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct ErrorResponse(ErrorMetadata);

impl ErrorResponse {
    /// A refusal with what was `read` of a response. Words without a code may be of something between here and AWS, so they
    /// are not shown as AWS's.
    pub(super) fn new(read: Option<Builder>) -> Self {
        let read = read.map(Builder::build);
        Self(read.filter(|it| it.code().is_some()).unwrap_or_default())
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.code() {
            Some(code) => write!(out, "the service refused with {code}"),
            None => out.write_str("the service refused without a code"),
        }
    }
}

impl std::error::Error for ErrorResponse {}

impl ProvideErrorMetadata for ErrorResponse {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl ProvideErrorKind for ErrorResponse {
    /// Codes that a service's model marks as worth another attempt, beyond those of all services, which the SDK's classifier
    /// has.
    fn retryable_error_kind(&self) -> Option<ErrorKind> {
        (self.0.code() == Some("ReplicatedWriteConflictException"))
            .then_some(ErrorKind::ClientError)
    }

    fn code(&self) -> Option<&str> {
        self.0.code()
    }
}
