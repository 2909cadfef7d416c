//! Posts one text to all devices of one person.

use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::log::{Log, reasons};
use crate::session::{ConnectionId, Name};
use crate::store::{ConnectionStore, Device, Read, StoreError};

/// How many posts are under way at once. Each one may need a TLS connection of its own.
const CONCURRENT_POSTS: usize = 8;

/// For how many seconds after a connect a 410 is no proof that the connection is over.
///
/// A row is written by `$connect`, and the connection exists only once that has
/// answered: in between, a post is answered with 410 as well, and forgetting the
/// row would make somebody unreachable who is just arriving.
pub const ARRIVAL_SECONDS: u64 = 5;

/// What became of the posts.
#[derive(Debug, Default)]
pub struct FanOut {
    /// How many were accepted.
    pub delivered: usize,
    /// The connections that are over, or have not begun.
    pub gone: Vec<ConnectionId>,
    /// The connections whose post failed, and why.
    pub refused: Vec<(ConnectionId, DeliveryError)>,
}

impl FanOut {
    /// Whether `connection` was posted to in vain.
    #[must_use]
    pub fn missed(&self, connection: &ConnectionId) -> bool {
        self.gone.contains(connection)
            || self
                .refused
                .iter()
                .any(|(refused, _)| refused == connection)
    }

    /// Adds what became of more posts.
    pub fn absorb(&mut self, more: Self) {
        self.delivered += more.delivered;
        self.gone.extend(more.gone);
        self.refused.extend(more.refused);
    }
}

/// Posts `text` to all `devices` of `owner`, a few at a time, and forgets those that are gone.
///
/// No receiver stops another: whatever becomes of one post, including the
/// removal of its row, is counted or logged and the others go on.
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
            forget(owner, &device.connection, store, log).await;
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
/// The first look at the table is the cheap one. Only when it reached nobody is
/// the table asked again, consistently, and whoever was not tried before is
/// tried then: a friend who has just connected, or reconnected, is found.
///
/// Needs `dynamodb:Query`, `dynamodb:DeleteItem` and `execute-api:ManageConnections` (`POST` only).
///
/// # Errors
/// [`StoreError`] when the devices could not be looked up.
pub async fn send_to_person<S: ConnectionStore, D: Delivery>(
    text: &str,
    friend: &Name,
    (store, delivery): (&S, &D),
    now: u64,
    log: &Log,
) -> Result<FanOut, StoreError> {
    let mut outcome = FanOut::default();
    for read in [Read::Eventual, Read::Consistent] {
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

async fn forget(owner: &Name, connection: &ConnectionId, store: &impl ConnectionStore, log: &Log) {
    let receiver = ("receiver", json!(connection.as_str()));
    match store.forget(owner, connection).await {
        Ok(()) => log.debug("gone connection forgotten", [receiver]),
        // The row expires by itself; until then each message tries it again.
        Err(error) => log.warn(
            "gone connection not forgotten",
            [receiver, ("reason", json!(reasons(&error)))],
        ),
    }
}
