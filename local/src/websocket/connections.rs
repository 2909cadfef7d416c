//! The open connections, and the operations on them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::throttle::Bucket;
use crate::budget::{Budget, Reservation, Share, Stage};
use crate::clock::Clock;
use crate::integrations::incoming::{ConnectionInfo, Ended};
use crate::moments as wall;
use crate::options::Limits;

/// One open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) info: ConnectionInfo,
    clock: Clock,
    /// On `clock`.
    opened: Duration,
    /// Milliseconds since 1970, on the wall clock.
    opened_by_wall: i64,
    /// Milliseconds on `clock`.
    last_active: AtomicU64,
    /// Milliseconds since 1970, for the @connections API.
    last_active_epoch: AtomicI64,
    /// The budget's share of the client's messages.
    incoming: Arc<Share>,
    outgoing: mpsc::Sender<Outgoing>,
    /// The budget's share of the messages that wait for the client.
    waiting: Arc<Share>,
    waiting_limit: usize,
    refusals: Bucket,
    /// How long each of the messages that are processed at once waits, if the refusals exceed their rate.
    refusal_pause: Duration,
    ending: OnceLock<Ending>,
    end: Notify,
}

/// A frame for the client.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A text message, with its part of the budget until it is sent.
    Text(Bytes, Reservation),
    /// The last frame: a close frame.
    Close(CloseCode, &'static str),
}

/// Why the gateway ends a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The code of the client's close frame.
    pub(crate) code: CloseCode,
    pub(crate) reason: &'static str,
    /// The data for `$disconnect`.
    pub(crate) ended: Ended,
}

impl Ending {
    /// By `DELETE @connections`. The client gets no reason.
    pub(crate) fn deleted() -> Self {
        let ended = Ended {
            code: 1000,
            reason: "Connection Closed Normally".to_owned(),
        };
        Self {
            code: CloseCode::Normal,
            reason: "",
            ended,
        }
    }

    /// By a time limit, or because the stage is removed.
    pub(crate) fn going_away() -> Self {
        let reason = "Going away";
        Self {
            code: CloseCode::Away,
            reason,
            ended: Ended {
                code: 1001,
                reason: reason.to_owned(),
            },
        }
    }

    /// Because of what the client sent.
    pub(crate) fn fault(code: CloseCode) -> Self {
        Self {
            code,
            reason: "",
            ended: Ended {
                code: code.into(),
                reason: String::new(),
            },
        }
    }
}

/// Why a message was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PostError {
    /// The connection is over.
    Gone,
    /// The client reads too slowly.
    Full,
}

/// With this pause, all messages that are processed at once are refused at the rate of [`Limits::refusals`] together.
fn pause(limits: &Limits) -> Duration {
    let rate = limits.refusals.rate.max(1.0);
    Duration::from_secs_f64(limits.concurrent_messages.max(1) as f64 / rate)
}

impl Connection {
    pub(crate) fn new(
        info: ConnectionInfo,
        limits: &Limits,
        clock: &Clock,
        budget: &Arc<Budget>,
    ) -> (Arc<Self>, mpsc::Receiver<Outgoing>) {
        let (outgoing, receiver) = mpsc::channel(limits.client_queue.max(1));
        let opened = clock.elapsed();
        let connection = Self {
            clock: clock.clone(),
            opened,
            opened_by_wall: clock.wall_millis(),
            last_active: AtomicU64::new(millis(opened)),
            last_active_epoch: AtomicI64::new(info.connected_at),
            info,
            incoming: budget.share(),
            outgoing,
            waiting: budget.share(),
            waiting_limit: limits.client_queue_bytes,
            refusals: Bucket::new(limits.refusals),
            refusal_pause: pause(limits),
            ending: OnceLock::new(),
            end: Notify::new(),
        };
        (Arc::new(connection), receiver)
    }

    /// Queues a text message for the client.
    pub(crate) fn post(&self, text: Bytes) -> Result<(), PostError> {
        // A message is accepted while any room is left, so that a small limit cannot refuse every message.
        if self.waiting.held() > self.waiting_limit {
            return Err(PostError::Full);
        }
        let held = self
            .waiting
            .take(text.len(), Stage::Begin)
            .ok_or(PostError::Full)?;
        match self.outgoing.try_send(Outgoing::Text(text, held)) {
            Ok(()) => {
                self.touch();
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(_)) => Err(PostError::Full),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(PostError::Gone),
        }
    }

    /// A message was refused: waits if that happens more often than [`Limits::refusals`] allow.
    pub(crate) async fn pace_refusals(&self) {
        let now = self.clock.elapsed();
        if !self.refusals.take(now) {
            self.clock.until(now + self.refusal_pause).await;
        }
    }

    /// The budget's share of the client's own messages.
    pub(crate) fn incoming(&self) -> &Arc<Share> {
        &self.incoming
    }

    /// Queues the close frame, waiting for room up to `timeout`.
    pub(crate) async fn queue_close(
        &self,
        code: CloseCode,
        reason: &'static str,
        timeout: Duration,
    ) {
        // Without room the client gets no close frame, because it reads nothing anyway.
        let _no_room = self
            .outgoing
            .send_timeout(Outgoing::Close(code, reason), timeout)
            .await;
    }

    /// Asks the connection to end. The first reason counts.
    pub(crate) fn end(&self, ending: Ending) {
        if self.ending.set(ending).is_ok() {
            self.end.notify_one();
        }
    }

    /// Waits until the connection is asked to end.
    pub(crate) async fn asked_to_end(&self) -> Ending {
        loop {
            if let Some(ending) = self.ending.get() {
                return ending.clone();
            }
            self.end.notified().await;
        }
    }

    /// Notes a message in either direction.
    pub(crate) fn touch(&self) {
        let now = millis(self.clock.elapsed());
        self.last_active.store(now, Ordering::Relaxed);
        self.last_active_epoch
            .store(wall::now_millis(), Ordering::Relaxed);
    }

    /// On the stack's clock.
    pub(crate) fn opened(&self) -> Duration {
        self.opened
    }

    /// On the stack's clock.
    pub(crate) fn last_active(&self) -> Duration {
        Duration::from_millis(self.last_active.load(Ordering::Relaxed))
    }

    /// Whether it has been open or idle for longer than allowed.
    ///
    /// The two hours end on whichever clock reaches them first. The records that functions make when a connection opens
    /// expire on the wall clock, and a connection that outlives its record could not be found.
    fn is_overdue(&self, limits: &Limits) -> bool {
        let now = self.clock.elapsed();
        let by_wall = self.clock.wall_millis().saturating_sub(self.opened_by_wall);
        now.saturating_sub(self.opened) >= limits.connection_duration
            || now.saturating_sub(self.last_active()) >= limits.idle_timeout
            || u128::try_from(by_wall)
                .is_ok_and(|millis| millis >= limits.connection_duration.as_millis())
    }

    /// Milliseconds since 1970.
    pub(crate) fn last_active_epoch(&self) -> i64 {
        self.last_active_epoch.load(Ordering::Relaxed)
    }
}

fn millis(moment: Duration) -> u64 {
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}

/// All open connections, by id.
#[derive(Debug, Default)]
pub(crate) struct Connections(RwLock<HashMap<String, Arc<Connection>>>);

impl Connections {
    pub(crate) fn insert(&self, connection: Arc<Connection>) {
        let id = connection.info.connection_id.clone();
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, connection);
    }

    /// Removes the connection, which is gone for all requests from now on.
    pub(crate) fn remove(&self, id: &str) -> Option<Arc<Connection>> {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id)
    }

    /// The connection with this id on this stage.
    pub(crate) fn find(&self, stage: &str, id: &str) -> Option<Arc<Connection>> {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        connections
            .get(id)
            .filter(|connection| connection.info.stage == stage)
            .cloned()
    }

    /// The stage that a connection is on.
    pub(crate) fn stage_of(&self, id: &str) -> Option<String> {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let connection = connections.get(id)?;
        Some(connection.info.stage.clone())
    }

    /// Ends every connection whose stage `stays` does not accept.
    pub(crate) fn end_unless(&self, stays: impl Fn(&str) -> bool) {
        for connection in self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
        {
            if !stays(&connection.info.stage) {
                connection.end(Ending::going_away());
            }
        }
    }

    /// Ends every connection whose time is over.
    ///
    /// Each connection also waits for its own end, but only on the clock that cannot be set.
    pub(crate) fn end_overdue(&self, limits: &Limits) {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for connection in connections.values() {
            if connection.is_overdue(limits) {
                connection.end(Ending::going_away());
            }
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}
