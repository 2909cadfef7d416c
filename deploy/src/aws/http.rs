//! The HTTP client of all AWS requests. It has a deadline for responses, and rejects responses that cannot be AWS's:
//! web pages, empty and incomplete ones. Responses of a proxy are reported as the proxy's.

use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::sdk_config::SharedAsyncSleep;
use hyper::Uri;

use super::requests;
use crate::engine::network::{Proxies, Proxy, ProxyFailure, Trust};
use crate::engine::{ErrorKind, TargetError, causes, limits, silence};

/// The deadline for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// The deadline for the first byte of a response.
const READ: Duration = Duration::from_secs(30);

/// The deadline for a complete response, for each attempt.
const ATTEMPT: Duration = Duration::from_secs(60);

/// For small requests, which nearly all are.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits::scaled(CONNECT))
        .read_timeout(limits::scaled(READ))
        .operation_attempt_timeout(limits::scaled(ATTEMPT))
        .operation_timeout(limits::CALL.time())
        .build()
}

/// For a request with a body of `bytes`. The deadline for the response includes the time of the upload.
pub(super) fn timeouts_of_upload(bytes: u64) -> TimeoutConfig {
    let sending = limits::upload(bytes).reported(1);
    TimeoutConfig::builder()
        .connect_timeout(limits::scaled(CONNECT))
        .read_timeout(limits::scaled(READ + sending))
        .operation_attempt_timeout(limits::scaled(ATTEMPT + sending))
        .operation_timeout(limits::CALL.time() + limits::scaled(sending))
        .build()
}

/// Something between here and AWS responded with a web page.
#[derive(Debug, thiserror::Error)]
#[error("the response is a web page, with HTTP status {status}")]
pub(super) struct WebPage {
    status: u16,
}

/// An empty response to a request that AWS always answers with content.
#[derive(Debug, thiserror::Error)]
#[error("the response is empty, with HTTP status {status}")]
struct Empty {
    status: u16,
}

/// A response without an end, or one that is not AWS's.
#[derive(Debug, thiserror::Error)]
#[error("the response has more than {} MB, which no response of AWS has", MAX_BODY >> 20)]
pub(super) struct TooLarge;

/// The most bytes of a response. Those of the requests that are made here have some MB at most.
const MAX_BODY: usize = 64 << 20;

/// TLS uses the certificates of the environment, and connections its proxies.
///
/// # Errors
/// A proxy or certificate of the environment cannot be used.
pub(super) async fn client() -> Result<SharedHttpClient, TargetError> {
    let Transport {
        proxies,
        context,
        https,
        http,
    } = Transport::from_environment().await?;
    let [https, http] = [https, http].map(|proxy| through(proxy, context.clone()));
    Ok(http_client_fn(move |settings, components| {
        SharedHttpConnector::new(ProxyAwareConnector {
            https: https.http_connector(settings, components),
            http: http.http_connector(settings, components),
            proxies: proxies.clone(),
        })
    }))
}

/// The proxies and certificates of the environment.
struct Transport {
    proxies: Arc<Proxies>,
    context: TlsContext,
    /// A proxy belongs to a scheme, but the SDK's configuration holds only one.
    https: ProxyConfig,
    http: ProxyConfig,
}

impl Transport {
    async fn from_environment() -> Result<Self, TargetError> {
        let proxies = Arc::new(Proxies::from_environment()?);
        let trust = Trust::from_environment().await?;
        let store = TrustStore::empty().with_pem_certificate(trust.pem());
        let context = TlsContext::builder()
            .with_trust_store(store)
            .build()
            .map_err(setup)?;
        let [https, http] = proxies.each();
        let https = match https {
            Some((proxy, rules)) => ProxyConfig::https(proxy.secret_url())
                .map_err(setup)?
                .no_proxy(rules),
            None => ProxyConfig::disabled(),
        };
        let http = match http {
            Some((proxy, rules)) => ProxyConfig::http(proxy.secret_url())
                .map_err(setup)?
                .no_proxy(rules),
            None => ProxyConfig::disabled(),
        };
        Ok(Self {
            proxies,
            context,
            https,
            http,
        })
    }
}

fn through(proxy: ProxyConfig, context: TlsContext) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let sleep = components.and_then(RuntimeComponents::sleep_impl);
        connecting(proxy.clone(), context.clone(), settings.cloned(), sleep)
    })
}

fn connecting(
    proxy: ProxyConfig,
    context: TlsContext,
    settings: Option<HttpConnectorSettings>,
    sleep: Option<SharedAsyncSleep>,
) -> Connector {
    let mut connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .tls_context(context)
        .proxy_config(proxy);
    connector.set_connector_settings(settings);
    connector.set_sleep_impl(sleep);
    connector.build()
}

/// Errors here never quote what was read, which may contain a password.
fn setup(_: impl std::error::Error) -> TargetError {
    let message = "could not set up the connection to AWS with the proxies and certificates of the environment";
    TargetError::new(ErrorKind::Usage, message).with_hint("`chatctl doctor` shows them")
}

#[derive(Debug)]
struct ProxyAwareConnector {
    https: SharedHttpConnector,
    http: SharedHttpConnector,
    proxies: Arc<Proxies>,
}

impl HttpConnector for ProxyAwareConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let has_content = expects_content(&request);
        let reported = requests::begin(&request);
        let uri: Option<Uri> = request.uri().parse().ok();
        let proxy = uri.as_ref().and_then(|uri| self.proxies.to(uri)).cloned();
        let target = uri
            .as_ref()
            .and_then(Uri::authority)
            .map(ToString::to_string)
            .unwrap_or_default();
        let is_plain = uri.as_ref().and_then(Uri::scheme_str) == Some("http");
        let answer = match is_plain {
            true => self.http.call(request),
            false => self.https.call(request),
        };
        let exchange = async move {
            let answer = match (answer.await, &proxy) {
                (Ok(answer), Some(proxy)) if is_plain => passed_on(answer, proxy, &target)?,
                (Ok(answer), _) => answer,
                (Err(error), Some(proxy)) => return Err(blamed(error, proxy, &target)),
                (Err(error), None) => return Err(error),
            };
            let answer = whole(answer).await?;
            silence::request_ended();
            judged(answer, has_content)
        };
        HttpConnectorFuture::new(async move {
            silence::request_sent("AWS");
            let outcome = exchange.await;
            reported.ended(match &outcome {
                Ok(answer) => answer.status().as_u16().to_string(),
                Err(error) => requests::failure(error),
            });
            outcome
        })
    }
}

/// The response of `proxy` itself to a request that it should have forwarded. AWS marks each of its responses.
fn passed_on(
    answer: HttpResponse,
    proxy: &Proxy,
    target: &str,
) -> Result<HttpResponse, ConnectorError> {
    let is_aws = ["x-amzn-requestid", "x-amz-request-id", "x-amz-id-2"]
        .iter()
        .any(|name| answer.headers().contains_key(*name));
    match answer.status().as_u16() {
        407 => {
            let failure = ProxyFailure::for_login(proxy);
            Err(ConnectorError::other(Box::new(failure), None))
        }
        status @ 502..=504 if !is_aws => {
            let failure = ProxyFailure::new(
                proxy,
                format!("got no response from {target}: HTTP status {status}"),
            );
            Err(ConnectorError::io(Box::new(failure)))
        }
        _ => Ok(answer),
    }
}

/// Attributes an `error` on the way through `proxy`. Errors about a certificate come from beyond it.
fn blamed(error: ConnectorError, proxy: &Proxy, target: &str) -> ConnectorError {
    if causes(&error).any(|cause| cause.to_string().contains("TLS handshake")) {
        return error;
    }
    let failure = match error.is_timeout() {
        true => ProxyFailure::new(
            proxy,
            format!("did not connect to {target} in time, or got no response"),
        ),
        false => ProxyFailure::from_error(proxy, target, &error),
    };
    match failure.is_login_required {
        // Another attempt would fail in the same way.
        true => ConnectorError::other(Box::new(failure), None),
        false if error.is_timeout() => ConnectorError::timeout(Box::new(failure)),
        false => ConnectorError::io(Box::new(failure)),
    }
}

/// Whether AWS never responds to `request` with an empty success. S3 does, to a PUT.
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

/// Reads the whole body of the response, so that an incomplete one fails here, and one without an end.
async fn whole(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let mut stream = ByteStream::new(answer.take_body());
    let mut body = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| ConnectorError::io(error.into()))?;
        if body.len() + part.len() > MAX_BODY {
            // Another attempt would bring the same.
            return Err(ConnectorError::other(Box::new(TooLarge), None));
        }
        body.extend_from_slice(&part);
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

fn judged(answer: HttpResponse, has_content: bool) -> Result<HttpResponse, ConnectorError> {
    let status = answer.status().as_u16();
    let body = answer.body().bytes().unwrap_or_default();
    // A web page with a server error comes from AWS's own servers.
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
    fn a_web_page_is_recognised_by_its_type_or_its_first_bytes() {
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

    #[tokio::test]
    async fn a_response_without_an_end_is_refused_and_a_large_one_is_read() {
        let answer = |bytes: usize| {
            let status = 200u16.try_into().unwrap();
            HttpResponse::new(status, SdkBody::from(vec![b' '; bytes]))
        };
        let read = whole(answer(MAX_BODY)).await.unwrap();
        assert_eq!(read.body().bytes().unwrap().len(), MAX_BODY);
        let error = whole(answer(MAX_BODY + 1)).await.unwrap_err();
        assert!(
            causes(&error).any(|cause| cause.is::<TooLarge>()),
            "{error}"
        );
    }

    #[test]
    fn an_upload_has_time_for_its_bytes_and_other_requests_two_minutes() {
        let minutes = |config: TimeoutConfig| config.operation_timeout().unwrap().as_secs() / 60;
        assert_eq!(minutes(timeouts()), 2);
        assert_eq!(minutes(timeouts_of_upload(50 << 20)), 28);
    }
}
