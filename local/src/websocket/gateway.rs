//! What all connections of a gateway share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::connections::Connections;
use super::deployed::{Deployed, LiveRoute};
use super::responses;
use super::throttle::Account;
use super::traffic::Counters;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::iam::credentials::Credentials;
use crate::integrations::{IntegrationOutcome, Integrations};
use crate::lambda::Functions;
use crate::observer::Observer;
use crate::options::Limits;

/// The shared parts of requests and connections.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) connections: Connections,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) observer: Observer,
    pub(crate) account: Account,
    /// What has passed.
    pub(crate) traffic: Counters,
    /// The budget of all waiting bytes.
    pub(crate) budget: Arc<Budget>,
    pub(super) integrations: Integrations,
    deployed: RwLock<Arc<Deployed>>,
    /// Handshakes in progress and connections, until their `$disconnect` is over.
    upgrades: AtomicUsize,
    stopping: AtomicBool,
    /// Whether the warning was given. It is given once, not for every refused client.
    has_warned_of_full: AtomicBool,
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
            traffic: Counters::default(),
            budget,
            limits,
            clock,
            observer,
            deployed: RwLock::new(Arc::new(deployed)),
            upgrades: AtomicUsize::new(0),
            has_warned_of_full: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        })
    }

    /// What is served now. A request calls this once, so that it never sees half of an update.
    pub(crate) fn deployed(&self) -> Arc<Deployed> {
        Arc::clone(&self.deployed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces what is served; ends connections on removed stages.
    pub(crate) fn deploy(&self, deployed: Deployed) {
        let deployed = Arc::new(deployed);
        *self
            .deployed
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&deployed);
        self.connections
            .end_unless(|stage| deployed.stage(stage).is_some());
    }

    /// Ends connections whose time passed while the machine slept, or because its wall clock was set. Never returns.
    pub(crate) async fn watch_clocks(self: Arc<Self>) {
        let mut ticks = self.clock.ticks();
        loop {
            ticks.next().await;
            self.connections.end_overdue(&self.limits);
        }
    }

    /// Counts a handshake that begins.
    pub(super) fn upgrade_begins(&self) {
        self.upgrades.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that is over, its `$disconnect` included, or a handshake that was refused.
    pub(super) fn upgrade_is_over(&self) {
        self.upgrades.fetch_sub(1, Ordering::Relaxed);
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
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Whether there is no room for another connection.
    pub(super) fn is_full(&self) -> bool {
        let most = self.limits.connections;
        // The caller is counted already.
        let is_full = self.upgrades.load(Ordering::Relaxed) > most;
        if is_full && !self.has_warned_of_full.swap(true, Ordering::Relaxed) {
            self.observer.warn(format!(
                "refused a connection, because {most} clients are connected: each is an open file, and of those that this \
                 process may have (see `ulimit -Hn`), the rest is for functions and tables; AWS has no such limit"
            ));
        }
        is_full
    }

    /// Counts the response of a route's integration. Reports a mistake in it, if there is one.
    pub(crate) fn judge(&self, outcome: &IntegrationOutcome, route: &LiveRoute) {
        self.traffic.responded(outcome);
        self.explain(outcome, route);
    }

    /// Reports a mistake in the response of a route's integration, if there is one.
    fn explain(&self, outcome: &IntegrationOutcome, route: &LiveRoute) {
        if let Some(complaint) = responses::complaint(outcome, &route.key, route.timeout) {
            self.observer.warn(complaint);
        }
    }
}
