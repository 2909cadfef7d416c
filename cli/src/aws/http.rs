//! The HTTP client that everything is asked through. It says when AWS owes an answer, and takes nothing for AWS's answer
//! that cannot be: a web page, nothing at all, or a part.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::engine::{limits, silence};

/// Until a connection is there.
const CONNECT: Duration = Duration::from_secs(5);

/// Until the first byte of an answer.
const READ: Duration = Duration::from_secs(30);

/// Until all of it is there, for one of the attempts.
const ATTEMPT: Duration = Duration::from_secs(60);

/// For requests that are small, as nearly all of them are.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits::scaled(CONNECT))
        .read_timeout(limits::scaled(READ))
        .operation_attempt_timeout(limits::scaled(ATTEMPT))
        .operation_timeout(limits::CALL.time())
        .build()
}

/// For a request that sends `bytes`. The time until the answer includes the time that they take.
pub(super) fn timeouts_of_upload(bytes: u64) -> TimeoutConfig {
    let sending = limits::upload(bytes).told(1);
    TimeoutConfig::builder()
        .connect_timeout(limits::scaled(CONNECT))
        .read_timeout(limits::scaled(READ + sending))
        .operation_attempt_timeout(limits::scaled(ATTEMPT + sending))
        .operation_timeout(limits::CALL.time() + limits::scaled(sending))
        .build()
}

/// Something between here and AWS answered with a web page.
#[derive(Debug, thiserror::Error)]
#[error("a web page came back, with HTTP status {status}")]
pub(super) struct WebPage {
    status: u16,
}

/// An answer without content where AWS always sends some.
#[derive(Debug, thiserror::Error)]
#[error("an empty answer came back, with HTTP status {status}")]
struct Empty {
    status: u16,
}

/// By TLS with the system's roots.
pub(super) fn client() -> SharedHttpClient {
    let inner = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https();
    http_client_fn(move |settings, components| {
        let inner = inner.http_connector(settings, components);
        SharedHttpConnector::new(Attentive { inner })
    })
}

#[derive(Debug)]
struct Attentive {
    inner: SharedHttpConnector,
}

impl HttpConnector for Attentive {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let has_content = expects_content(&request);
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            silence::asked("AWS");
            let answer = whole(answer.await?).await?;
            silence::answered();
            judged(answer, has_content)
        })
    }
}

/// Whether AWS never answers `request` with success and nothing else. S3 does, to a PUT.
fn expects_content(request: &HttpRequest) -> bool {
    let kind = request.headers().get("content-type").unwrap_or_default();
    let is_structured = [
        "application/x-www-form-urlencoded",
        "application/x-amz-json",
        "application/json",
    ]
    .iter()
    .any(|prefix| kind.starts_with(prefix));
    request.method() == "GET" || (is_structured && request.method() != "DELETE")
}

/// The answer with all of its body, which breaks off here or not at all.
async fn whole(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = ByteStream::new(answer.take_body());
    let body = body
        .collect()
        .await
        .map_err(|error| ConnectorError::io(error.into()))?;
    *answer.body_mut() = SdkBody::from(body.into_bytes());
    Ok(answer)
}

fn judged(answer: HttpResponse, has_content: bool) -> Result<HttpResponse, ConnectorError> {
    let status = answer.status().as_u16();
    let body = answer.body().bytes().unwrap_or_default();
    // A web page with AWS's own trouble in it comes from AWS's own servers.
    if status < 500 && is_web_page(answer.headers().get("content-type"), body) {
        return Err(ConnectorError::other(Box::new(WebPage { status }), None));
    }
    if status == 200 && has_content && body.is_empty() {
        return Err(ConnectorError::io(Box::new(Empty { status })));
    }
    Ok(answer)
}

fn is_web_page(content_type: Option<&str>, body: &[u8]) -> bool {
    let start: Vec<u8> = body
        .trim_ascii_start()
        .iter()
        .take(14)
        .map(u8::to_ascii_lowercase)
        .collect();
    content_type.is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    }) || start.starts_with(b"<html")
        || start == b"<!doctype html"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_page_is_known_by_its_type_or_its_first_words() {
        assert!(is_web_page(Some("text/html; charset=utf-8"), b""));
        assert!(is_web_page(Some("Text/HTML"), b"x"));
        assert!(is_web_page(None, b" \n<!DOCTYPE html><p>Log in"));
        assert!(is_web_page(Some("text/xml"), b"<HTML>"));
        assert!(!is_web_page(
            Some("text/xml"),
            b"<?xml version=\"1.0\"?><X/>"
        ));
        assert!(!is_web_page(None, b""));
        assert!(!is_web_page(
            Some("application/json"),
            b"{\"html\":\"<html>\"}"
        ));
    }

    #[test]
    fn an_upload_has_the_time_that_its_bytes_take_and_everything_else_two_minutes() {
        let minutes = |config: TimeoutConfig| config.operation_timeout().unwrap().as_secs() / 60;
        assert_eq!(minutes(timeouts()), 2);
        assert_eq!(minutes(timeouts_of_upload(50 << 20)), 28);
    }
}
