//! Signed requests to one service of AWS, with timeouts and retries.
//!
//! Signatures: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{sleep, timeout};

use super::Timeouts;
use super::failure::{CallError, ErrorResponse, Failure};
use super::http::{Cause, Http, HttpResponse};
use super::partition::suffix;
use super::retries::{ATTEMPTS, Budget, Repetition, pause, retry_reason};
use crate::environment::Identity;
use crate::runtime::Trace;

/// A little more than the largest response: a page of DynamoDB has 1 MB of values, and JSON may write a byte as six
/// characters.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("chat-lambdas/", env!("CARGO_PKG_VERSION")));

/// Characters that a segment of a path has as they are.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One service, as its function reaches it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) http: Http,
    pub(super) trace: Trace,
    region: String,
    credentials: Credentials,
    /// Its name in signatures.
    name: &'static str,
    /// Where it is, without a slash at the end.
    endpoint: String,
    timeouts: Timeouts,
    budget: Budget,
    /// Whether a 429 is tried again, if its code says that it may.
    retries_429: bool,
}

/// What is asked of a service.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Begins with a slash, with its segments [encoded](segment).
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// With its content type.
    pub(super) body: Option<(&'static str, Bytes)>,
    pub(super) repetition: Repetition,
}

/// `text` as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

impl Service {
    /// The service `name`, at `endpoint` or else where AWS has it.
    pub(super) fn new(
        http: Http,
        identity: &Identity,
        name: &'static str,
        endpoint: Option<String>,
        timeouts: Timeouts,
    ) -> Self {
        let Identity { region, .. } = identity;
        let at_aws = || format!("https://{name}.{region}.{}", suffix(region));
        let mut endpoint = endpoint.unwrap_or_else(at_aws);
        if endpoint.ends_with('/') {
            endpoint.pop();
        }
        Self {
            http,
            trace: Trace::default(),
            region: region.clone(),
            // A function's credentials outlive its process, so they need no renewal.
            credentials: Credentials::new(
                &identity.access_key_id,
                &identity.secret_access_key,
                identity.session_token.clone(),
                None,
                "environment",
            ),
            name,
            endpoint,
            timeouts,
            budget: Budget::new(),
            retries_429: true,
        }
    }

    /// The same service, whose requests have the id in `trace`.
    pub(super) fn with_trace(self, trace: &Trace) -> Self {
        let trace = trace.clone();
        Self { trace, ..self }
    }

    /// The same service, with one attempt at what it responds to with 429, whatever its code: for callers that send many
    /// requests and schedule their retries themselves. Those would use the budget up at once.
    pub(super) fn without_retries_of_429(self) -> Self {
        Self {
            retries_429: false,
            ..self
        }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends `call` until it has a response that is worth no other attempt, or the time is over.
    pub(super) async fn send(&self, call: &Call) -> Result<HttpResponse, CallError> {
        let mut is_unanswered = false;
        let within = self.timeouts.operation;
        let outcome = match timeout(within, self.attempts(call, &mut is_unanswered)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::TimedOut(within)),
        };
        outcome.map_err(|failure| CallError {
            is_unanswered: is_unanswered || failure.is_unanswered(),
            failure,
        })
    }

    async fn attempts(
        &self,
        call: &Call,
        is_unanswered: &mut bool,
    ) -> Result<HttpResponse, Failure> {
        // Where no other attempt may follow, one may take all the time.
        let within = match call.repetition {
            Repetition::Free => self.timeouts.attempt,
            Repetition::UnlessTaken | Repetition::Never => self.timeouts.operation,
        };
        let mut last = None;
        for number in 1.. {
            let attempt = match timeout(within, self.attempt(call)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Failure::TimedOut(within)),
            };
            let failure = match attempt {
                Ok(answer) => {
                    self.budget.succeeded(last);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            *is_unanswered |= failure.is_unanswered();
            last = retry_reason(&failure)
                .filter(|_| call.repetition.may_follow(&failure))
                .filter(|_| self.retries_429 || failure.status() != Some(429));
            let goes_on = last
                .is_some_and(|retry_reason| number < ATTEMPTS && self.budget.take(retry_reason));
            if !goes_on {
                return Err(failure);
            }
            sleep(pause(number, &failure)).await;
        }
        unreachable!("the last attempt has returned")
    }

    async fn attempt(&self, call: &Call) -> Result<HttpResponse, Failure> {
        let request = self
            .signed(call)
            .map_err(|source| Failure::Unsendable { source })?;
        let answer = self.http.send(request, MAX_RESPONSE_BYTES).await?;
        match answer.head.status.is_success() {
            true => Ok(answer),
            false => Err(ErrorResponse::new(&answer).into()),
        }
    }

    fn signed(&self, call: &Call) -> Result<Request<Full<Bytes>>, Cause> {
        let url = format!("{}{}", self.endpoint, call.path);
        let mut headers = HeaderMap::with_capacity(call.headers.len() + 8);
        for (name, value) in &call.headers {
            let name = HeaderName::from_static(name);
            headers.insert(name, HeaderValue::from_static(value));
        }
        let mut body = Bytes::new();
        if let Some((kind, bytes)) = &call.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            headers.insert(CONTENT_LENGTH, bytes.len().into());
            body = bytes.clone();
        }
        // An id that is not a valid header value is dropped instead of failing the request.
        if let Some(Ok(id)) = self.trace.id().map(HeaderValue::try_from) {
            headers.insert(TRACE_ID, id);
        }
        for (name, value) in self.signature(&call.method, &url, &headers, &body)? {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers.insert(USER_AGENT, AGENT);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = Uri::try_from(url)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// The headers of a signature of what a request has so far, and of its host.
    fn signature(
        &self,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<(HeaderName, String)>, Cause> {
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let texts = headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable =
            SignableRequest::new(method.as_str(), url, texts, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let (headers, _query) = instructions.into_parts();
        let headers = headers.into_iter().map(|header| {
            let name = HeaderName::from_static(header.name());
            (name, header.value().to_owned())
        });
        Ok(headers.collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_service_is_where_it_is_said_to_be_or_where_aws_has_it() {
        let identity = Identity {
            region: "cn-north-1".to_owned(),
            access_key_id: "a".to_owned(),
            secret_access_key: "s".to_owned(),
            session_token: None,
        };
        let of = |endpoint: Option<&str>| {
            let http = Http::new(Duration::from_secs(1));
            let endpoint = endpoint.map(str::to_owned);
            let service = Service::new(http, &identity, "lambda", endpoint, Timeouts::TABLE);
            service.endpoint
        };
        assert_eq!(of(None), "https://lambda.cn-north-1.amazonaws.com.cn");
        assert_eq!(of(Some("http://a:1/v1")), "http://a:1/v1");
        assert_eq!(of(Some("http://a:1/")), "http://a:1");
    }

    #[test]
    fn a_segment_has_no_character_with_a_meaning_in_a_path() {
        assert_eq!(segment("aZ09-._~"), "aZ09-._~");
        assert_eq!(segment("a=/+ b"), "a%3D%2F%2B%20b");
        assert_eq!(segment("é%"), "%C3%A9%25");
    }
}
