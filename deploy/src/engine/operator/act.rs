//! What the operator does to connections.

use std::collections::BTreeSet;
use std::time::Duration;

use chat_protocol::{Index, table};
use futures_util::{StreamExt, stream};

use super::{
    AT_ONCE, ConnectionFilter, ConnectionTable, Connections, Key, RecordedConnection, find,
};
use crate::config::names::PersonName;
use crate::engine::{ErrorKind, TargetError, limits};

/// What became of a message.
#[derive(Debug, Default)]
pub struct Sent {
    /// How many connections accepted it. One of them may still close before its client reads it.
    pub accepted: usize,
    /// How many were on record but have ended.
    pub ended: usize,
    /// How many did not get it for another reason.
    pub failed: usize,
    /// The first such reason.
    pub failure: Option<TargetError>,
}

/// Sends `text` to each of `found`.
///
/// # Errors
/// The identity lacks the permission. Other failures are counted, because the other connections may still be reached.
pub async fn send(
    gateway: &impl Connections,
    found: &[RecordedConnection],
    text: &str,
) -> Result<Sent, TargetError> {
    let posts = found.iter().map(|one| gateway.post(&one.connection, text));
    let mut posts = stream::iter(posts).buffer_unordered(AT_ONCE);
    let mut sent = Sent::default();
    while let Some(post) = posts.next().await {
        match post {
            Ok(true) => sent.accepted += 1,
            Ok(false) => sent.ended += 1,
            Err(error) if error.kind == ErrorKind::Denied => {
                let so_far = || format!("{} connections accepted it", sent.accepted);
                return Err(error.after(so_far));
            }
            Err(error) => {
                sent.failed += 1;
                sent.failure = sent.failure.or(Some(error));
            }
        }
    }
    Ok(sent)
}

/// Keeps `name` out until then, in seconds since the Unix epoch. Its open connections stay until they are closed.
///
/// # Errors
/// The table cannot be written.
pub async fn ban(
    target: &impl ConnectionTable,
    name: &PersonName,
    until: u64,
) -> Result<(), TargetError> {
    target.put(&ban_key(name), until).await
}

/// Lifts the ban on `name`, if there is one.
///
/// # Errors
/// The table cannot be written.
pub async fn unban(target: &impl ConnectionTable, name: &PersonName) -> Result<(), TargetError> {
    target.remove(&ban_key(name)).await
}

fn ban_key(name: &PersonName) -> Key {
    Key {
        partition: table::ban(name.as_ref()),
        sort: table::ALONE.to_owned(),
    }
}

/// What became of the connections that were to be closed, by id.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kicked {
    /// They were open.
    pub closed: BTreeSet<String>,
    /// They were on record, but had ended before.
    pub ended: BTreeSet<String>,
}

/// In this time after its begin a connection may still be in its handshake: on record, but not open yet. A little more
/// than the functions of a handshake may take.
const HANDSHAKE_SECONDS: u64 = 30;

/// The pause before connections are looked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// The most looks for connections that were about to open.
const MAX_LOOKS: u32 = 10;

/// Closes the connections that `filter` selects, and removes their items. With `is_banned`, the name was banned before, and
/// connections are looked for until none is left whose handshake had begun before the ban. `now` tells the time in seconds
/// since the Unix epoch.
///
/// # Errors
/// The table or the gateway refuses or does not respond; the error says how many were closed until then.
pub async fn kick(
    target: (&impl ConnectionTable, &impl Connections),
    index: Index,
    filter: &ConnectionFilter,
    is_banned: bool,
    now: impl Fn() -> u64,
) -> Result<Kicked, TargetError> {
    let mut kicked = Kicked::default();
    for look in 1..=MAX_LOOKS {
        let before = kicked.closed.len();
        let is_settled = close_all(target, (index, filter), &mut kicked, now())
            .await
            .map_err(|error| error.after(|| so_far(kicked.closed.len())))?;
        let is_quiet = is_settled && kicked.closed.len() == before;
        // A handshake that was under way has not always written its item by the first look.
        if !is_banned || (is_quiet && look > 1) {
            break;
        }
        tokio::time::sleep(limits::scaled(PAUSE)).await;
    }
    let Kicked { closed, ended } = &mut kicked;
    ended.retain(|connection| !closed.contains(connection));
    Ok(kicked)
}

fn so_far(closed: usize) -> String {
    match closed {
        1 => "one connection was closed".to_owned(),
        many => format!("{many} connections were closed"),
    }
}

/// One look; `false` if a connection on record may still be about to open.
async fn close_all(
    (source, gateway): (&impl ConnectionTable, &impl Connections),
    (index, filter): (Index, &ConnectionFilter),
    kicked: &mut Kicked,
    now: u64,
) -> Result<bool, TargetError> {
    let (mut found, _) = find(source, index, filter, now, usize::MAX).await?;
    // An open connection may have lost its item.
    if let (ConnectionFilter::Connection(connection), true) = (filter, found.is_empty()) {
        let connection = connection.clone();
        found.push(RecordedConnection {
            connection,
            ..RecordedConnection::default()
        });
    }
    let closing = found.iter().map(async |one| {
        let was_open = gateway.close(&one.connection).await?;
        let may_open = !was_open && one.connected_at + HANDSHAKE_SECONDS > now;
        // The item of one that is about to open stays, so that the connection can be found.
        if !may_open {
            for key in one.keys(index) {
                source.remove(&key).await?;
            }
        }
        Ok::<_, TargetError>((&one.connection, was_open, may_open))
    });
    let mut closing = stream::iter(closing).buffer_unordered(AT_ONCE);
    let mut is_settled = true;
    while let Some(outcome) = closing.next().await {
        let (connection, was_open, may_open) = outcome?;
        let which = match was_open {
            true => &mut kicked.closed,
            false => &mut kicked.ended,
        };
        which.insert(connection.clone());
        is_settled &= !may_open;
    }
    Ok(is_settled)
}
