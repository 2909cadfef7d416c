//! The HTTP client for backends. It keeps connections, does not follow redirects, and limits the size of responses.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::OnceCell;

use super::backend::BackendResponse;
use super::exchange::Failure;
use super::request::Outgoing;
use crate::budget::Share;

/// API Gateway's limit for a payload:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
const ANSWER_BYTES: usize = 10 * 1024 * 1024;

/// The time that a connection without requests is kept. Shorter than that of common servers, so that none closes it
/// while a request is being sent.
const IDLE: Duration = Duration::from_secs(4);

type Plain = Pool<HttpConnector, Full<Bytes>>;
type Secure = Pool<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Sends requests to backends.
#[derive(Debug, Default)]
pub(crate) struct Client {
    plain: OnceLock<Plain>,
    /// Created for the first address that needs it, because reading the machine's certificates takes time.
    secure: OnceCell<Result<Secure, String>>,
}

impl Client {
    /// Sends a request. `share` holds both bodies, and this waits for room for them.
    pub(super) async fn send(
        &self,
        outgoing: Outgoing,
        share: &Arc<Share>,
    ) -> Result<BackendResponse, Failure> {
        // Only the origin, because the rest may contain a message.
        let to = origin(&outgoing.uri).to_owned();
        let mut held = share.take_when_free(outgoing.body.len()).await;
        let request = request(outgoing).map_err(Failure::Configuration)?;
        let unreachable = |why: String| Failure::Backend(format!("could not reach `{to}`: {why}"));
        let answered = if request.uri().scheme_str() == Some("https") {
            let secure = self
                .secure
                .get_or_init(secure)
                .await
                .as_ref()
                .map_err(|why| unreachable(why.clone()))?;
            secure.request(request).await
        } else {
            self.plain.get_or_init(plain).request(request).await
        };
        let (head, body) = answered
            .map_err(|error| unreachable(causes(&error)))?
            .into_parts();
        let mut arriving = Limited::new(body, ANSWER_BYTES);
        let mut body = Vec::new();
        while let Some(frame) = arriving.frame().await {
            let frame = frame.map_err(|error| {
                Failure::Backend(if error.is::<LengthLimitError>() {
                    format!("the response of `{to}` is larger than 10 MB")
                } else {
                    format!("the response of `{to}` ended early: {error}")
                })
            })?;
            if let Ok(data) = frame.into_data() {
                held.grow_when_free(data.len()).await;
                body.extend_from_slice(&data);
            }
        }
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        };
        Ok(BackendResponse {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(header).collect(),
            body,
        })
    }
}

fn request(outgoing: Outgoing) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::builder()
        .method(outgoing.method.as_str())
        .uri(&outgoing.uri);
    for (name, value) in &outgoing.headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{name}` is not a header name"))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| format!("the value of the header `{name}` is not allowed in HTTP"))?;
        // The pool writes the length itself.
        if name != CONTENT_LENGTH {
            request = request.header(name, value);
        }
    }
    let to = origin(&outgoing.uri).to_owned();
    let wrong = |error| format!("`{to}…` is not a URL after its variables were replaced: {error}");
    let request = request
        .body(Full::new(outgoing.body.into()))
        .map_err(wrong)?;
    match (request.uri().scheme_str(), request.uri().host()) {
        (Some("http" | "https"), Some(_)) => Ok(request),
        _ => Err(format!("`{to}` is not an http:// or https:// URL")),
    }
}

/// Scheme, host and port of an address.
fn origin(uri: &str) -> &str {
    let host = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[host..].find(['/', '?']);
    &uri[..end.map_or(uri.len(), |end| host + end)]
}

fn plain() -> Plain {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    builder().build(connector)
}

async fn secure() -> Result<Secure, String> {
    let made = tokio::task::spawn_blocking(make_secure).await;
    made.map_err(|error| error.to_string())?
}

fn make_secure() -> Result<Secure, String> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| format!("could not read the certificates of this machine: {error}"))?
        .https_only()
        .enable_http1()
        .wrap_connector(connector);
    Ok(builder().build(connector))
}

fn builder() -> hyper_util::client::legacy::Builder {
    let mut builder = Pool::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE);
    builder
}

/// The whole chain of an error, because its first link says little.
fn causes(error: &hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
