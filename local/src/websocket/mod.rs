//! The WebSocket gateway: opens connections, asks the functions, keeps the connections.

mod answers;
mod authorizer;
pub(crate) mod connections;
pub(crate) mod deployed;
mod frames;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod handshake;
mod messages;
mod metered;
mod proxy_answer;
mod routing;
mod throttle;
mod upgrade;

#[cfg(any(test, fuzzing))]
pub(crate) use {fuzzing::read_frames, handshake::accept_key};

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpStream;

use self::connections::Connections;
use self::deployed::{Deployed, LiveRoute};
use self::throttle::Account;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::http::head::Head;
use crate::http::sockets::Place;
use crate::iam::credentials::Credentials;
use crate::integrations::{Answered, Integrations};
use crate::lambda::Functions;
use crate::observer::Observer;
use crate::options::Limits;

/// Everything that requests and connections share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) connections: Connections,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) observer: Observer,
    pub(crate) account: Account,
    /// For everything that waits.
    pub(crate) budget: Arc<Budget>,
    integrations: Integrations,
    deployed: RwLock<Arc<Deployed>>,
    /// Handshakes under way and connections, until their `$disconnect` is over.
    upgrades: AtomicUsize,
    stopping: AtomicBool,
    /// Said once, not to everybody who is turned away.
    told_of_full: AtomicBool,
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
            integrations: Integrations::new(functions, clock.clone(), observer.clone()),
            account: Account::new(&limits, &clock, &observer),
            budget,
            limits,
            clock,
            observer,
            deployed: RwLock::new(Arc::new(deployed)),
            upgrades: AtomicUsize::new(0),
            told_of_full: AtomicBool::new(false),
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

    /// Ends connections whose time was over while the machine slept, or because its wall clock was set. Never ends.
    pub(crate) async fn watch_clocks(self: Arc<Self>) {
        let mut ticks = self.clock.ticks();
        loop {
            ticks.next().await;
            self.connections.end_overdue(&self.limits);
        }
    }

    /// Stays with a socket that asks for a WebSocket until its connection is over.
    pub(crate) async fn connect(
        self: Arc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        head: Head,
        place: Place,
    ) {
        self.upgrades.fetch_add(1, Ordering::Relaxed);
        let gateway = Arc::clone(&self);
        upgrade::serve(self, socket, peer, head, place).await;
        gateway.upgrades.fetch_sub(1, Ordering::Relaxed);
    }

    /// Refuses new connections from now on.
    pub(crate) fn refuse_newcomers(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether every connection is over, its `$disconnect` included.
    pub(crate) fn has_ended(&self) -> bool {
        self.upgrades.load(Ordering::Relaxed) == 0
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

    /// Tells the author what is wrong with what a route's integration answered, if anything is.
    pub(crate) fn explain(&self, answered: &Answered, route: &LiveRoute) {
        if let Some(complaint) = answers::complaint(answered, &route.key, route.timeout) {
            self.observer.warn(complaint);
        }
    }
}
