//! One table read: the Query of a message, against the embedded database alone.

use std::time::{Duration, Instant};

use dynoxide::Database;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::{FloorError, Server};
use crate::sample::Sample;

/// The database only checks the form of a signature.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=FLOOR/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000";

/// A table with one connection in it.
#[derive(Debug)]
pub(super) struct Table {
    sender: Mutex<SendRequest<Full<Bytes>>>,
    server: Server,
}

impl Table {
    pub(super) async fn open() -> Result<Self, FloorError> {
        let database = Database::memory().map_err(failed("the database does not open"))?;
        let server = Server::start("tables", |listener| async move {
            // The next request notices its end.
            let _ended =
                dynoxide::server::serve_with_shutdown(listener, database, std::future::pending())
                    .await;
        })?;
        let stream = TcpStream::connect(server.address).await;
        let stream = stream.map_err(failed("the database does not listen"))?;
        stream.set_nodelay(true).map_err(failed("its connection"))?;
        let connected = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = connected.map_err(failed("its connection"))?;
        // A broken connection fails the request that notices it.
        tokio::spawn(async move { drop(connection.await) });
        let table = Self {
            sender: Mutex::new(sender),
            server,
        };
        table.request("CreateTable", &create()).await?;
        table.request("PutItem", &put()).await?;
        Ok(table)
    }

    /// Reads repeatedly; the first `warm_up` reads are not counted.
    pub(super) async fn read(&self, warm_up: usize, count: usize) -> Result<Sample, FloorError> {
        let query = query();
        let mut times: Vec<Duration> = Vec::with_capacity(warm_up + count);
        for _ in 0..warm_up + count {
            let started = Instant::now();
            let answer = self.request("Query", &query).await?;
            times.push(started.elapsed());
            if answer["Count"] != 1 {
                return Err(failed("it returned an unexpected item")(answer.to_string()));
            }
        }
        Sample::new(times.split_off(warm_up)).ok_or(FloorError::Nothing("reads"))
    }

    async fn request(&self, operation: &str, body: &Value) -> Result<Value, FloorError> {
        let request = Request::post("/")
            .header("Host", self.server.address.to_string())
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("X-Amz-Target", format!("DynamoDB_20120810.{operation}"))
            .header("X-Amz-Date", "20260101T000000Z")
            .header("Authorization", AUTHORIZATION)
            .body(Full::new(Bytes::from(body.to_string())))
            .expect("the headers are header values");
        let mut sender = self.sender.lock().await;
        sender
            .ready()
            .await
            .map_err(failed("the connection closed"))?;
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(failed("it does not respond"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body
            .map_err(failed("its response is incomplete"))?
            .to_bytes();
        if !status.is_success() {
            let text = String::from_utf8_lossy(&body).into_owned();
            return Err(failed("it refuses")(text));
        }
        serde_json::from_slice(&body).map_err(failed("its response is not JSON"))
    }
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    attempt: &'static str,
) -> impl FnOnce(E) -> FloorError {
    move |source| FloorError::Table {
        attempt,
        source: source.into(),
    }
}

fn create() -> Value {
    json!({
        "TableName": "floor",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    })
}

fn put() -> Value {
    json!({
        "TableName": "floor",
        "Item": {
            "pk": {"S": "U#Jerry"},
            "sk": {"S": "C#D0I9SdPJoAMCIkA="},
            "friend": {"S": "Tom"},
            "connected_at": {"N": "1770674708"},
            "expires_at": {"N": "9999999999"},
        },
    })
}

/// The query of a message's handler.
fn query() -> Value {
    json!({
        "TableName": "floor",
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :connection)",
        "FilterExpression": "expires_at > :now",
        "ProjectionExpression": "sk, connected_at",
        "ExpressionAttributeValues": {
            ":pk": {"S": "U#Jerry"},
            ":connection": {"S": "C#"},
            ":now": {"N": "1770674709"},
        },
    })
}
