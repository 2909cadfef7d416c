//! JSON: results, refusals, and requests whose operation is a header.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::error::metadata::{Builder, ErrorMetadata};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error_response::Failure;
use super::service::Protocol;
use super::{Client, Request};

impl Client {
    /// The result of `operation` with `parameters`.
    ///
    /// # Errors
    /// The service refuses, or does not respond.
    pub(in crate::aws) async fn json<T>(
        &self,
        operation: &'static str,
        parameters: &impl Serialize,
    ) -> Result<T, Failure>
    where
        T: DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    {
        let Protocol::Json { content, target } = self.service.protocol else {
            return Err(Failure::construction_failure(OTHER_PROTOCOL));
        };
        let body = serde_json::to_vec(parameters).map_err(Failure::construction_failure)?;
        let request = Request {
            headers: vec![("x-amz-target", format!("{target}.{operation}"))],
            content: Some((content, body)),
            ..Request::new(operation, "POST", "/")
        };
        self.send(request, read).await
    }
}

/// A mistake of the caller's.
pub(super) const OTHER_PROTOCOL: &str = "the service has another protocol";

/// A result. One without a body has nothing in it.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, BoxError> {
    let body = if body.is_empty() { b"{}" } else { body };
    Ok(serde_json::from_slice(body)?)
}

/// Code and message of a refusal; `None` if it is not JSON
/// (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>).
pub(super) fn refusal(headers: &Headers, body: &[u8]) -> Option<Builder> {
    let value: Value = match body {
        [] => Value::Null,
        body => serde_json::from_slice(body).ok()?,
    };
    let text = |name: &str| value[name].as_str();
    let code = headers
        .get("x-amzn-errortype")
        .or(text("code").or(text("__type")));
    let mut read = ErrorMetadata::builder();
    if let Some(code) = code {
        // A namespace may be before it, and an address after it.
        let code = code.split(':').next().unwrap_or(code);
        read = read.code(code.split_once('#').map_or(code, |(_, code)| code));
    }
    // Of a service that once had the query protocol, the code there.
    if let Some((code, _)) = headers
        .get("x-amzn-query-error")
        .and_then(|both| both.split_once(';'))
    {
        read = read.code(code);
    }
    if let Some(message) = ["message", "Message", "errorMessage"]
        .into_iter()
        .find_map(text)
    {
        read = read.message(message);
    }
    Some(read)
}
