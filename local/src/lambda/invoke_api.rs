//! Lambda's Invoke API, by which a function or the operator calls a function.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>. Not supported: log tails (`X-Amz-Log-Type`),
//! versions and aliases, and permissions by the function's resource policy.

use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::json;

use super::callee::Callee;
use super::event_queue::QueueFull;
use super::functions::Functions;
use super::job::{Event, Failure, Invocation, Outcome};
use crate::budget::{Reservation, Share};
use crate::http::error::{HttpError, refuse};
use crate::http::response::{HttpResponse, with_body};
use crate::http::{BodyError, held_body};
use crate::iam::credentials::{self, Credentials};
use crate::stack::Identity;
use crate::{ids, moments};

const ACTION: &str = "lambda:InvokeFunction";

/// The largest payloads in bytes: 6 MB for a synchronous invocation, and 1 MB for an asynchronous one:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const WAITING_BYTES: usize = 6 * 1024 * 1024;
const EVENT_BYTES: usize = 1024 * 1024;

/// The header with the caller's client context, and its largest size.
const CLIENT_CONTEXT: &str = "X-Amz-Client-Context";
const CLIENT_CONTEXT_BYTES: usize = 3_583;

/// `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RequestResponse,
    Event,
    DryRun,
}

/// Serves `POST /2015-03-31/functions/{name}/invocations`; `name` is decoded.
pub(crate) async fn handle(
    functions: &Arc<Functions>,
    callers: (&Credentials, &Identity),
    share: &Arc<Share>,
    name: &str,
    request: Request<Incoming>,
) -> HttpResponse {
    match invoke(functions, callers, share, name, request).await {
        Ok(answer) => answer,
        Err(error) => refuse(error),
    }
}

async fn invoke(
    functions: &Arc<Functions>,
    (credentials, identity): (&Credentials, &Identity),
    share: &Arc<Share>,
    name: &str,
    request: Request<Incoming>,
) -> Result<HttpResponse, HttpError> {
    let kind = kind(&request)?;
    let callee = callee(name, request.uri().query(), identity)?;
    authorize(credentials, &callee, &request)?;
    let trace = trace(&request);
    let client_context = client_context(&request)?;
    let (payload, held) = payload(request, kind, share).await?;
    let exists = callee
        .qualifier
        .as_deref()
        .is_none_or(|one| one == "$LATEST");
    if !exists || functions.event_policy(&callee.arn).is_none() {
        let message = format!("Function not found: {}", callee.resource());
        return Err(user_error(404, "ResourceNotFoundException", &message));
    }
    Ok(match kind {
        Kind::DryRun => with_body(Response::builder().status(204), Bytes::new()),
        Kind::Event => match functions.accept(&callee.arn, payload, &trace) {
            Ok(request_id) => {
                let builder = Response::builder().status(202);
                with_body(builder.header("x-amzn-RequestId", request_id), Bytes::new())
            }
            Err(QueueFull) => return Err(throttled()),
        },
        Kind::RequestResponse => {
            let request_id = ids::invocation_id();
            let event = Event {
                request_id: request_id.clone(),
                payload,
                trace,
                client_context,
            };
            let builder = Response::builder()
                .header("Content-Type", "application/json")
                .header("X-Amz-Executed-Version", "$LATEST")
                .header("x-amzn-RequestId", request_id);
            match functions.run(&callee.arn, Invocation { event, held }).await {
                Outcome::Response(body) => with_body(builder, body),
                Outcome::Failed(failure) if failure.is_throttle() => return Err(throttled()),
                Outcome::Failed(failure) => with_body(
                    builder.header("X-Amz-Function-Error", "Unhandled"),
                    function_error(&failure),
                ),
            }
        }
    })
}

fn kind(request: &Request<Incoming>) -> Result<Kind, HttpError> {
    match header(request, "X-Amz-Invocation-Type") {
        None | Some("RequestResponse") => Ok(Kind::RequestResponse),
        Some("Event") => Ok(Kind::Event),
        Some("DryRun") => Ok(Kind::DryRun),
        Some(other) => {
            let message = format!(
                "X-Amz-Invocation-Type must be RequestResponse, Event or DryRun, but is `{other}`"
            );
            Err(user_error(400, "InvalidParameterValueException", &message))
        }
    }
}

fn callee(name: &str, query: Option<&str>, identity: &Identity) -> Result<Callee, HttpError> {
    let invalid = |message: &str| user_error(400, "InvalidParameterValueException", message);
    let mut callee = Callee::parse(name, (&identity.region, &identity.account_id))
        .ok_or_else(|| invalid(&format!("`{name}` is no function name and no function ARN")))?;
    let given = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("Qualifier="))
        .map(|value| {
            percent_encoding::percent_decode_str(value)
                .decode_utf8_lossy()
                .into_owned()
        });
    if let Some(given) = given {
        if callee
            .qualifier
            .as_ref()
            .is_some_and(|inside| *inside != given)
        {
            return Err(invalid("the qualifier in the ARN and in the query differ"));
        }
        callee.qualifier = Some(given);
    }
    Ok(callee)
}

fn authorize(
    credentials: &Credentials,
    callee: &Callee,
    request: &Request<Incoming>,
) -> Result<(), HttpError> {
    let resource = callee.resource();
    credentials::authorize(
        credentials,
        request,
        (ACTION, &resource),
        |decision, user| decision.denial(user, ACTION, &resource),
    )
}

/// The caller's trace, or a new one.
fn trace(request: &Request<Incoming>) -> String {
    header(request, "X-Amzn-Trace-Id")
        .and_then(|trace| trace.split(';').find(|part| part.starts_with("Root=")))
        .map_or_else(|| ids::trace_root(moments::now_millis()), str::to_owned)
}

/// The caller's client context: JSON in base64.
fn client_context(request: &Request<Incoming>) -> Result<Option<String>, HttpError> {
    use base64::Engine as _;
    let Some(encoded) = header(request, CLIENT_CONTEXT) else {
        return Ok(None);
    };
    let invalid = |why: &str| {
        let message = format!("{CLIENT_CONTEXT} {why}");
        user_error(400, "InvalidRequestContentException", &message)
    };
    if encoded.len() > CLIENT_CONTEXT_BYTES {
        return Err(invalid("may have 3583 bytes at most"));
    }
    base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
        .map(|json| Some(json.to_string()))
        .ok_or_else(|| invalid("must be JSON in base64"))
}

async fn payload(
    request: Request<Incoming>,
    kind: Kind,
    share: &Arc<Share>,
) -> Result<(Bytes, Reservation), HttpError> {
    let (body, held) = match held_body(request.into_body(), WAITING_BYTES, share).await {
        Ok(read) => read,
        Err(BodyError::TooLarge) => {
            let message = format!(
                "Request must be smaller than {WAITING_BYTES} bytes for the InvokeFunction operation"
            );
            return Err(user_error(413, "RequestTooLargeException", &message));
        }
        Err(BodyError::NoRoom) => return Err(throttled()),
        Err(why @ (BodyError::Broken | BodyError::TooSlow)) => {
            let message = match why {
                BodyError::TooSlow => "the request did not arrive in time",
                _ => "the request ended early",
            };
            return Err(user_error(400, "InvalidRequestContentException", message));
        }
    };
    if kind == Kind::Event && body.len() > EVENT_BYTES {
        let message = format!(
            "{} byte payload is too large for the Event invocation type (limit {EVENT_BYTES} bytes)",
            body.len()
        );
        return Err(user_error(413, "RequestEntityTooLargeException", &message));
    }
    if body.is_empty() {
        return Ok((Bytes::from_static(b"{}"), held));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&body) {
        Ok(_) => Ok((body, held)),
        Err(error) => {
            let message = format!("Could not parse request body into json: {error}");
            Err(user_error(400, "InvalidRequestContentException", &message))
        }
    }
}

/// A function error in the response to its caller.
fn function_error(failure: &Failure) -> Bytes {
    let Failure {
        error_type,
        message,
    } = failure;
    json!({ "errorType": error_type, "errorMessage": message })
        .to_string()
        .into()
}

fn throttled() -> HttpError {
    user_error(429, "TooManyRequestsException", "Rate Exceeded.")
}

/// An error of the caller, in Lambda's format.
fn user_error(status: u16, error_type: &str, message: &str) -> HttpError {
    HttpError {
        body: json!({ "Type": "User", "message": message }).to_string(),
        ..HttpError::gateway(status, error_type, message)
    }
}

fn header<'r>(request: &'r Request<Incoming>, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}
