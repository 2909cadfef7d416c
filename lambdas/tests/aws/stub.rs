//! A server that gives the same response to all requests, and records them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_lambdas::aws::Timeouts;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use testing::http::Server;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Short timeouts, for tests that wait for them.
pub(crate) const SHORT: Timeouts = Timeouts {
    attempt: Duration::from_millis(300),
    operation: Duration::from_millis(300),
};

/// Longer than any pause between attempts, so that every attempt is made.
pub(crate) const LONG: Timeouts = Timeouts {
    attempt: Duration::from_secs(30),
    operation: Duration::from_secs(60),
};

/// The response.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status line, headers and body.
    With {
        status: u16,
        error_type: Option<&'static str>,
        body: &'static str,
    },
    /// Lambda's response about a function that failed.
    FailedFunction { body: &'static str },
    /// Accepts the request and never responds.
    Nothing,
    /// Accepts the request and disconnects.
    HangUp,
}

pub(crate) struct Stub {
    pub(crate) endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
    _server: Server,
}

impl Stub {
    pub(crate) async fn start(reply: Reply) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let server = Server::start(move |request, _connection| {
            answer(request, reply.clone(), Arc::clone(&seen))
        });
        let server = server.await;
        Self {
            endpoint: format!("http://{}/v1", server.address),
            requests,
            _server: server,
        }
    }

    /// Every request so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic holds it").clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    reply: Reply,
    seen: Arc<Mutex<Vec<String>>>,
) -> Result<Response<Full<Bytes>>, &'static str> {
    let text = text_of(request).await;
    seen.lock().expect("no panic holds it").push(text);
    let mut is_failed = false;
    let (status, error_type, body) = match reply {
        Reply::FailedFunction { body } => {
            is_failed = true;
            (200, None, body)
        }
        Reply::HangUp => return Err("it hangs up"),
        Reply::Nothing => std::future::pending().await,
        Reply::With {
            status,
            error_type,
            body,
        } => (status, error_type, body),
    };
    let mut response = Response::builder().status(status);
    if is_failed {
        response = response.header("X-Amz-Function-Error", "Unhandled");
    }
    if let Some(name) = error_type {
        response = response.header("x-amzn-ErrorType", name);
    }
    Ok(response.body(body.into()).expect("it is a response"))
}

/// A request as it came, with its header names in lower case.
async fn text_of(request: Request<Incoming>) -> String {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let value = value.to_str().expect("headers are text");
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = request.into_body().collect().await.expect("a whole body");
    text + "\r\n" + &String::from_utf8_lossy(&body.to_bytes())
}

/// Returns `None` if the client has disconnected.
pub(crate) async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= content_length(head)
        {
            return Some(text);
        }
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

fn content_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse().ok())
        .unwrap_or_default()
}
