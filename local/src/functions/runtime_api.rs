//! The Lambda Runtime API for one process, on a listener of its own: a program of this user that connects there is taken
//! for that process.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Of the Extensions API there is what a runtime
//! needs that registers itself in order to be told of its end: register, and a next event that never comes.

use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::http::response::Builder;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::pool::{Ending, Job, Next, Pool};
use super::process::{Process, Running};
use super::{Event, Failure, Outcome};
use crate::browser;
use crate::gateway::{clock, ids};
use crate::http::{self, BodyError, Patience};
use crate::sockets::Sockets;

/// The largest answer of a function: 6 MB and 100 bytes.
const ANSWER_BYTES: usize = 6 * 1024 * 1024 + 100;

/// How many connections a process may have to its own Runtime API; a runtime needs one or two.
const CONNECTIONS: usize = 32;

type Answer = Response<Full<Bytes>>;

/// Serves connections until it is aborted.
pub(super) async fn serve(listener: TcpListener, pool: Arc<Pool>, process: Arc<Process>) {
    // Aborting this task drops the set, and with it every connection.
    let mut connections = JoinSet::new();
    let sockets = Sockets::new(CONNECTIONS);
    // A runtime may keep its connection while its function works.
    let patience = Patience {
        idle: http::IDLE + pool.runnable.function.timeout,
        ..Patience::default()
    };
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Ok((socket, _)) = socket else {
            // Too many open files: the next accept would fail at once as well.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let place = sockets.place().await;
        let (pool, process) = (Arc::clone(&pool), Arc::clone(&process));
        connections.spawn(async move {
            http::serve(socket, &place, patience, |request| {
                answer(&pool, &process, request)
            })
            .await;
        });
    }
}

async fn answer(pool: &Pool, process: &Arc<Process>, request: Request<Incoming>) -> Answer {
    if browser::asks(request.headers()) {
        return error(StatusCode::FORBIDDEN, "Forbidden", browser::REFUSED);
    }
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => {
            next(pool, process).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            respond(pool, process, id, request.into_body()).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => {
            report(pool, process, id, request).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
            init_error(process, request).await
        }
        (&Method::GET, ["ping"]) => text(StatusCode::OK, "pong"),
        (&Method::POST, ["2020-01-01", "extension", "register"]) => register(pool),
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

async fn next(pool: &Pool, process: &Arc<Process>) -> Answer {
    if process.is_running() {
        return error(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the current invocation is not answered yet",
        );
    }
    let job = match pool.next(process) {
        Next::Job(job) => job,
        Next::Wait(job) => match job.await {
            Ok(job) => job,
            Err(_) => return retired(process).await,
        },
        Next::Retired => return retired(process).await,
    };
    deliver(pool, process, job)
}

fn deliver(pool: &Pool, process: &Process, job: Job) -> Answer {
    let function = &pool.runnable.function;
    let Event {
        request_id,
        payload,
        trace,
        client_context,
    } = process.begin(job, function.timeout);
    pool.begun();
    let timeout = i64::try_from(function.timeout.as_millis()).unwrap_or(i64::MAX);
    let deadline = clock::now_millis().saturating_add(timeout);
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
    finish(builder, payload)
}

/// Nothing comes any more, and nothing is answered: on AWS a waiting process just ends. Some runtimes take whatever
/// is answered here for an event, and panic.
async fn retired(process: &Process) -> Answer {
    process.retire(Ending::Finished);
    std::future::pending().await
}

async fn respond(pool: &Pool, process: &Process, id: &str, body: Incoming) -> Answer {
    if !process.runs(id) {
        return invalid_request_id();
    }
    let body = http::body(body, ANSWER_BYTES).await;
    let Some(running) = process.take(id) else {
        return invalid_request_id();
    };
    let (outcome, answer) = match body {
        Ok(body) => (Outcome::Answer(body), accepted()),
        Err(BodyError::TooLarge) => {
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES} bytes)."
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
    conclude(pool, process, running, outcome);
    answer
}

async fn report(pool: &Pool, process: &Process, id: &str, request: Request<Incoming>) -> Answer {
    if !process.runs(id) {
        return invalid_request_id();
    }
    let failure = failure(request).await;
    let Some(running) = process.take(id) else {
        return invalid_request_id();
    };
    conclude(pool, process, running, Outcome::Failed(failure));
    accepted()
}

async fn init_error(process: &Process, request: Request<Incoming>) -> Answer {
    if process.init_failed(failure(request).await) {
        accepted()
    } else {
        error(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            "the start is over, or its error was told before",
        )
    }
}

fn conclude(pool: &Pool, process: &Process, running: Running, outcome: Outcome) {
    let millis = (Instant::now() - running.began).as_secs_f64() * 1000.0;
    let memory = pool.runnable.function.memory_size;
    let mut text = format!(
        "REPORT RequestId: {}\tDuration: {millis:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {memory} MB",
        running.request_id,
        millis.ceil()
    );
    if let Some(init) = process.init_millis() {
        text.push_str(&format!("\tInit Duration: {init:.2} ms"));
    }
    if let Outcome::Failed(failure) = &outcome {
        text.push_str(&format!(
            "\tStatus: error\tError Type: {}",
            failure.error_type
        ));
    }
    pool.platform_log(&process.log_stream, text);
    pool.answered(
        process.id,
        running.held.share().number(),
        running.began.elapsed(),
    );
    pool.finish(running.reply, outcome);
    if pool.is_retired() {
        process.retire(Ending::Finished);
    }
}

/// The error that a runtime reports: `{"errorMessage", "errorType"}`, or only the header.
async fn failure(request: Request<Incoming>) -> Failure {
    let header = request
        .headers()
        .get("Lambda-Runtime-Function-Error-Type")
        .and_then(|value| value.to_str().ok());
    let header = header.unwrap_or("Unhandled").to_owned();
    let body = http::body(request.into_body(), ANSWER_BYTES).await;
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

fn register(pool: &Pool) -> Answer {
    let function = &pool.runnable.function;
    let body = serde_json::json!({
        "functionName": function.name,
        "functionVersion": "$LATEST",
        "handler": function.handler,
    });
    let identifier = ids::invocation_id();
    finish(
        Response::builder().header("Lambda-Extension-Identifier", identifier),
        body.to_string().into(),
    )
}

fn accepted() -> Answer {
    text(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

fn invalid_request_id() -> Answer {
    error(
        StatusCode::BAD_REQUEST,
        "InvalidRequestID",
        "Invalid request ID",
    )
}

fn error(status: StatusCode, error_type: &str, message: &str) -> Answer {
    text(
        status,
        &serde_json::json!({ "errorMessage": message, "errorType": error_type }).to_string(),
    )
}

fn text(status: StatusCode, body: &str) -> Answer {
    finish(
        Response::builder()
            .status(status)
            .header("Content-Type", "application/json"),
        body.to_owned().into(),
    )
}

fn finish(builder: Builder, body: Bytes) -> Answer {
    builder
        .body(Full::new(body))
        .expect("header values come from ids, numbers and ARNs")
}
