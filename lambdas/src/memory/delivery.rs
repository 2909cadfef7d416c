//! Clients in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use tokio::sync::watch;

use super::lock;
use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::session::ConnectionId;

/// Open connections in memory, and the messages posted to each.
///
/// A connection that was never [opened](Self::open), or was [closed](Self::close), is gone. Posts are accepted in the
/// order in which they are made, unless the connection [refuses](Self::refuse) them or [holds](Self::hold) them back.
#[derive(Debug)]
pub struct MemoryDelivery {
    connections: Mutex<HashMap<ConnectionId, Inbox>>,
    /// The number of posts that are held back.
    held: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Inbox {
    frames: VecDeque<String>,
    refusal: Option<fn() -> DeliveryError>,
    /// The number of further posts that are refused.
    refusals: usize,
    holds: bool,
}

impl Default for MemoryDelivery {
    fn default() -> Self {
        Self {
            connections: Mutex::default(),
            held: watch::Sender::new(0),
            released: watch::Sender::new(false),
        }
    }
}

impl MemoryDelivery {
    /// Opens `connection`, with nothing posted to it yet.
    pub fn open(&self, connection: &ConnectionId) {
        self.set(connection, Inbox::default());
    }

    /// Closes `connection`; the messages posted to it are lost.
    pub fn close(&self, connection: &ConnectionId) {
        lock(&self.connections).remove(connection);
    }

    /// Opens `connection` and lets every post to it, and its end, fail.
    pub fn refuse(&self, connection: &ConnectionId, refusal: fn() -> DeliveryError) {
        self.refuse_times(connection, usize::MAX, refusal);
    }

    /// Opens `connection` and lets the first `times` posts to it, or its end, fail.
    pub fn refuse_times(
        &self,
        connection: &ConnectionId,
        times: usize,
        refusal: fn() -> DeliveryError,
    ) {
        self.set(
            connection,
            Inbox {
                refusal: Some(refusal),
                refusals: times,
                ..Inbox::default()
            },
        );
    }

    /// Opens `connection` and lets every post to it wait for [`release`](Self::release).
    pub fn hold(&self, connection: &ConnectionId) {
        self.set(
            connection,
            Inbox {
                holds: true,
                ..Inbox::default()
            },
        );
    }

    /// Releases all posts that are held back, now and in future.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Waits until at least `count` posts are held back at the same time.
    pub async fn wait_for_held(&self, count: usize) {
        let mut held = self.held.subscribe();
        held.wait_for(|held| *held >= count)
            .await
            .expect("the sender lives as long as this fake");
    }

    /// The number of posts that are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        *self.held.borrow()
    }

    /// Takes the first message posted to `connection` that was not taken yet.
    pub fn take(&self, connection: &ConnectionId) -> Option<String> {
        lock(&self.connections)
            .get_mut(connection)?
            .frames
            .pop_front()
    }

    fn set(&self, connection: &ConnectionId, inbox: Inbox) {
        lock(&self.connections).insert(connection.clone(), inbox);
    }

    async fn hold_back(&self) {
        self.held.send_modify(|held| *held += 1);
        let mut released = self.released.subscribe();
        released
            .wait_for(|released| *released)
            .await
            .expect("the sender lives as long as this fake");
        self.held.send_modify(|held| *held -= 1);
    }
}

impl Delivery for MemoryDelivery {
    async fn post(&self, connection: &ConnectionId, text: &str) -> Result<Posted, DeliveryError> {
        let holds = lock(&self.connections)
            .get(connection)
            .is_some_and(|inbox| inbox.holds);
        if holds {
            self.hold_back().await;
        }
        match lock(&self.connections).get_mut(connection) {
            None => Ok(Posted::Gone),
            Some(Inbox {
                refusal: Some(refusal),
                refusals: left @ 1..,
                ..
            }) => {
                *left -= 1;
                Err(refusal())
            }
            Some(inbox) => {
                inbox.frames.push_back(text.to_owned());
                Ok(Posted::Delivered)
            }
        }
    }

    async fn end(&self, connection: &ConnectionId) -> Result<Posted, DeliveryError> {
        let mut connections = lock(&self.connections);
        match connections.get_mut(connection) {
            None => Ok(Posted::Gone),
            Some(Inbox {
                refusal: Some(refusal),
                refusals: left @ 1..,
                ..
            }) => {
                *left -= 1;
                Err(refusal())
            }
            Some(_) => {
                connections.remove(connection);
                Ok(Posted::Delivered)
            }
        }
    }
}
