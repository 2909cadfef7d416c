//! Servers that do the same with each request, whatever it asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testing::ports::Closed;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::stub::read_request;

/// What a server does with each request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Responds with this head, its status line first, and this body.
    Respond(&'static str, &'static str),
    /// Announces more bytes than it sends, and disconnects.
    Truncate,
    /// Reads the request and never responds.
    Silence,
    /// Reads the request and disconnects.
    HangUp,
    /// Reads the request and resets the connection.
    Reset,
    /// Resets the connection before it has read anything.
    ResetAtOnce,
    /// Does not listen.
    Refuse,
}

const JSON: &str = "content-type: application/x-amz-json-1.0\r\n";

/// A server that does the same with every request, and counts them.
pub(super) struct Acting {
    pub(super) endpoint: String,
    pub(super) count: Arc<AtomicUsize>,
    server: Option<JoinHandle<()>>,
    _closed: Option<Closed>,
}

impl Acting {
    pub(super) async fn start(act: Act) -> Self {
        let count = Arc::new(AtomicUsize::new(0));
        if matches!(act, Act::Refuse) {
            let closed = Closed::new();
            return Self {
                endpoint: format!("http://{}", closed.address),
                count,
                server: None,
                _closed: Some(closed),
            };
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let counted = Arc::clone(&count);
        let server = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("it listens");
                tokio::spawn(perform(act, socket, Arc::clone(&counted)));
            }
        });
        Self {
            endpoint: format!("http://{address}"),
            count,
            server: Some(server),
            _closed: None,
        }
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn perform(act: Act, mut socket: TcpStream, count: Arc<AtomicUsize>) {
    if matches!(act, Act::ResetAtOnce) {
        count.fetch_add(1, Ordering::SeqCst);
        return reset(socket);
    }
    while read_request(&mut socket).await.is_some() {
        count.fetch_add(1, Ordering::SeqCst);
        let text = match act {
            Act::Respond(head, body) => {
                let is_empty = head.starts_with("204");
                let length = match is_empty {
                    true => String::new(),
                    false => format!("content-length: {}\r\n", body.len()),
                };
                let kind = if head.contains("content-type") {
                    ""
                } else {
                    JSON
                };
                format!("HTTP/1.1 {head}{kind}{length}\r\n{body}")
            }
            Act::Truncate => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"Item\":".to_owned(),
            Act::Silence => std::future::pending().await,
            Act::HangUp => return,
            Act::Reset | Act::ResetAtOnce | Act::Refuse => return reset(socket),
        };
        socket.write_all(text.as_bytes()).await.expect("it is read");
        if matches!(act, Act::Truncate) {
            return;
        }
    }
}

/// Without the waiting time for bytes that are still under way, the system sends a reset.
fn reset(socket: TcpStream) {
    let socket = socket.into_std().expect("a socket");
    let at_once = Duration::ZERO;
    let socket = rustix::net::sockopt::set_socket_linger(&socket, Some(at_once)).map(|()| socket);
    drop(socket.expect("a socket"));
}
