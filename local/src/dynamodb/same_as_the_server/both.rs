//! Sends the same requests to the endpoint and to the database's own server.

use std::net::SocketAddr;
use std::sync::Arc;

use dynoxide::Database;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::dynamodb::Scope;
use crate::dynamodb::endpoint::{self, Endpoint};

/// The two servers, each with an empty database of its own.
pub(super) struct Both {
    client: Client<HttpConnector, Full<Bytes>>,
    pub(super) theirs: SocketAddr,
    pub(super) ours: SocketAddr,
}

impl Both {
    pub(super) async fn start() -> Self {
        let listener = || TcpListener::bind("127.0.0.1:0");
        let (theirs, ours) = (listener().await.unwrap(), listener().await.unwrap());
        let both = Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            theirs: theirs.local_addr().unwrap(),
            ours: ours.local_addr().unwrap(),
        };
        let database = Database::memory().unwrap();
        tokio::spawn(dynoxide::server::serve_on(theirs, database));
        let endpoint = Endpoint {
            keys: Arc::default(),
            database: Database::memory().unwrap(),
            credentials: Arc::default(),
            // The Region and account in the database's own ARNs.
            scope: Scope {
                region: "dynoxide".to_owned(),
                account_id: "000000000000".to_owned(),
            },
        };
        tokio::spawn(endpoint::serve(ours, endpoint));
        both
    }

    pub(super) async fn ask(
        &self,
        address: SocketAddr,
        request: &Request<Bytes>,
    ) -> (StatusCode, [String; 2]) {
        let (mut head, body) = request.clone().into_parts();
        head.uri = format!("http://{address}{}", head.uri).parse().unwrap();
        let request = Request::from_parts(head, Full::new(body));
        let response = self.client.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(
            header("x-amz-crc32").unwrap(),
            crc32fast::hash(&body).to_string()
        );
        assert_eq!(header("x-amzn-requestid").unwrap().len(), 52);
        let media_type = if head.status == StatusCode::NOT_FOUND {
            String::new()
        } else {
            header("content-type").unwrap().to_owned()
        };
        let text = String::from_utf8(body.to_vec()).unwrap();
        (head.status, [media_type, masked(&text)])
    }

    /// The difference between the two responses, if any.
    async fn difference(&self, request: Request<Bytes>) -> Option<String> {
        let theirs = self.ask(self.theirs, &request).await;
        let ours = self.ask(self.ours, &request).await;
        (theirs != ours).then(|| format!("{request:?}\n theirs: {theirs:?}\n ours:   {ours:?}\n"))
    }

    pub(super) async fn check(&self, requests: impl IntoIterator<Item = Request<Bytes>>) {
        let mut differences = String::new();
        for request in requests {
            differences.extend(self.difference(request).await);
        }
        assert!(differences.is_empty(), "{differences}");
    }
}

/// Removes values that differ for each table, and sorts the rest.
fn masked(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    for table in ["Table", "TableDescription"] {
        if let Some(Value::Object(table)) = value.get_mut(table) {
            for made in ["CreationDateTime", "TableId"] {
                assert!(table.remove(made).is_some(), "{made}");
            }
        }
    }
    value.sort_all_objects();
    value.to_string()
}
