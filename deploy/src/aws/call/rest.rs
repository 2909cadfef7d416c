//! Requests whose operation is a method and a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::error_response::Failure;
use super::{Client, Request, json};

/// What is encoded of a name in a path or a query: all but RFC 3986's unreserved characters, as signatures need it.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `text` as one part of a path, of a query or of a form.
pub(in crate::aws) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl Client {
    /// The result of `ask` in JSON.
    ///
    /// # Errors
    /// The service refuses, or does not respond.
    pub(in crate::aws) async fn rest<T>(&self, request: Request) -> Result<T, Failure>
    where
        T: DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    {
        self.send(request, json::read).await
    }
}
