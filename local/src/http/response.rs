//! Responses with their whole body.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::response::Builder;

/// A response with its whole body.
pub(crate) type HttpResponse = Response<Full<Bytes>>;

/// The response that `builder` begins. Its headers must be valid: constants, ids, numbers and ARNs are.
pub(crate) fn with_body(builder: Builder, body: impl Into<Bytes>) -> HttpResponse {
    builder
        .body(Full::new(body.into()))
        .expect("the headers are valid")
}
