//! A server that gives the same response to all requests, and records them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_lambdas::aws::Patience;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Short timeouts, for tests that wait for them.
pub(crate) const IMPATIENT: Patience = Patience {
    connect: Duration::from_millis(300),
    attempt: Duration::from_millis(300),
    operation: Duration::from_millis(300),
};

/// Longer than any pause between attempts, so that every attempt is made.
pub(crate) const PATIENT: Patience = Patience {
    connect: Duration::from_secs(30),
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
    /// Accepts the request and never responds.
    Nothing,
    /// Accepts the request and disconnects.
    HangUp,
}

pub(crate) struct Stub {
    pub(crate) endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Stub {
    pub(crate) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let server = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("it listens");
                tokio::spawn(answer(socket, reply.clone(), Arc::clone(&seen)));
            }
        });
        Self {
            endpoint: format!("http://{address}/v1"),
            requests,
            server,
        }
    }

    /// Every request so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(mut socket: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut socket).await {
        seen.lock().expect("nobody panics with it").push(request);
        let response = match &reply {
            Reply::HangUp => return,
            Reply::Nothing => std::future::pending().await,
            Reply::With {
                status,
                error_type,
                body,
            } => {
                let error_type = error_type
                    .map(|name| format!("x-amzn-ErrorType: {name}\r\n"))
                    .unwrap_or_default();
                let length = body.len();
                format!(
                    "HTTP/1.1 {status} Whatever\r\n{error_type}content-length: {length}\r\n\r\n{body}"
                )
            }
        };
        if socket.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Returns `None` if the client has disconnected.
pub(crate) async fn read_request(socket: &mut TcpStream) -> Option<String> {
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
