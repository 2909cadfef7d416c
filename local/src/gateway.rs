//! The WebSocket gateway: accepts, asks the functions, keeps the connections.

mod answers;
mod authorizer;
pub(crate) mod clock;
pub(crate) mod connections;
pub(crate) mod deployed;
mod events;
mod frames;
pub(crate) mod handshake;
pub(crate) mod ids;
pub(crate) mod plain;
mod routing;
mod upgrade;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::answers::Answered;
use self::connections::Connections;
use self::deployed::{Deployed, Target};
use self::handshake::{HeadError, Refusal, read_head};
use crate::credentials::Credentials;
use crate::functions::Functions;
use crate::observer::Observer;
use crate::options::Limits;

/// How long connections have to say goodbye when the gateway stops, their `$disconnect` included.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// Everything that requests and connections share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) connections: Connections,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) functions: Arc<Functions>,
    pub(crate) limits: Limits,
    pub(crate) observer: Observer,
    deployed: RwLock<Arc<Deployed>>,
}

impl Gateway {
    pub(crate) fn new(
        deployed: Deployed,
        functions: Arc<Functions>,
        credentials: Arc<Credentials>,
        limits: Limits,
        observer: Observer,
    ) -> Arc<Self> {
        let deployed = RwLock::new(Arc::new(deployed));
        Arc::new(Self {
            connections: Connections::default(),
            credentials,
            functions,
            limits,
            observer,
            deployed,
        })
    }

    /// What is served now. One request looks once, so that it never sees half of an update.
    pub(crate) fn deployed(&self) -> Arc<Deployed> {
        Arc::clone(&self.deployed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves something else from now on; connections on stages that are gone are ended.
    pub(crate) fn deploy(&self, deployed: Deployed) {
        let deployed = Arc::new(deployed);
        *self
            .deployed
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&deployed);
        self.connections
            .end_unless(|stage| deployed.stage(stage).is_some());
    }

    /// Accepts until `stop` says true, then ends every connection and waits for them, but not for ever.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut served = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, peer)) => {
                        served.spawn(Arc::clone(&self).serve_socket(socket, peer));
                    }
                    // Too many open files: the next accept would fail at once as well.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Some(_) = served.join_next(), if !served.is_empty() => {}
                () = told(&mut stop) => break,
            }
        }
        drop(listener);
        let farewell = async {
            loop {
                // Again and again: a handshake that was under way may have become a connection.
                self.connections.end_unless(|_| false);
                let joined = tokio::time::timeout(Duration::from_millis(20), served.join_next());
                if let Ok(None) = joined.await {
                    break;
                }
            }
        };
        if tokio::time::timeout(STOP_PATIENCE, farewell).await.is_err() {
            served.shutdown().await;
        }
    }

    async fn serve_socket(self: Arc<Self>, mut socket: TcpStream, peer: SocketAddr) {
        // Without it a frame may wait 40 ms for an acknowledgement; failing to set it changes nothing else.
        let _slower = socket.set_nodelay(true);
        match read_head(
            &mut socket,
            self.limits.head_bytes,
            self.limits.head_timeout,
        )
        .await
        {
            Ok(head) if head.is_upgrade() => upgrade::serve(self, socket, peer, head).await,
            Ok(head) => plain::serve(self, socket, head).await,
            Err(error) => {
                let refusal = match error {
                    HeadError::Closed | HeadError::TimedOut => return,
                    HeadError::TooLarge => Refusal::gateway(
                        431,
                        "BadRequestException",
                        "Request Header Fields Too Large",
                    ),
                    HeadError::Malformed => {
                        Refusal::gateway(400, "BadRequestException", "Bad Request")
                    }
                };
                // The client may be gone; nobody else wants to know.
                let _gone = socket.write_all(&refusal.to_bytes()).await;
            }
        }
    }

    /// Invokes what a route or an authorizer points at, for no longer than `timeout`.
    async fn invoke(
        &self,
        target: &Target,
        timeout: Duration,
        event: Vec<u8>,
        trace: &str,
    ) -> Answered {
        let arn = match target {
            Target::Function(arn) => arn,
            Target::Nothing(why) => {
                self.observer.warn(why.clone());
                return Answered::NotInvoked;
            }
        };
        match tokio::time::timeout(timeout, self.functions.invoke(arn, event, trace)).await {
            Ok(outcome) => Answered::Function(outcome),
            Err(_) => Answered::TimedOut,
        }
    }

    fn warn_of_empty(&self, answered: &Answered, route_key: &str) {
        if answers::is_empty_answer(answered) {
            self.observer.warn(format!(
                "the function of route `{route_key}` answered nothing; answer at least {{\"statusCode\":200}}"
            ));
        }
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // The sender is gone together with the stack: that is the end, too.
    let _gone = stop.wait_for(|stop| *stop).await.is_ok();
}
