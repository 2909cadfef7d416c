//! Connections to services, kept and shared.

use std::error::Error;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::http::uri::Scheme;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// What all encrypted connections of a process share: the machine's trusted certificates, and sessions to resume.
static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    // Without any, each handshake fails and says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    // Not aws-lc, whose entropy source takes some 20 ms of processor time in the first handshake.
    let ring = rustls::crypto::ring::default_provider();
    let versions = ClientConfig::builder_with_provider(ring.into())
        .with_safe_default_protocol_versions()
        .expect("ring has suites for each of them");
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.into()
});

/// Reads the machine's trusted certificates now. Otherwise the first encrypted connection does.
///
/// It takes time, so it is done at a cold start, and only for endpoints that need it.
pub(super) fn read_certificates() {
    LazyLock::force(&TLS);
}

/// An HTTP client that keeps its connections. Its clones share them.
///
/// Encrypted connections speak HTTP/2 if the server does, so that the many posts of a large room share one.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client<Connector, Full<Bytes>>,
}

/// A response, as far as it was read.
#[derive(Debug)]
pub(super) struct HttpResponse {
    pub(super) head: hyper::http::response::Parts,
    pub(super) body: Bytes,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The request was not sent.
    #[error("no connection")]
    NotConnected {
        source: hyper_util::client::legacy::Error,
    },
    /// The request may have arrived, and has if there is a status.
    #[error("the connection failed before the response was complete")]
    Broken {
        /// Of the response, if its head arrived.
        status: Option<StatusCode>,
        source: Cause,
    },
    #[error("the response is larger than {limit} bytes")]
    TooLarge { status: StatusCode, limit: usize },
}

impl Http {
    /// A client whose connections must be open, and encrypted, within `connect`.
    pub(super) fn new(connect: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // Otherwise a request in two parts may wait for an acknowledgement.
        tcp.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            // With a timer, connections that nothing has used for 90 s are closed.
            .pool_timer(TokioTimer::new())
            .build(Connector {
                tcp,
                within: connect,
            });
        Self { client }
    }

    /// Sends `request` and reads the response, of which at most `limit` bytes.
    ///
    /// If a kept connection turns out to be closed and nothing was sent, the request is sent on another one.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<HttpResponse, HttpError> {
        let sent = self.client.request(request).await;
        let response = sent.map_err(|source| match source.is_connect() {
            true => HttpError::NotConnected { source },
            false => HttpError::Broken {
                status: None,
                source: source.into(),
            },
        })?;
        read(response, limit).await
    }
}

async fn read(response: Response<Incoming>, limit: usize) -> Result<HttpResponse, HttpError> {
    let (head, body) = response.into_parts();
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(HttpResponse {
            head,
            body: body.to_bytes(),
        }),
        Err(error) if error.is::<LengthLimitError>() => Err(HttpError::TooLarge {
            status: head.status,
            limit,
        }),
        Err(source) => Err(HttpError::Broken {
            status: Some(head.status),
            source,
        }),
    }
}

/// Opens connections: encrypted ones for `https`, plain ones for anything else.
#[derive(Debug, Clone)]
struct Connector {
    tcp: HttpConnector,
    within: Duration,
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Cause>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (mut tcp, within) = (self.tcp.clone(), self.within);
        Box::pin(async move {
            let connecting = async {
                if uri.scheme() == Some(&Scheme::HTTPS) {
                    let mut encrypted = HttpsConnector::from((tcp, Arc::clone(&TLS)));
                    encrypted.call(uri).await
                } else {
                    let plain = tcp.call(uri).await?;
                    Ok(MaybeHttpsStream::Http(plain))
                }
            };
            let connected = tokio::time::timeout(within, connecting).await;
            connected.map_err(|_| {
                let reason = format!("not open within {} ms", within.as_millis());
                std::io::Error::new(ErrorKind::TimedOut, reason)
            })?
        })
    }
}
