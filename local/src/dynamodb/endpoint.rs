//! The DynamoDB endpoint of the functions: reads a request, asks IAM, runs the operation in this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use dynoxide::Database;
use dynoxide::auth_material::{self, AuthMaterial};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, DATE, HOST};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use super::keys::Keys;
use super::needs::{Need, Scope, needs};
use super::operations::{Call, Operation};
use super::unreadable::is_broken;
use super::{arns, conditions, described, operations};
use crate::http::browser;
use crate::http::response::{HttpResponse, with_body};
use crate::http::{self, BodyError, Timeouts};
use crate::iam::credentials::{Caller, Credentials};
use crate::ids;
use crate::options::sockets_of_a_listener;

/// DynamoDB's limit for a request.
const REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// The prefixes of `X-Amz-Target`.
const TARGETS: [&str; 2] = ["DynamoDB_20120810.", "DynamoDBStreams_20120810."];

/// The media types of requests; a response has that of its request.
const MEDIA_TYPES: [&str; 2] = ["application/x-amz-json-1.0", "application/json"];

/// A response without the headers that all responses share.
struct TableResponse {
    status: StatusCode,
    media_type: &'static str,
    body: Bytes,
}

/// What every request needs.
pub(super) struct Endpoint {
    pub(super) database: Database,
    pub(super) credentials: Arc<Credentials>,
    pub(super) scope: Scope,
    pub(super) keys: Arc<Keys>,
}

/// Accepts connections until the future is dropped.
pub(super) async fn serve(listener: TcpListener, endpoint: Endpoint) {
    let endpoint = Arc::new(endpoint);
    let most = sockets_of_a_listener();
    http::serve(listener, most, Timeouts::default(), move |request| {
        let endpoint = Arc::clone(&endpoint);
        async move { endpoint.handle(request).await.into_response() }
    })
    .await;
}

impl Endpoint {
    async fn handle(&self, request: Request<Incoming>) -> TableResponse {
        let (head, body) = request.into_parts();
        if browser::is_web_page(&head.headers) {
            let message = browser::REFUSED;
            return refuse(StatusCode::FORBIDDEN, "AccessDeniedException", message);
        }
        match http::body(body, REQUEST_BYTES).await {
            Ok(body) => self.run(&head, body).unwrap_or_else(|refused| refused),
            Err(BodyError::TooLarge) => refuse(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                "the request is larger than 16 MB",
            ),
            Err(_) => unreadable("the request ended early"),
        }
    }

    /// Runs the operation that a request names.
    ///
    /// Blocks this thread while the database works: the thread only serves tables, and the database runs one operation
    /// at a time.
    ///
    /// # Errors
    /// The response to a request that does not reach the database.
    fn run(&self, head: &Parts, body: Bytes) -> Result<TableResponse, TableResponse> {
        let (media_type, name, operation) = self.read(head, &body)?;
        let caller = self.credentials.caller(&head.headers, head.uri.query());
        if let Some(refusal) = unsigned(head, &caller) {
            return Err(match is_broken(&body) {
                true => unnamed(media_type, "SerializationException"),
                false => respond(StatusCode::BAD_REQUEST, media_type, refusal),
            });
        }
        if body.is_empty() {
            return Err(unnamed(media_type, "SerializationException"));
        }
        self.authorize(&caller, head, name, &body)?;
        let body = arns::inward(&body, &self.scope).unwrap_or(body);
        let Some(operation) = operation else {
            let address = header(head, HOST.as_str()).unwrap_or_default();
            let described = described::describe(&self.database, name, &body, address);
            return Ok(match described {
                Ok(answer) => respond(StatusCode::OK, media_type, answer.to_string().into()),
                Err((kind, message)) => {
                    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
                    let body = json!({ "__type": kind, "message": message }).to_string();
                    respond(StatusCode::BAD_REQUEST, media_type, body.into())
                }
            });
        };
        let ran = operation(Call {
            database: &self.database,
            operation: name,
            body: &body,
        });
        self.keys.after(name);
        Ok(match ran {
            Ok(body) => {
                let body = arns::outward(name, &body, &self.scope).unwrap_or(body);
                respond(StatusCode::OK, media_type, body)
            }
            Err(error) => {
                let status =
                    StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST);
                respond(status, media_type, error.to_json().into())
            }
        })
    }

    /// Returns the media type of the response, and the operation with its name; `None` instead of the operation if
    /// `described` serves it.
    fn read<'h>(
        &self,
        head: &'h Parts,
        body: &[u8],
    ) -> Result<(&'static str, &'h str, Option<Operation>), TableResponse> {
        match (&head.method, head.uri.path()) {
            (&Method::POST, "/") => {}
            (&Method::GET, "/") => {
                let region = &self.scope.region;
                let text = format!("healthy: dynamodb.{region}.amazonaws.com ");
                return Err(respond(StatusCode::OK, "text/plain", text.into()));
            }
            _ => return Err(nothing_there()),
        }
        let given = header(head, CONTENT_TYPE.as_str())
            .map(|given| given.split(';').next().unwrap_or_default().trim());
        let known = MEDIA_TYPES
            .into_iter()
            .find(|known| given.is_some_and(|given| given.eq_ignore_ascii_case(known)));
        let media_type = match known {
            Some(known) => known,
            None if given.is_none() && body.is_empty() => MEDIA_TYPES[1],
            None => return Err(nothing_there()),
        };
        let target = header(head, "x-amz-target").unwrap_or_default();
        let name = TARGETS.iter().find_map(|known| target.strip_prefix(known));
        let known = |name: &&str| operations::find(name).is_some() || described::has(name);
        match name.filter(known) {
            Some(name) => Ok((media_type, name, operations::find(name))),
            None if is_broken(body) => Err(unnamed(media_type, "SerializationException")),
            None => Err(unnamed(media_type, "UnknownOperationException")),
        }
    }

    /// Checks the policies of a function's role for everything that the request needs.
    fn authorize(
        &self,
        caller: &Caller,
        head: &Parts,
        operation: &str,
        body: &[u8],
    ) -> Result<(), TableResponse> {
        let Caller::Function(principal) = caller else {
            return Ok(());
        };
        let Ok(needs) = needs(operation, body, &self.scope) else {
            return Err(unreadable("the request cannot be read"));
        };
        for Need { action, resource } in needs {
            let context = || self.context(&action, &resource, body);
            let decision = principal.decide_with(&action, &resource, &head.headers, context);
            if let Some(message) = decision.denial(&principal.arn, &action, &resource) {
                return Err(denied(&message));
            }
        }
        Ok(())
    }

    /// The condition keys and values of the request.
    fn context(&self, action: &str, resource: &str, body: &[u8]) -> BTreeMap<String, Vec<String>> {
        let (_, action) = action.split_once(':').unwrap_or_default();
        let (_, named) = resource.split_once(":table/").unwrap_or_default();
        let (table, index) = match named.split_once("/index/") {
            Some((table, index)) => (table, Some(index)),
            None => (named, None),
        };
        let body = serde_json::from_slice(body).unwrap_or_default();
        let key = self.keys.partition_key(&self.database, table, index);
        conditions::context(action, &body, table, &key.unwrap_or_default())
    }
}

/// The response's body for a request whose signature is missing or incomplete.
fn unsigned(head: &Parts, caller: &Caller) -> Option<Bytes> {
    let material = AuthMaterial {
        authorization: header(head, "authorization"),
        query: head.uri.query().unwrap_or_default(),
        has_date_header: head.headers.contains_key("x-amz-date") || head.headers.contains_key(DATE),
    };
    let refusal = auth_material::validate(material).map(Bytes::from);
    // All parts may be present but the key empty.
    refusal.or_else(|| {
        let message = "Request is missing Authentication Token";
        matches!(caller, Caller::Anonymous)
            .then(|| error("MissingAuthenticationTokenException", message))
    })
}

fn denied(message: &str) -> TableResponse {
    let body =
        json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "Message": message });
    respond(
        StatusCode::BAD_REQUEST,
        MEDIA_TYPES[0],
        body.to_string().into(),
    )
}

fn unreadable(message: &str) -> TableResponse {
    refuse(StatusCode::BAD_REQUEST, "SerializationException", message)
}

fn refuse(status: StatusCode, error_type: &str, message: &str) -> TableResponse {
    respond(status, MEDIA_TYPES[0], error(error_type, message))
}

/// An error of DynamoDB without a message.
fn unnamed(media_type: &'static str, error_type: &str) -> TableResponse {
    let body = json!({ "__type": format!("com.amazon.coral.service#{error_type}") });
    respond(StatusCode::BAD_REQUEST, media_type, body.to_string().into())
}

fn error(error_type: &str, message: &str) -> Bytes {
    json!({ "__type": format!("com.amazon.coral.service#{error_type}"), "message": message })
        .to_string()
        .into()
}

/// DynamoDB's response to an unknown path, method or media type.
fn nothing_there() -> TableResponse {
    let body = Bytes::from_static(b"<UnknownOperationException/>\n");
    respond(StatusCode::NOT_FOUND, "text/plain", body)
}

fn respond(status: StatusCode, media_type: &'static str, body: Bytes) -> TableResponse {
    TableResponse {
        status,
        media_type,
        body,
    }
}

impl TableResponse {
    /// Adds the headers of every DynamoDB response; some SDKs check the checksum.
    fn into_response(self) -> HttpResponse {
        const OF_REQUEST_IDS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let builder = Response::builder()
            .status(self.status)
            .header(CONTENT_TYPE, self.media_type)
            .header("x-amzn-RequestId", ids::random_text(52, OF_REQUEST_IDS))
            .header("x-amz-crc32", crc32fast::hash(&self.body));
        with_body(builder, self.body)
    }
}

fn header<'h>(head: &'h Parts, name: &str) -> Option<&'h str> {
    head.headers.get(name)?.to_str().ok()
}
