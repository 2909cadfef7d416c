//! Counts the requests to the emulator.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use testing::emulator::forward;
use testing::http::serve;
use tokio::net::TcpListener;

use super::DeployBenchError;

/// Forwards and counts all requests. Functions do not run while commands are measured, so only the commands' requests
/// are counted.
pub(super) struct Proxy {
    pub(super) url: String,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    /// Binds in front of an emulator that will be started later.
    pub(super) async fn bind() -> Result<(Self, TcpListener), DeployBenchError> {
        let failed = || DeployBenchError::system("listen on a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let proxy = Self {
            url: format!("http://{address}"),
            requests: Arc::default(),
        };
        Ok((proxy, listener))
    }

    /// Forwards connections to the emulator on `port` from now on.
    pub(super) fn serve(&self, listener: TcpListener, port: u16) {
        let requests = self.requests.clone();
        tokio::spawn(serve(listener, move |request, _connection| {
            requests.fetch_add(1, Ordering::Relaxed);
            pass(request, port)
        }));
    }

    /// The number of requests so far.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

async fn pass(request: Request<Incoming>, port: u16) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let answer = match body.collect().await {
        Ok(body) => forward(port, Request::from_parts(parts, Full::new(body.to_bytes()))).await,
        Err(error) => Err(error.into()),
    };
    Ok(match answer {
        Ok(answer) => answer.map(Full::new),
        Err(error) => {
            let mut answer = Response::new(Full::new(Bytes::from(error.to_string())));
            *answer.status_mut() = hyper::StatusCode::BAD_GATEWAY;
            answer
        }
    })
}
