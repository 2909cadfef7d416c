//! HTTP errors in API Gateway's wording.

use hyper::Response;

use super::response::{HttpResponse, with_body};

/// A response that refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpError {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl HttpError {
    /// An error of the gateway itself, in API Gateway's format.
    pub(crate) fn gateway(status: u16, error_type: &str, message: &str) -> Self {
        Self {
            status,
            headers: vec![("x-amzn-ErrorType".to_owned(), error_type.to_owned())],
            body: serde_json::json!({ "message": message }).to_string(),
        }
    }

    /// An error with the status that a function chose. Its body is not passed on.
    pub(crate) fn from_function(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// AWS's response to an unknown path or stage.
    pub(crate) fn forbidden() -> Self {
        Self::gateway(403, "ForbiddenException", "Forbidden")
    }

    /// AWS's response to a request that is not signed.
    pub(crate) fn missing_token() -> Self {
        Self::gateway(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    }

    /// AWS's response to a request without permission; `Message` has a capital.
    pub(crate) fn access_denied(message: &str) -> Self {
        Self {
            body: serde_json::json!({ "Message": message }).to_string(),
            ..Self::gateway(403, "AccessDeniedException", message)
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        let reason = hyper::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let mut text = format!(
            "HTTP/1.1 {} {}\r\n",
            self.status,
            reason.unwrap_or("Unknown")
        );
        let length = self.body.len();
        let _infallible = write!(
            text,
            "Content-Type: application/json\r\nContent-Length: {length}\r\n"
        );
        for (name, value) in &self.headers {
            let _infallible = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("Connection: close\r\n\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }
}

/// The error as a response on a keep-alive connection.
pub(crate) fn refuse(error: HttpError) -> HttpResponse {
    let mut builder = Response::builder()
        .status(error.status)
        .header("Content-Type", "application/json");
    for (name, value) in error.headers {
        builder = builder.header(name, value);
    }
    with_body(builder, error.body)
}
