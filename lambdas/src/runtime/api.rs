//! The requests of the Runtime API, over one connection that is kept.

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::Failure;

/// Identifies this runtime to the Runtime API.
const RUNTIME: HeaderValue =
    HeaderValue::from_static(concat!("chat-lambdas/", env!("CARGO_PKG_VERSION")));

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
/// Not documented, but sent: it distinguishes invocations with the same request id, and must be repeated in the
/// response.
const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");

/// One event with its headers. Values that no handler uses (the function's ARN, contexts of mobile clients, a tenant)
/// are not read.
#[derive(Debug)]
pub struct Event {
    /// The invocation's id.
    pub request_id: String,
    /// When Lambda ends the invocation, in milliseconds since the epoch.
    pub deadline: u64,
    /// Its trace.
    pub trace: Option<String>,
    /// The event itself.
    pub payload: Bytes,
    invocation_id: Option<HeaderValue>,
}

/// An outcome that Lambda refused. The invocation has failed then, and the next event can be requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedOutcome {
    /// For example 413, for a response larger than 6 MB.
    pub status: u16,
    /// Lambda's reason, if it gave one.
    pub reason: String,
}

/// Why the Runtime API can no longer be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The connection failed.
    #[error("could not connect to the Runtime API at `{address}`")]
    Unreachable {
        /// The value of `AWS_LAMBDA_RUNTIME_API`.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// A request got no complete response.
    #[error("the Runtime API did not respond to `{path}`")]
    NoAnswer {
        /// The request's path.
        path: String,
        /// Why.
        source: hyper::Error,
    },
    /// The response to the request for the next event had no event.
    #[error("the Runtime API responded to the request for the next event with {status}")]
    NoEvent {
        /// The status.
        status: StatusCode,
    },
    /// A header is missing or invalid.
    #[error("an event has no valid header `{name}`")]
    Header {
        /// Its name.
        name: HeaderName,
    },
    /// A request could not be built with this value.
    #[error("`{text}` cannot be part of a request to the Runtime API")]
    Unusable {
        /// An address or a request id.
        text: String,
        /// Why.
        source: hyper::http::Error,
    },
}

/// The client of the Runtime API.
///
/// Requests have no timeout: between two events the process may be frozen for hours.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl RuntimeApi {
    /// The Runtime API at `address`, host and port. It connects with the first request.
    #[must_use]
    pub const fn new(address: String) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// Waits for an event.
    ///
    /// # Errors
    /// [`RuntimeError`]
    pub async fn next(&mut self) -> Result<Event, RuntimeError> {
        let path = "/2018-06-01/runtime/invocation/next";
        let request = self.request(Method::GET, path, Bytes::new())?;
        let (head, payload) = self.ask(path, request).await?.into_parts();
        if head.status != StatusCode::OK {
            return Err(RuntimeError::NoEvent {
                status: head.status,
            });
        }
        let deadline = text(&head.headers, DEADLINE)?;
        Ok(Event {
            request_id: text(&head.headers, REQUEST_ID)?.to_owned(),
            deadline: deadline
                .parse()
                .map_err(|_| RuntimeError::Header { name: DEADLINE })?,
            trace: head
                .headers
                .get(TRACE_ID)
                .map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned()),
            payload,
            invocation_id: head.headers.get(INVOCATION_ID).cloned(),
        })
    }

    /// Responds to `event`.
    ///
    /// # Errors
    /// [`RuntimeError`] if it is unknown whether the response arrived.
    pub async fn respond(
        &mut self,
        event: &Event,
        answer: Vec<u8>,
    ) -> Result<Option<RejectedOutcome>, RuntimeError> {
        let path = outcome_path(event, "response");
        let request = self.request(Method::POST, &path, answer.into())?;
        self.report(&path, request, event).await
    }

    /// Reports that `event` could not be handled.
    ///
    /// # Errors
    /// [`RuntimeError`] if it is unknown whether the report arrived.
    pub async fn fail(
        &mut self,
        event: &Event,
        failure: &Failure,
    ) -> Result<Option<RejectedOutcome>, RuntimeError> {
        let path = outcome_path(event, "error");
        let mut request = self.request(Method::POST, &path, body_of(failure))?;
        let unhandled = HeaderValue::from_static("unhandled");
        request.headers_mut().insert(ERROR_TYPE, unhandled);
        self.report(&path, request, event).await
    }

    /// Reports that the function cannot start. The process must end then.
    ///
    /// # Errors
    /// [`RuntimeError`]
    pub async fn cannot_start(&mut self, failure: &Failure) -> Result<(), RuntimeError> {
        let path = "/2018-06-01/runtime/init/error";
        let mut request = self.request(Method::POST, path, body_of(failure))?;
        let init_error = HeaderValue::from_static("Runtime.InitError");
        request.headers_mut().insert(ERROR_TYPE, init_error);
        self.ask(path, request).await.map(drop)
    }

    async fn report(
        &mut self,
        path: &str,
        mut request: Request<Full<Bytes>>,
        event: &Event,
    ) -> Result<Option<RejectedOutcome>, RuntimeError> {
        if let Some(id) = &event.invocation_id {
            request.headers_mut().insert(INVOCATION_ID, id.clone());
        }
        let answer = self.ask(path, request).await?;
        if answer.status().is_success() {
            return Ok(None);
        }
        let reason = serde_json::from_slice(answer.body()).unwrap_or_default();
        let Reason { error_message } = reason;
        Ok(Some(RejectedOutcome {
            status: answer.status().as_u16(),
            reason: error_message,
        }))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, RuntimeError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.as_str())
            .header(USER_AGENT, RUNTIME)
            .body(Full::new(body));
        request.map_err(|source| RuntimeError::Unusable {
            text: format!("{}{path}", self.address),
            source,
        })
    }

    /// Sends `request`, on a new connection if the kept one is closed, and reads the whole response.
    async fn ask(
        &mut self,
        path: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, RuntimeError> {
        let no_answer = |source| RuntimeError::NoAnswer {
            path: path.to_owned(),
            source,
        };
        if let Some(mut kept) = self.connection.take()
            && kept.ready().await.is_ok()
        {
            match kept.try_send_request(request).await {
                Ok(answer) => {
                    self.connection = Some(kept);
                    return collect(answer).await.map_err(no_answer);
                }
                // The connection was closed at this moment. A returned request was not sent.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(no_answer(error.into_error())),
                },
            }
        }
        let mut new = self.connect(path).await?;
        let answer = new.send_request(request).await.map_err(no_answer)?;
        self.connection = Some(new);
        collect(answer).await.map_err(no_answer)
    }

    async fn connect(&self, path: &str) -> Result<SendRequest<Full<Bytes>>, RuntimeError> {
        let unreachable = |source| RuntimeError::Unreachable {
            address: self.address.clone(),
            source,
        };
        let socket = TcpStream::connect(&self.address)
            .await
            .map_err(unreachable)?;
        // Otherwise a long response may wait for an acknowledgement. Failing to set it changes nothing else.
        let _slower = socket.set_nodelay(true);
        let (sender, connection) =
            http1::handshake(TokioIo::new(socket))
                .await
                .map_err(|source| RuntimeError::NoAnswer {
                    path: path.to_owned(),
                    source,
                })?;
        tokio::spawn(async {
            // The request that uses it gets the error.
            let _closed = connection.await;
        });
        Ok(sender)
    }
}

fn outcome_path(event: &Event, outcome: &str) -> String {
    let id = &event.request_id;
    format!("/2018-06-01/runtime/invocation/{id}/{outcome}")
}

fn body_of(failure: &Failure) -> Bytes {
    let body = serde_json::to_vec(failure).expect("strings always serialise");
    body.into()
}

async fn collect(answer: Response<Incoming>) -> hyper::Result<Response<Bytes>> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Result<&str, RuntimeError> {
    let value = headers.get(&name).and_then(|value| value.to_str().ok());
    value.ok_or(RuntimeError::Header { name })
}

/// Lambda's reason for refusing an outcome.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Reason {
    error_message: String,
}
