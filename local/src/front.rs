//! The gateway's port. It accepts connections and dispatches their requests: a WebSocket, the @connections API,
//! Lambda's Invoke API, a secret, or a page if there is one. It refuses all others.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request};
use percent_encoding::percent_decode_str;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::budget::Share;
use crate::connections_api;
use crate::http::error::{HttpError, refuse};
use crate::http::head::{Head, HeadError, read_head};
use crate::http::page::Page;
use crate::http::peers::{self, Rejection};
use crate::http::response::HttpResponse;
use crate::http::sockets::{SocketSlot, Sockets};
use crate::http::{self, browser};
use crate::lambda::{Functions, invoke_api};
use crate::secrets_api::{self, Operation, Secrets};
use crate::websocket::deployed::Deployed;
use crate::websocket::{self, Gateway};

/// The time that connections have to close when the gateway stops, their `$disconnect` included.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// The listener on the gateway's port.
#[derive(Debug)]
pub(crate) struct Front {
    gateway: Arc<Gateway>,
    functions: Arc<Functions>,
    /// All open sockets, whatever they are used for.
    sockets: Arc<Sockets>,
    page: RwLock<Option<Page>>,
    /// What functions read of Systems Manager and Secrets Manager.
    pub(crate) secrets: Secrets,
    /// Whether the warning was given. It is given once, not for every refused connection.
    has_warned_of_other_users: AtomicBool,
}

impl Front {
    pub(crate) fn new(gateway: Arc<Gateway>, functions: Arc<Functions>) -> Arc<Self> {
        Arc::new(Self {
            sockets: Sockets::new(gateway.limits.sockets),
            gateway,
            functions,
            page: RwLock::default(),
            secrets: Secrets::default(),
            has_warned_of_other_users: AtomicBool::new(false),
        })
    }

    /// The number of open sockets.
    pub(crate) fn open(&self) -> usize {
        self.sockets.open()
    }

    /// The page at `/`, if there is one.
    pub(crate) fn page(&self) -> Option<Page> {
        self.page
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn show(&self, page: Option<Page>) {
        *self.page.write().unwrap_or_else(PoisonError::into_inner) = page;
    }

    /// Accepts until `stop` is true, then ends every connection and waits for them up to a limit.
    ///
    /// Meanwhile the @connections API is still served, because a `$disconnect` may post to other connections.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        mut stop: watch::Receiver<bool>,
    ) {
        let stopped = async {
            stop_requested(&mut stop).await;
            self.end_connections().await;
        };
        http::accept(listener, &self.sockets, stopped, |socket, peer, slot| {
            Arc::clone(&self).serve_socket(socket, peer, slot)
        })
        .await;
    }

    async fn end_connections(&self) {
        self.gateway.refuse_newcomers();
        let give_up = Instant::now() + STOP_TIMEOUT;
        let mut look_again = tokio::time::interval(Duration::from_millis(10));
        while !self.gateway.has_ended() && Instant::now() < give_up {
            // Repeated, because a handshake in progress may have become a connection.
            self.gateway.connections.end_unless(|_| false);
            look_again.tick().await;
        }
    }

    async fn serve_socket(
        self: Arc<Self>,
        mut socket: TcpStream,
        peer: SocketAddr,
        slot: SocketSlot,
    ) {
        match peers::admit(&mut socket).await {
            Ok(()) => {}
            Err(Rejection::Stranger) => return self.warn_of_another_user(),
            Err(Rejection::Gone) => return,
        }
        let (limit, timeout) = (
            self.gateway.limits.head_bytes,
            self.gateway.limits.head_timeout,
        );
        let head = tokio::select! {
            head = read_head(&mut socket, limit, timeout) => head,
            () = slot.needed() => return,
        };
        match head {
            Ok(head) if head.is_upgrade() => {
                slot.works();
                websocket::connect(Arc::clone(&self.gateway), socket, peer, head, slot).await;
            }
            Ok(head) => self.serve_requests(socket, head, slot).await,
            Err(error) => {
                let error = match error {
                    HeadError::Closed | HeadError::TimedOut => return,
                    HeadError::TooLarge => HttpError::gateway(
                        431,
                        "BadRequestException",
                        "Request Header Fields Too Large",
                    ),
                    HeadError::Malformed => {
                        HttpError::gateway(400, "BadRequestException", "Bad Request")
                    }
                };
                // The client may be gone, which needs no error.
                let _gone = socket.write_all(&error.to_bytes()).await;
            }
        }
    }

    /// Serves the requests of one keep-alive connection, of which `head` is the first.
    async fn serve_requests(&self, socket: TcpStream, head: Head, slot: SocketSlot) {
        let share = self.gateway.budget.share();
        let idle = self.gateway.limits.keep_alive_timeout;
        http::go_on(socket, head.bytes, &slot, idle, |request| {
            handle(self, &share, request)
        })
        .await;
    }

    fn warn_of_another_user(&self) {
        if !self.has_warned_of_other_users.swap(true, Ordering::Relaxed) {
            self.gateway.observer.warn(
                "refused a connection of another user of this machine: a local stack is private to its user",
            );
        }
    }
}

async fn handle(front: &Front, share: &Arc<Share>, request: Request<Incoming>) -> HttpResponse {
    let gateway = &*front.gateway;
    if let Some(answer) = front.page().and_then(|page| page.response(&request)) {
        return answer;
    }
    let path = request.uri().path().to_owned();
    let decoded: Vec<_> = path
        .trim_start_matches('/')
        .split('/')
        .map(decode)
        .collect();
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let deployed = gateway.deployed();
    let service = service(&request, &segments, &deployed);
    // These two do nothing for a page, on AWS without a signature, too.
    let is_open_to_pages = matches!(service, Service::Stage | Service::Unknown);
    if !is_open_to_pages && browser::is_web_page(request.headers()) {
        let error = HttpError::gateway(403, "ForbiddenException", browser::REFUSED);
        return refuse(error);
    }
    let callers = (&*gateway.credentials, &deployed.identity);
    match service {
        Service::Secrets(operation) => {
            secrets_api::handle(&front.secrets, callers, share, operation, request).await
        }
        Service::Connection(Some(stage), id) => {
            connections_api::handle(gateway, share, &deployed, (stage, id), request).await
        }
        Service::Connection(None, id) => {
            // A closed connection may have been on any of them.
            let stage = gateway
                .connections
                .stage_of(id)
                .or_else(|| deployed.first_stage())
                .unwrap_or_default();
            connections_api::handle(gateway, share, &deployed, (&stage, id), request).await
        }
        Service::Function(name) => {
            invoke_api::handle(&front.functions, callers, share, name, request).await
        }
        Service::Stage => {
            let error = HttpError::gateway(426, "UpgradeRequiredException", "Upgrade Required");
            let upgrade = ("Upgrade".to_owned(), "websocket".to_owned());
            refuse(HttpError {
                headers: [error.headers, vec![upgrade]].concat(),
                ..error
            })
        }
        Service::Unknown => refuse(HttpError::forbidden()),
    }
}

/// The service of a request that is neither for a WebSocket nor for the page.
enum Service<'r> {
    /// Systems Manager or Secrets Manager.
    Secrets(Operation),
    /// The @connections API, with the stage, unless it is that of the connection, and the connection's id.
    Connection(Option<&'r str>, &'r str),
    /// Lambda's Invoke API, with the function's name.
    Function(&'r str),
    /// A stage, which serves WebSockets only.
    Stage,
    Unknown,
}

/// `segments` are those of the request's path, decoded.
fn service<'r>(
    request: &Request<Incoming>,
    segments: &[&'r str],
    deployed: &Deployed,
) -> Service<'r> {
    let method = request.method();
    if let (Some(operation), &Method::POST, "/") = (
        Operation::from_request(request),
        method,
        request.uri().path(),
    ) {
        return Service::Secrets(operation);
    }
    match *segments {
        [stage, "@connections", id]
            if deployed.stage(stage).is_some_and(|stage| stage.is_deployed) =>
        {
            Service::Connection(Some(stage), id)
        }
        [connections_api::ANY_STAGE, "@connections", id] => Service::Connection(None, id),
        ["2015-03-31", "functions", name, "invocations"] if method == Method::POST => {
            Service::Function(name)
        }
        [stage] | [stage, ""] if method == Method::GET && deployed.stage(stage).is_some() => {
            Service::Stage
        }
        _ => Service::Unknown,
    }
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

async fn stop_requested(stop: &mut watch::Receiver<bool>) {
    // The sender was dropped together with the stack, which also means the end.
    let _gone = stop.wait_for(|stop| *stop).await.is_ok();
}
