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
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::budget::Share;
use crate::connections_api;
use crate::http::error::{HttpError, HttpResponse, refuse};
use crate::http::head::{Head, HeadError, read_head};
use crate::http::page::Page;
use crate::http::peers::{self, Refused};
use crate::http::sockets::{SocketSlot, Sockets};
use crate::http::{self, browser};
use crate::lambda::{Functions, invoke_api};
use crate::secrets_api::{self, Operation, Secrets};
use crate::websocket::Gateway;

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
        let mut served = JoinSet::new();
        let mut look_again = tokio::time::interval(Duration::from_millis(10));
        let mut give_up = None;
        let mut newcomer = None;
        loop {
            tokio::select! {
                accepted = listener.accept(), if newcomer.is_none() => match accepted {
                    Ok(accepted) => newcomer = Some(accepted),
                    // Too many open files: the next accept would fail at once as well.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                slot = self.sockets.slot(), if newcomer.is_some() => {
                    if let Some((socket, peer)) = newcomer.take() {
                        served.spawn(Arc::clone(&self).serve_socket(socket, peer, slot));
                    }
                }
                Some(_) = served.join_next(), if !served.is_empty() => {}
                () = reported(&mut stop), if give_up.is_none() => {
                    self.gateway.refuse_newcomers();
                    give_up = Some(Instant::now() + STOP_TIMEOUT);
                }
                _ = look_again.tick(), if give_up.is_some() => {
                    // Repeated, because a handshake in progress may have become a connection.
                    self.gateway.connections.end_unless(|_| false);
                    if self.gateway.has_ended() || give_up < Some(Instant::now()) {
                        break;
                    }
                }
            }
        }
        drop(listener);
        served.shutdown().await;
    }

    async fn serve_socket(
        self: Arc<Self>,
        mut socket: TcpStream,
        peer: SocketAddr,
        slot: SocketSlot,
    ) {
        // Otherwise a frame may wait 40 ms for an acknowledgement. Failing to set it changes nothing else.
        let _slower = socket.set_nodelay(true);
        match peers::admit(&mut socket).await {
            Ok(()) => {}
            Err(Refused::Stranger) => return self.warn_of_another_user(),
            Err(Refused::Gone) => return,
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
                Arc::clone(&self.gateway)
                    .connect(socket, peer, head, slot)
                    .await;
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
    if let (Some(operation), &Method::POST, "/") =
        (Operation::from_request(&request), request.method(), &*path)
    {
        if browser::asks(request.headers()) {
            return refuse(of_a_page());
        }
        let callers = (&*gateway.credentials, &deployed.identity);
        return secrets_api::handle(&front.secrets, callers, share, operation, request).await;
    }
    match segments.as_slice() {
        [stage, "@connections", id]
            if deployed.stage(stage).is_some_and(|stage| stage.is_deployed) =>
        {
            if browser::asks(request.headers()) {
                return refuse(of_a_page());
            }
            connections_api::handle(gateway, share, &deployed, (stage, id), request).await
        }
        [connections_api::ANY_STAGE, "@connections", id] => {
            if browser::asks(request.headers()) {
                return refuse(of_a_page());
            }
            // A closed connection may have been on any of them.
            let stage = gateway
                .connections
                .stage_of(id)
                .or_else(|| deployed.first_stage())
                .unwrap_or_default();
            connections_api::handle(gateway, share, &deployed, (&stage, id), request).await
        }
        ["2015-03-31", "functions", name, "invocations"] if request.method() == Method::POST => {
            if browser::asks(request.headers()) {
                return refuse(of_a_page());
            }
            let callers = (&*gateway.credentials, &deployed.identity);
            invoke_api::handle(&front.functions, callers, share, name, request).await
        }
        [stage] | [stage, ""]
            if request.method() == Method::GET && deployed.stage(stage).is_some() =>
        {
            let error = HttpError::gateway(426, "UpgradeRequiredException", "Upgrade Required");
            let upgrade = ("Upgrade".to_owned(), "websocket".to_owned());
            refuse(HttpError {
                headers: [error.headers, vec![upgrade]].concat(),
                ..error
            })
        }
        _ => refuse(HttpError::forbidden()),
    }
}

fn of_a_page() -> HttpError {
    HttpError::gateway(403, "ForbiddenException", browser::REFUSED)
}

fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

async fn reported(stop: &mut watch::Receiver<bool>) {
    // The sender was dropped together with the stack, which also means the end.
    let _gone = stop.wait_for(|stop| *stop).await.is_ok();
}
