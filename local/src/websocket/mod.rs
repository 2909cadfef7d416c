//! The WebSocket gateway: accepts, asks the functions, keeps the connections.

pub(crate) mod answers;
mod authorizer;
pub(crate) mod beside;
pub(crate) mod connections;
pub(crate) mod deployed;
pub(crate) mod events;
mod frames;
pub(crate) mod handshake;
mod messages;
mod metered;
mod proxy_answer;
mod routing;
mod throttle;
mod upgrade;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::answers::Answered;
use self::connections::Connections;
use self::deployed::{Deployed, LiveRoute, Target};
use self::handshake::{HeadError, Refusal, read_head};
use self::throttle::Account;
use crate::budget::{Budget, Held};
use crate::clock::Clock;
use crate::front;
use crate::http::page::Page;
use crate::http::peers::{self, Refused};
use crate::http::sockets::{Place, Sockets};
use crate::iam::credentials::Credentials;
use crate::lambda::Functions;
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
    pub(crate) clock: Clock,
    pub(crate) observer: Observer,
    pub(crate) account: Account,
    /// For everything that waits.
    pub(crate) budget: Arc<Budget>,
    /// All that are open, whatever they are used for.
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) backends: crate::integrations::Client,
    pub(crate) beside: beside::Beside,
    deployed: RwLock<Arc<Deployed>>,
    page: RwLock<Option<Page>>,
    /// Handshakes under way and connections, until their `$disconnect` is over.
    upgrades: AtomicUsize,
    stopping: AtomicBool,
    /// Said once, not to everybody who is turned away.
    told_of_full: AtomicBool,
    told_of_strangers: AtomicBool,
}

impl Gateway {
    pub(crate) fn new(
        deployed: Deployed,
        functions: Arc<Functions>,
        credentials: Arc<Credentials>,
        limits: Limits,
        clock: Clock,
        budget: Arc<Budget>,
        observer: Observer,
    ) -> Arc<Self> {
        Arc::new(Self {
            connections: Connections::default(),
            credentials,
            functions,
            account: Account::new(&limits, &clock, &observer),
            budget,
            sockets: Sockets::new(limits.sockets),
            limits,
            clock,
            observer,
            backends: crate::integrations::Client::default(),
            beside: beside::Beside::default(),
            deployed: RwLock::new(Arc::new(deployed)),
            page: RwLock::default(),
            upgrades: AtomicUsize::new(0),
            told_of_full: AtomicBool::new(false),
            told_of_strangers: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
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

    /// What browsers get that ask for `/`, if anything.
    pub(crate) fn page(&self) -> Option<Page> {
        self.page
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn show(&self, page: Option<Page>) {
        *self.page.write().unwrap_or_else(PoisonError::into_inner) = page;
    }

    /// Accepts until `stop` says true, then ends every connection and waits for them, but not for ever.
    ///
    /// Meanwhile the @connections API still answers: a `$disconnect` may tell others.
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
                place = self.sockets.place(), if newcomer.is_some() => {
                    if let Some((socket, peer)) = newcomer.take() {
                        served.spawn(Arc::clone(&self).serve_socket(socket, peer, place));
                    }
                }
                Some(_) = served.join_next(), if !served.is_empty() => {}
                () = told(&mut stop), if give_up.is_none() => {
                    self.stopping.store(true, Ordering::Relaxed);
                    give_up = Some(Instant::now() + STOP_PATIENCE);
                }
                _ = look_again.tick(), if give_up.is_some() => {
                    // Again and again: a handshake that was under way may have become a connection.
                    self.connections.end_unless(|_| false);
                    if self.upgrades.load(Ordering::Relaxed) == 0 || give_up < Some(Instant::now()) {
                        break;
                    }
                }
            }
        }
        drop(listener);
        served.shutdown().await;
    }

    /// Ends connections whose time was over while the machine slept, or because its wall clock was set. Never ends.
    pub(crate) async fn watch_clocks(self: Arc<Self>) {
        let mut ticks = self.clock.ticks();
        loop {
            ticks.next().await;
            self.connections.end_overdue(&self.limits);
        }
    }

    async fn serve_socket(self: Arc<Self>, mut socket: TcpStream, peer: SocketAddr, place: Place) {
        // Without it a frame may wait 40 ms for an acknowledgement; failing to set it changes nothing else.
        let _slower = socket.set_nodelay(true);
        match peers::admit(&mut socket).await {
            Ok(()) => {}
            Err(Refused::Stranger) => return self.warn_of_a_stranger(),
            Err(Refused::Gone) => return,
        }
        let (limit, timeout) = (self.limits.head_bytes, self.limits.head_timeout);
        let head = tokio::select! {
            head = read_head(&mut socket, limit, timeout) => head,
            () = place.needed() => return,
        };
        match head {
            Ok(head) if head.is_upgrade() => {
                self.upgrades.fetch_add(1, Ordering::Relaxed);
                place.works();
                let gateway = Arc::clone(&self);
                upgrade::serve(self, socket, peer, head, place).await;
                gateway.upgrades.fetch_sub(1, Ordering::Relaxed);
            }
            Ok(head) => front::serve(self, socket, head, place).await,
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

    /// Whether new connections are refused.
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Whether there is room for no more than who is connected.
    fn is_full(&self) -> bool {
        let most = self.limits.connections;
        // Whoever asks is counted already.
        let is_full = self.upgrades.load(Ordering::Relaxed) > most;
        if is_full && !self.told_of_full.swap(true, Ordering::Relaxed) {
            self.observer.warn(format!(
                "{most} clients are connected, so others are turned away: each is an open file, and of those that this \
                 process may have (`ulimit -Hn` tells) the rest is for functions and tables; AWS has no such limit"
            ));
        }
        is_full
    }

    fn warn_of_a_stranger(&self) {
        if !self.told_of_strangers.swap(true, Ordering::Relaxed) {
            self.observer.warn(
                "a program of another user of this machine was refused: a local stack is private to its user",
            );
        }
    }

    /// Invokes what a route or an authorizer points at, for no longer than `timeout`. `held` is what the event takes of
    /// the budget, until a process has answered.
    pub(crate) async fn invoke(
        &self,
        target: &Target,
        timeout: Duration,
        event: Vec<u8>,
        trace: &str,
        mut held: Held,
    ) -> Answered {
        let arn = match target {
            Target::Function(arn) => arn,
            Target::Nothing(why) => {
                self.observer.warn(why.clone());
                return Answered::NotInvoked;
            }
            Target::Integration(_) => return Answered::NotInvoked,
        };
        held.resize(event.len());
        let invocation = self.functions.invoke(arn, event, trace, held);
        match self.clock.patiently(timeout, invocation).await {
            Some(outcome) => Answered::Function(outcome),
            None => Answered::TimedOut,
        }
    }

    /// Tells the author what is wrong with what a route's integration answered, if anything is.
    pub(crate) fn explain(&self, answered: &Answered, route: &LiveRoute) {
        if let Some(complaint) = answers::complaint(answered, &route.key, route.timeout) {
            self.observer.warn(complaint);
        }
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // The sender is gone together with the stack: that is the end, too.
    let _gone = stop.wait_for(|stop| *stop).await.is_ok();
}
