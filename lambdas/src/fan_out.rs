//! Posts one message to all devices of a user.

use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::log::{Log, reasons};
use crate::session::{ConnectionId, Name};
use crate::store::{ConnectionStore, Device, Read, StoreError};

/// The most concurrent posts. Each one may need a TLS connection of its own.
const CONCURRENT_POSTS: usize = 8;

/// The time in seconds after a connect during which a 410 does not prove that the connection is over.
///
/// `$connect` writes the row, but the connection only exists after `$connect` has responded. In between, a post also
/// gets 410, and forgetting the row would make a client unreachable that is just connecting.
pub const ARRIVAL_SECONDS: u64 = 5;

/// The outcome of several posts.
#[derive(Debug, Default)]
pub struct FanOut {
    /// The number of accepted posts.
    pub delivered: usize,
    /// The connections that are over, or have not begun.
    pub gone: Vec<ConnectionId>,
    /// The connections whose post failed, with the reason.
    pub refused: Vec<(ConnectionId, DeliveryError)>,
}

impl FanOut {
    /// Whether a post to `connection` failed.
    #[must_use]
    pub fn missed(&self, connection: &ConnectionId) -> bool {
        self.gone.contains(connection)
            || self
                .refused
                .iter()
                .any(|(refused, _)| refused == connection)
    }

    /// Adds the outcome of further posts.
    pub fn absorb(&mut self, more: Self) {
        self.delivered += more.delivered;
        self.gone.extend(more.gone);
        self.refused.extend(more.refused);
    }
}

/// Posts `text` to all `devices` of `owner`, a few at a time, and forgets those that are gone.
///
/// A failure does not stop the other posts: it is counted or logged, and so is a failure to remove a row.
pub async fn fan_out(
    text: &str,
    owner: &Name,
    devices: Vec<Device>,
    now: u64,
    (store, delivery): (&impl ConnectionStore, &impl Delivery),
    log: &Log,
) -> FanOut {
    let posts = devices.into_iter().map(|device| async move {
        let posted = delivery.post(&device.connection, text).await;
        if matches!(posted, Ok(Posted::Gone)) && has_arrived(&device, now) {
            let removed = store.forget(owner, &device.connection).await;
            log_removal(removed, &device.connection, log);
        }
        (device.connection, posted)
    });
    let outcomes = stream::iter(posts)
        .buffer_unordered(CONCURRENT_POSTS)
        .collect::<Vec<_>>()
        .await;

    let mut fan_out = FanOut::default();
    for (connection, outcome) in outcomes {
        match outcome {
            Ok(Posted::Delivered) => fan_out.delivered += 1,
            Ok(Posted::Gone) => fan_out.gone.push(connection),
            Err(error) => {
                let fields = [
                    ("receiver", json!(connection.as_str())),
                    ("reason", json!(reasons(&error))),
                ];
                log.warn("post refused", fields);
                fan_out.refused.push((connection, error));
            }
        }
    }
    fan_out
}

/// Posts `text` to every device of `friend`.
///
/// The first query is the cheap one. Only if it reached no device, a consistent query follows, and new devices get the
/// message then. So a friend who has just connected, or reconnected, is found.
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem` and `execute-api:ManageConnections` (`POST` only).
///
/// # Errors
/// [`StoreError`] if the devices could not be looked up.
pub async fn send_to_person<S: ConnectionStore, D: Delivery>(
    text: &str,
    friend: &Name,
    (store, delivery): (&S, &D),
    now: u64,
    log: &Log,
) -> Result<FanOut, StoreError> {
    let reads = &[Read::Eventual, Read::Consistent];
    send_by(reads, text, friend, (store, delivery), now, log).await
}

/// Posts `text`, which is kept, to every device of `friend`.
///
/// The query is consistent at once: a device that it does not find was recorded after the message was written, and finds the
/// message. An eventual query could miss one device and reach another one.
///
/// Needs the same as [`send_to_person`].
///
/// # Errors
/// [`StoreError`] if the devices could not be looked up.
pub async fn send_kept_to_person<S: ConnectionStore, D: Delivery>(
    text: &str,
    friend: &Name,
    services: (&S, &D),
    now: u64,
    log: &Log,
) -> Result<FanOut, StoreError> {
    send_by(&[Read::Consistent], text, friend, services, now, log).await
}

/// Posts `text` to the devices that each of `reads` finds, until one of them has got it.
async fn send_by<S: ConnectionStore, D: Delivery>(
    reads: &[Read],
    text: &str,
    friend: &Name,
    (store, delivery): (&S, &D),
    now: u64,
    log: &Log,
) -> Result<FanOut, StoreError> {
    let mut outcome = FanOut::default();
    for read in reads.iter().copied() {
        let mut devices = store.connections_of(friend, now, read).await?;
        devices.retain(|device| !outcome.missed(&device.connection));
        let posts = fan_out(text, friend, devices, now, (store, delivery), log).await;
        outcome.absorb(posts);
        if outcome.delivered > 0 {
            break;
        }
    }
    Ok(outcome)
}

pub(crate) const fn has_arrived(device: &Device, now: u64) -> bool {
    now.saturating_sub(device.connected_at) >= ARRIVAL_SECONDS
}

/// Logs whether the row of a connection that is gone was removed.
pub(crate) fn log_removal(removed: Result<(), StoreError>, connection: &ConnectionId, log: &Log) {
    let receiver = ("receiver", json!(connection.as_str()));
    match removed {
        Ok(()) => log.debug("gone connection forgotten", [receiver]),
        // The row expires by itself; until then each message tries it again.
        Err(error) => log.warn(
            "gone connection not forgotten",
            [receiver, ("reason", json!(reasons(&error)))],
        ),
    }
}
