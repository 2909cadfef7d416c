//! A minimal chat backend over HTTP: it posts each connection's messages to the others.
//!
//! It replaces a user's server behind `http` routes, and does the work of the `direct` handler without a table.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::server::{Server, ServerError};

/// A backend on its own thread.
#[derive(Debug)]
pub(crate) struct Backend {
    server: Server,
    connections_url: Arc<OnceLock<String>>,
}

impl Backend {
    /// Starts a backend without connections.
    pub(crate) fn start() -> Result<Self, ServerError> {
        let connections_url = Arc::new(OnceLock::new());
        let chat = Arc::new(Chat {
            present: Mutex::default(),
            connections_url: Arc::clone(&connections_url),
            posts: Client::builder(TokioExecutor::new()).build(no_delay()),
        });
        let server = Server::start("a backend", |listener| serve(listener, chat))?;
        Ok(Self {
            server,
            connections_url,
        })
    }

    /// A config file whose routes all lead here.
    pub(crate) fn config(&self) -> String {
        let route = |key: &str, path: &str| {
            let SocketAddr::V4(address) = self.server.address else {
                unreachable!("it listens on 127.0.0.1")
            };
            format!("[[routes]]\nkey = \"{key}\"\nhttp = \"http://{address}/{path}\"\n")
        };
        [
            route("$connect", "connect"),
            route("$disconnect", "disconnect"),
            route("$default", "send"),
        ]
        .concat()
    }

    /// Sets the stack's @connections API. Before that, nothing is posted.
    pub(crate) fn post_through(&self, endpoint: &str) {
        // A second call changes nothing: there is only one address.
        let _reported = self
            .connections_url
            .set(endpoint.replacen("ws://", "http://", 1));
    }
}

fn no_delay() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector
}

/// The open connections.
struct Chat {
    present: Mutex<BTreeSet<String>>,
    connections_url: Arc<OnceLock<String>>,
    posts: Client<HttpConnector, Full<Bytes>>,
}

/// The requests of chatctl's templates, with the fields that are used here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    connection_id: String,
    #[serde(default)]
    body: String,
}

async fn serve(listener: TcpListener, chat: Arc<Chat>) {
    let answer = move |request, _connection| answer(Arc::clone(&chat), request);
    testing::http::serve(listener, answer).await;
}

async fn answer(
    chat: Arc<Chat>,
    request: Request<Incoming>,
) -> hyper::Result<Response<Full<Bytes>>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let mut response = Response::new(Full::default());
    let Ok(call) = serde_json::from_slice::<Call>(&body) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let present = || chat.present.lock().unwrap_or_else(PoisonError::into_inner);
    match path.as_str() {
        "/connect" => drop(present().insert(call.connection_id)),
        "/disconnect" => drop(present().remove(&call.connection_id)),
        _ => {
            let others: Vec<String> = present()
                .iter()
                .filter(|other| **other != call.connection_id)
                .cloned()
                .collect();
            for other in others {
                chat.post(&other, call.body.clone()).await;
            }
        }
    }
    Ok(response)
}

impl Chat {
    /// Failures are ignored here, because the receiver notices a lost message.
    async fn post(&self, connection: &str, text: String) {
        let Some(base) = self.connections_url.get() else {
            return;
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{base}/@connections/{connection}"))
            .header(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/execute-api/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=0",
            )
            .header("X-Amz-Date", "20260101T000000Z")
            .body(Full::from(text))
            .expect("an id of a connection may stand in an address");
        if let Ok(answer) = self.posts.request(request).await {
            let _read = answer.into_body().collect().await;
        }
    }
}
