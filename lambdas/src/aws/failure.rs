//! Why a request to a service has no usable response.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use hyper::HeaderMap;
use serde_json::Value;

use super::http::{Cause, HttpError, HttpResponse};

/// The outcome of the last attempt, and whether an earlier one may have arrived.
#[derive(Debug)]
pub(super) struct CallError {
    pub(super) failure: Failure,
    /// An attempt was sent and got no complete response.
    pub(super) is_unanswered: bool,
}

/// The outcome of one attempt.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("no response within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Refused(#[from] ErrorResponse),
    /// The service accepted the request.
    #[error("the response cannot be read")]
    Unreadable { source: serde_json::Error },
    #[error("the request cannot be sent")]
    Unsendable { source: Cause },
}

/// A response that reports an error.
#[derive(Debug, thiserror::Error)]
#[error("{} (status {status}){}", .code.as_deref().unwrap_or("refused"), after_colon(.message))]
pub(super) struct ErrorResponse {
    pub(super) status: u16,
    /// The service's name for the error, such as `ThrottlingException`.
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// For how long the service asks to wait.
    pub(super) retry_after: Option<Duration>,
}

fn after_colon(message: &Option<String>) -> String {
    let message = message.as_ref().filter(|message| !message.is_empty());
    message.map_or_else(String::new, |message| format!(": {message}"))
}

impl CallError {
    pub(super) fn error_response(&self) -> Option<&ErrorResponse> {
        match &self.failure {
            Failure::Refused(error_response) => Some(error_response),
            _ => None,
        }
    }

    /// The service's name for the error.
    pub(super) fn code(&self) -> Option<&str> {
        self.error_response()?.code.as_deref()
    }

    /// The status of the response, as far as there was one.
    pub(super) fn status(&self) -> Option<u16> {
        self.failure.status()
    }

    pub(super) const fn is_timeout(&self) -> bool {
        matches!(self.failure, Failure::TimedOut(_))
    }

    /// Whether the service certainly did not do what it was asked for, in any attempt.
    pub(super) const fn was_not_accepted(&self) -> bool {
        let is_refused = matches!(
            self.failure,
            Failure::Refused(_)
                | Failure::Unsendable { .. }
                | Failure::Http(HttpError::NotConnected { .. })
        );
        is_refused && !self.is_unanswered
    }
}

impl Failure {
    /// Whether the request may have arrived although there is no complete response.
    pub(super) const fn is_unanswered(&self) -> bool {
        matches!(
            self,
            Self::TimedOut(_) | Self::Http(HttpError::Broken { .. })
        )
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(error_response) => Some(error_response.status),
            Self::Http(HttpError::Broken { status, .. }) => status.map(|status| status.as_u16()),
            Self::Http(HttpError::TooLarge { status, .. }) => Some(status.as_u16()),
            _ => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(formatter)
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failure.source()
    }
}

impl ErrorResponse {
    /// Reads the error that `answer` reports.
    ///
    /// The code is in a header or in the body, with a namespace or an address beside it or without
    /// (<https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization>).
    pub(super) fn new(answer: &HttpResponse) -> Self {
        let HttpResponse { head, body } = answer;
        let words: Value = serde_json::from_slice(body).unwrap_or_default();
        let member = |name: &str| words.get(name).and_then(Value::as_str);
        let code = text(&head.headers, "x-amzn-errortype")
            .or(member("code"))
            .or(member("__type"));
        let message = member("message")
            .or(member("Message"))
            .or(member("errorMessage"));
        Self {
            status: head.status.as_u16(),
            code: code.map(|code| bare(code).to_owned()),
            message: message.map(str::to_owned),
            retry_after: text(&head.headers, "x-amz-retry-after")
                .and_then(|text| text.parse().ok())
                .map(Duration::from_millis),
        }
    }
}

/// `Name` of `namespace#Name:address`.
fn bare(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or_default();
    code.split_once('#').map_or(code, |(_, name)| name)
}

/// The value of the header `name`.
pub(super) fn text<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_wherever_services_write_it() {
        let of = |header: Option<&str>, body: &str| {
            let mut response = hyper::Response::builder().status(400);
            if let Some(value) = header {
                response = response.header("x-amzn-errortype", value);
            }
            let (head, body) = response
                .body(body.to_owned())
                .expect("a response")
                .into_parts();
            let answer = HttpResponse {
                head,
                body: body.into(),
            };
            ErrorResponse::new(&answer).to_string()
        };
        let address = "A:http://internal.amazon.com/coral/com.amazon.coral.validate/";
        assert_eq!(of(Some(address), "{}"), "A (status 400)");
        assert_eq!(of(Some("x#A:y"), r#"{"__type":"B"}"#), "A (status 400)");
        let typed = r#"{"__type":"com.amazonaws.dynamodb.v20120810#B","Message":"no"}"#;
        assert_eq!(of(None, typed), "B (status 400): no");
        let both = r#"{"code":"C","__type":"B","message":"","x":[{"y":1}]}"#;
        assert_eq!(of(None, both), "C (status 400)");
        for odd in ["", "[]", "7", "<html>", "{"] {
            assert_eq!(of(None, odd), "refused (status 400)");
            assert_eq!(of(Some("A"), odd), "A (status 400)");
        }
    }
}
