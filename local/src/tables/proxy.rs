//! The endpoint that functions see: asks IAM, then passes the request on to the database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use dynoxide::Database;
use dynoxide::actions::describe_table::DescribeTableRequest;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::response::Parts;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::net::TcpListener;

use super::needs::{Need, Scope, needs};
use super::{arns, conditions, described};
use crate::browser;
use crate::credentials::{Caller, Credentials};
use crate::http::{self, BodyError, Patience};
use crate::iam::Decision;
use crate::options::sockets_of_a_listener;
use crate::sockets::Sockets;

/// DynamoDB's limit for a request.
const REQUEST_BYTES: usize = 16 * 1024 * 1024;

type Answer = Response<Full<Bytes>>;

struct Proxy {
    /// Where the database's own server listens.
    address: SocketAddr,
    database: Database,
    client: Client<HttpConnector, Full<Bytes>>,
    credentials: Arc<Credentials>,
    scope: Scope,
}

/// Accepts until it is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    database: Database,
    credentials: Arc<Credentials>,
    scope: Scope,
) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let proxy = Arc::new(Proxy {
        address,
        database,
        client,
        credentials,
        scope,
    });
    let sockets = Sockets::new(sockets_of_a_listener());
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            // Too many open files: the next accept would fail at once as well.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let (proxy, place) = (Arc::clone(&proxy), sockets.place().await);
        tokio::spawn(async move {
            http::serve(socket, &place, Patience::default(), |request| {
                proxy.answer(request)
            })
            .await;
        });
    }
}

impl Proxy {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (mut head, body) = request.into_parts();
        // The database's own server would let them in, and read the answer.
        if browser::asks(&head.headers) {
            return refuse(
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                browser::REFUSED,
            );
        }
        let body = match http::body(body, REQUEST_BYTES).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                let message = "the request is larger than 16 MB";
                return refuse(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLargeException",
                    message,
                );
            }
            Err(_) => {
                return refuse(
                    StatusCode::BAD_REQUEST,
                    "SerializationException",
                    "the request ended early",
                );
            }
        };
        let caller = self.credentials.caller(&head.headers, head.uri.query());
        let operation = head
            .headers
            .get("x-amz-target")
            .and_then(|value| value.to_str().ok())
            .and_then(|target| target.split_once('.'))
            .map_or("", |(_, operation)| operation)
            .to_owned();
        let operation = operation.as_str();
        if let Caller::Function(principal) = &caller {
            let Ok(needs) = needs(operation, &body, &self.scope) else {
                return refuse(
                    StatusCode::BAD_REQUEST,
                    "SerializationException",
                    "the request cannot be read",
                );
            };
            for Need { action, resource } in needs {
                let context = || context(&self.database, &action, &resource, &body);
                let why = match principal.decide_with(&action, &resource, &head.headers, context) {
                    Decision::Allowed => continue,
                    Decision::ImplicitlyDenied => {
                        format!("because no identity-based policy allows the {action} action")
                    }
                    Decision::ExplicitlyDenied => {
                        "with an explicit deny in an identity-based policy".to_owned()
                    }
                };
                return denied(&principal.arn, &action, &resource, &why);
            }
        }
        let body = match arns::inward(&body, &self.scope) {
            Some(named) => {
                head.headers.remove(hyper::header::CONTENT_LENGTH);
                named
            }
            None => body,
        };
        // Whoever is nobody is told so by the database's own server.
        if !matches!(caller, Caller::Anonymous)
            && let Some(found) = read(&self.database, operation, &body)
        {
            return amz_json(StatusCode::OK, found.into());
        }
        if !matches!(caller, Caller::Anonymous)
            && let host = head.headers.get(hyper::header::HOST)
            && let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default()
            && let Some(described) = described::answer(&self.database, operation, &body, host)
        {
            return match described {
                Ok(described) => json_answer(StatusCode::OK, &described),
                Err((kind, message)) => refuse_by_name(kind, &message),
            };
        }
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        match format!("http://{}{path}", self.address).parse::<Uri>() {
            Ok(uri) => head.uri = uri,
            Err(_) => {
                return refuse(
                    StatusCode::BAD_REQUEST,
                    "SerializationException",
                    "the request cannot be read",
                );
            }
        }
        let answered = match self
            .client
            .request(Request::from_parts(head, Full::new(body)))
            .await
        {
            Ok(answer) => {
                let (head, body) = answer.into_parts();
                body.collect()
                    .await
                    .map(|body| self.outward(operation, head, body.to_bytes()))
                    .ok()
            }
            Err(_) => None,
        };
        let broken = || {
            refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "the tables do not answer",
            )
        };
        answered.unwrap_or_else(broken)
    }
}

impl Proxy {
    /// The database's answer, with the ARNs that the template's resources have.
    fn outward(&self, operation: &str, mut head: Parts, body: Bytes) -> Answer {
        let Some(changed) = arns::outward(operation, &body, &self.scope) else {
            return Response::from_parts(head, Full::new(body));
        };
        // Both are of the body as it was; SDKs check the sum where there is one.
        head.headers.remove(hyper::header::CONTENT_LENGTH);
        head.headers.remove("x-amz-crc32");
        Response::from_parts(head, Full::new(changed))
    }
}

/// What the request tells the conditions of a policy about itself. Blocks for a moment: it looks the table up.
fn context(
    database: &Database,
    action: &str,
    resource: &str,
    body: &[u8],
) -> BTreeMap<String, Vec<String>> {
    let (_, action) = action.split_once(':').unwrap_or_default();
    let (_, named) = resource.split_once(":table/").unwrap_or_default();
    let (table, index) = match named.split_once("/index/") {
        Some((table, index)) => (table, Some(index)),
        None => (named, None),
    };
    let body = serde_json::from_slice(body).unwrap_or_default();
    let key = partition_key(database, table, index).unwrap_or_default();
    conditions::context(action, &body, table, &key)
}

/// The name of a table's or an index's partition key.
fn partition_key(database: &Database, table: &str, index: Option<&str>) -> Option<String> {
    let request = DescribeTableRequest {
        table_name: table.to_owned(),
    };
    let described = serde_json::to_value(database.describe_table(request).ok()?).ok()?;
    let table = &described["Table"];
    let keys = match index {
        None => &table["KeySchema"],
        Some(index) => {
            let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
            let mut indexes = indexes
                .iter()
                .filter_map(|kind| table[kind].as_array())
                .flatten();
            &indexes.find(|one| one["IndexName"] == index)?["KeySchema"]
        }
    };
    let key = keys
        .as_array()?
        .iter()
        .find(|key| key["KeyType"] == "HASH")?;
    Some(key["AttributeName"].as_str()?.to_owned())
}

/// Answers the reads that every message needs without the detour over the database's own server, which would double
/// what they cost.
///
/// `None` for any other operation, and for whatever does not succeed: that server words refusals as DynamoDB does, and
/// asking again changes nothing for a read.
fn read(database: &Database, operation: &str, body: &[u8]) -> Option<Vec<u8>> {
    match operation {
        "Query" => {
            let found = database.query(serde_json::from_slice(body).ok()?).ok()?;
            serde_json::to_vec(&found).ok()
        }
        "GetItem" => {
            let found = database.get_item(serde_json::from_slice(body).ok()?).ok()?;
            serde_json::to_vec(&found).ok()
        }
        _ => None,
    }
}

fn denied(user: &str, action: &str, resource: &str, why: &str) -> Answer {
    let message = format!(
        "User: {user} is not authorized to perform: {action} on resource: {resource} {why}"
    );
    let body =
        json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "Message": message });
    json_answer(StatusCode::BAD_REQUEST, &body)
}

fn refuse(status: StatusCode, error_type: &str, message: &str) -> Answer {
    json_answer(
        status,
        &json!({ "__type": format!("com.amazon.coral.service#{error_type}"), "message": message }),
    )
}

/// A refusal in DynamoDB's own name.
fn refuse_by_name(kind: &str, message: &str) -> Answer {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
    json_answer(
        StatusCode::BAD_REQUEST,
        &json!({ "__type": kind, "message": message }),
    )
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Answer {
    amz_json(status, body.to_string().into())
}

fn amz_json(status: StatusCode, body: Bytes) -> Answer {
    Response::builder()
        .status(status)
        .header("Content-Type", "application/x-amz-json-1.0")
        .body(Full::new(body))
        .expect("the header is a constant")
}
