//! An HTTP server that answers what a test decides.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// A server on a loopback port of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// Starts it, as [`serve`] describes.
    pub async fn start<F, E>(
        answer: impl Fn(Request<Incoming>, usize) -> F + Clone + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response<Full<Bytes>>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            _task: AbortOnDropHandle::new(tokio::spawn(serve(listener, answer))),
        }
    }
}

/// Answers every request with what `answer` makes of it and of the number of its connection, counted from zero. An
/// error closes the connection without an answer.
///
/// All connections end with this future.
pub async fn serve<F, E>(
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>, usize) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Result<Response<Full<Bytes>>, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let mut connections = JoinSet::new();
    let mut accepted = 0;
    while let Ok((stream, _)) = listener.accept().await {
        // Without it an answer may wait for an acknowledgement; failing to set it changes nothing else.
        let _slower = stream.set_nodelay(true);
        let (answer, connection) = (answer.clone(), accepted);
        accepted += 1;
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, connection));
            // The client may close whenever it likes.
            let _closed = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
