//! The open connections, and what may be done to them from outside.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::clock as wall;
use super::events::{Ended, Facts};
use crate::clock::Clock;
use crate::options::Limits;

/// One open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) facts: Facts,
    clock: Clock,
    /// By `clock`.
    opened: Duration,
    /// Milliseconds by `clock`.
    last_active: AtomicU64,
    /// Milliseconds since 1970, as the @connections API tells them.
    last_active_epoch: AtomicI64,
    outgoing: mpsc::Sender<Outgoing>,
    waiting_bytes: AtomicUsize,
    waiting_limit: usize,
    ending: OnceLock<Ending>,
    end: Notify,
}

/// What goes out to the client.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A text message.
    Text(Bytes),
    /// The last thing: a close frame.
    Close(CloseCode, &'static str),
}

/// Why the gateway ends a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What the client's close frame says.
    pub(crate) code: CloseCode,
    pub(crate) reason: &'static str,
    /// What `$disconnect` is told.
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

    /// By a time limit, or because the stage goes away.
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

/// Why a message was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PostError {
    /// The connection is over.
    Gone,
    /// The client reads too slowly.
    Full,
}

impl Connection {
    pub(crate) fn new(
        facts: Facts,
        limits: &Limits,
        clock: &Clock,
    ) -> (Arc<Self>, mpsc::Receiver<Outgoing>) {
        let (outgoing, receiver) = mpsc::channel(limits.client_queue.max(1));
        let opened = clock.elapsed();
        let connection = Self {
            clock: clock.clone(),
            opened,
            last_active: AtomicU64::new(millis(opened)),
            last_active_epoch: AtomicI64::new(facts.connected_at),
            facts,
            outgoing,
            waiting_bytes: AtomicUsize::new(0),
            waiting_limit: limits.client_queue_bytes,
            ending: OnceLock::new(),
            end: Notify::new(),
        };
        (Arc::new(connection), receiver)
    }

    /// Queues a text message for the client.
    pub(crate) fn post(&self, text: Bytes) -> Result<(), PostError> {
        let length = text.len();
        // A message is taken while anything is left, so that a small limit cannot refuse every message.
        if self.waiting_bytes.load(Ordering::Relaxed) > self.waiting_limit {
            return Err(PostError::Full);
        }
        self.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        match self.outgoing.try_send(Outgoing::Text(text)) {
            Ok(()) => {
                self.touch();
                Ok(())
            }
            Err(error) => {
                self.sent(length);
                Err(if matches!(error, mpsc::error::TrySendError::Full(_)) {
                    PostError::Full
                } else {
                    PostError::Gone
                })
            }
        }
    }

    /// Notes that `bytes` of queued messages left for the client.
    pub(crate) fn sent(&self, bytes: usize) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Queues the close frame, waiting for room up to `patience`.
    pub(crate) async fn say_goodbye(
        &self,
        code: CloseCode,
        reason: &'static str,
        patience: Duration,
    ) {
        // Without room the client gets no close frame: it reads nothing anyway.
        let _no_room = self
            .outgoing
            .send_timeout(Outgoing::Close(code, reason), patience)
            .await;
    }

    /// Asks the connection to end. The first reason counts.
    pub(crate) fn end(&self, ending: Ending) {
        if self.ending.set(ending).is_ok() {
            self.end.notify_one();
        }
    }

    /// Waits until somebody asks for the end.
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

    /// By the stack's clock.
    pub(crate) fn opened(&self) -> Duration {
        self.opened
    }

    /// By the stack's clock.
    pub(crate) fn last_active(&self) -> Duration {
        Duration::from_millis(self.last_active.load(Ordering::Relaxed))
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
        let id = connection.facts.connection_id.clone();
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, connection);
    }

    /// From now on the connection is gone for everybody.
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
            .filter(|connection| connection.facts.stage == stage)
            .cloned()
    }

    /// The stage that a connection is on.
    pub(crate) fn stage_of(&self, id: &str) -> Option<String> {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let connection = connections.get(id)?;
        Some(connection.facts.stage.clone())
    }

    /// Ends every connection whose stage is not among those that `stays` names.
    pub(crate) fn end_unless(&self, stays: impl Fn(&str) -> bool) {
        for connection in self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
        {
            if !stays(&connection.facts.stage) {
                connection.end(Ending::going_away());
            }
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}
