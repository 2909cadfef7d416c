//! The Lambda Runtime API for one process, on its own listener. Any program of this user that connects there is taken
//! for that process.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Of the Extensions API it has what a runtime
//! needs that registers to be notified of its end: register, and a next event that never comes.

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::job::{Event, Failure, Job, Outcome};
use super::pool::Busy;
use crate::http::browser;
use crate::http::response::{HttpResponse, with_body};
use crate::http::{self, BodyError, Timeouts};
use crate::stack::Function;
use crate::{ids, moments};

/// The largest response of a function: 6 MB and 100 bytes.
const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024 + 100;

/// The most connections of a process to its own Runtime API. A runtime needs one or two.
const CONNECTIONS: usize = 32;

/// The actions of a process through its Runtime API.
pub(super) trait Runtime: Clone + Send + Sync + 'static {
    /// The process's function.
    fn function(&self) -> &Function;

    /// The process requests an event. A dropped sender means that no event will come.
    fn next(&self) -> Result<oneshot::Receiver<Job>, Busy>;

    /// The job has reached the process; returns its event, unless the process has ended.
    fn begin(&self, job: Job) -> Option<Event>;

    /// Whether the process works on `request_id`.
    fn works_on(&self, request_id: &str) -> bool;

    /// The process has responded; false if it does not work on `request_id`.
    fn responded(&self, request_id: &str, outcome: Outcome) -> bool;

    /// The process reports why it cannot start; false if it has started, or has reported before.
    fn failed_to_start(&self, failure: Failure) -> bool;
}

/// Serves connections until it is aborted.
pub(super) async fn serve(listener: TcpListener, process: impl Runtime) {
    // A runtime may keep its connection while its function works.
    let timeouts = Timeouts {
        idle: http::IDLE + process.function().timeout,
        ..Timeouts::default()
    };
    http::serve(listener, CONNECTIONS, timeouts, move |request| {
        let process = process.clone();
        async move { handle(&process, request).await }
    })
    .await;
}

async fn handle(process: &impl Runtime, request: Request<Incoming>) -> HttpResponse {
    if browser::is_web_page(request.headers()) {
        return error(StatusCode::FORBIDDEN, "Forbidden", browser::REFUSED);
    }
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => next(process).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            respond(process, id, request.into_body()).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => {
            report(process, id, request).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
            init_error(process, request).await
        }
        (&Method::GET, ["ping"]) => text(StatusCode::OK, "pong"),
        (&Method::POST, ["2020-01-01", "extension", "register"]) => register(process.function()),
        (&Method::GET, ["2020-01-01", "extension", "event", "next"]) => {
            std::future::pending().await
        }
        _ => error(
            StatusCode::NOT_FOUND,
            "NotFound",
            "no such path in the Runtime API",
        ),
    }
}

async fn next(process: &impl Runtime) -> HttpResponse {
    let Ok(job) = process.next() else {
        return error(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the current invocation is not answered yet",
        );
    };
    match job.await.ok().and_then(|job| process.begin(job)) {
        Some(event) => deliver(process.function(), event),
        // The pool has no more events, so this never responds: on AWS a waiting process just ends. Some runtimes take
        // any response here for an event, and panic.
        None => std::future::pending().await,
    }
}

fn deliver(function: &Function, event: Event) -> HttpResponse {
    let Event {
        request_id,
        payload,
        trace,
        client_context,
    } = event;
    let timeout = i64::try_from(function.timeout.as_millis()).unwrap_or(i64::MAX);
    let deadline = moments::now_millis().saturating_add(timeout);
    let parent = ids::random_text(16, b"0123456789abcdef");
    let mut builder = Response::builder()
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", request_id)
        .header("Lambda-Runtime-Deadline-Ms", deadline)
        .header("Lambda-Runtime-Invoked-Function-Arn", &function.arn)
        .header(
            "Lambda-Runtime-Trace-Id",
            format!("{trace};Parent={parent};Sampled=0"),
        );
    if let Some(context) = client_context {
        builder = builder.header("Lambda-Runtime-Client-Context", context);
    }
    with_body(builder, payload)
}

async fn respond(process: &impl Runtime, id: &str, body: Incoming) -> HttpResponse {
    if !process.works_on(id) {
        return invalid_request_id();
    }
    let body = http::body(body, MAX_RESPONSE_BYTES).await;
    let (outcome, answer) = match body {
        Ok(body) => (Outcome::Response(body), accepted()),
        Err(BodyError::TooLarge) => {
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            );
            let answer = error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                &message,
            );
            (
                Outcome::Failed(Failure::new("Function.ResponseSizeTooLarge", message)),
                answer,
            )
        }
        Err(_) => {
            let message = "the response ended early";
            let answer = error(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", message);
            (
                Outcome::Failed(Failure::new("Runtime.TruncatedResponse", message)),
                answer,
            )
        }
    };
    match process.responded(id, outcome) {
        true => answer,
        false => invalid_request_id(),
    }
}

async fn report(process: &impl Runtime, id: &str, request: Request<Incoming>) -> HttpResponse {
    if !process.works_on(id) {
        return invalid_request_id();
    }
    let failure = failure(request).await;
    match process.responded(id, Outcome::Failed(failure)) {
        true => accepted(),
        false => invalid_request_id(),
    }
}

async fn init_error(process: &impl Runtime, request: Request<Incoming>) -> HttpResponse {
    if process.failed_to_start(failure(request).await) {
        accepted()
    } else {
        error(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the start is over, or its error was reported before",
        )
    }
}

/// The error that a runtime reports: `{"errorMessage", "errorType"}`, or only the header.
async fn failure(request: Request<Incoming>) -> Failure {
    let header = request
        .headers()
        .get("Lambda-Runtime-Function-Error-Type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("Unhandled")
        .to_owned();
    let body = http::body(request.into_body(), MAX_RESPONSE_BYTES).await;
    let json: serde_json::Value =
        serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let member = |name: &str| {
        json.get(name)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    Failure {
        error_type: member("errorType").unwrap_or(header),
        message: member("errorMessage").unwrap_or_default(),
    }
}

fn register(function: &Function) -> HttpResponse {
    let body = serde_json::json!({
        "functionName": function.name,
        "functionVersion": "$LATEST",
        "handler": function.handler,
    });
    let identifier = ids::invocation_id();
    with_body(
        Response::builder().header("Lambda-Extension-Identifier", identifier),
        body.to_string(),
    )
}

fn accepted() -> HttpResponse {
    text(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn invalid_request_id() -> HttpResponse {
    error(
        StatusCode::BAD_REQUEST,
        "InvalidRequestID",
        "Invalid request ID",
    )
}

fn error(status: StatusCode, error_type: &str, message: &str) -> HttpResponse {
    text(
        status,
        &serde_json::json!({ "errorMessage": message, "errorType": error_type }).to_string(),
    )
}

fn text(status: StatusCode, body: &str) -> HttpResponse {
    with_body(
        Response::builder()
            .status(status)
            .header("Content-Type", "application/json"),
        body.to_owned(),
    )
}
