//! The trait through which handlers use the table of connections.
//!
//! There is one row per connection, found by its user's name. Two devices of one user are two rows, and removing a
//! connection removes exactly one of them, so a late `$disconnect` cannot hurt a newer connection. A member of a room
//! is also one row, in one of the room's [`Shard`]s.

use std::error::Error;

pub use chat_protocol::Index;

use crate::session::{ConnectionId, Name, Room, Session};
use crate::shard::Shard;

/// The lifetime of a row after its connect, in seconds: API Gateway ends every connection after two hours; a quarter of
/// an hour is added.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.
pub const LIFETIME_SECONDS: u64 = 2 * 60 * 60 + 15 * 60;

/// The lifetime of the count of one second's messages, in seconds: longer than any message is on its way.
pub const COUNT_LIFETIME_SECONDS: u64 = 5 * 60;

/// A connection with its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Its session.
    pub session: Session,
    /// The connection.
    pub connection: ConnectionId,
    /// The time of the connect, in seconds since the epoch.
    pub connected_at: u64,
}

impl Presence {
    /// The time when its rows expire, in seconds since the epoch.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.connected_at + LIFETIME_SECONDS
    }
}

/// One of a user's connections.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// The connection to post to.
    pub connection: ConnectionId,
    /// The time of the connect, in seconds since the epoch.
    pub connected_at: u64,
}

/// Some of the members of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The members that have not expired; may be empty although more follow.
    pub members: Vec<Device>,
    /// The start of the next page; `None` after the last one.
    pub next: Option<PageStart>,
}

/// A member of a room with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `None` if it connected without one.
    pub name: Option<Name>,
    /// Its connection.
    pub device: Device,
}

/// Some of the members of a shard, with their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// The members that have not expired; may be empty although more follow.
    pub members: Vec<Member>,
    /// The start of the next page; `None` after the last one.
    pub next: Option<PageStart>,
}

/// The start of a page of members: after this connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStart(pub ConnectionId);

/// The most rows in a page of members: some 40 KB, whatever the size of the room.
///
/// The first pages of a room's four shards together show whether one function serves it
/// ([`INLINE_RECEIVERS`](crate::room::INLINE_RECEIVERS)), however unevenly they are filled.
pub const PAGE_ROWS: u16 = 320;

/// The consistency of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// May miss writes of the last second or so; costs half.
    Eventual,
    /// Includes every acknowledged write.
    Consistent,
}

/// The table could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempt} in table `{table}`{}", needed(*.denied))]
pub struct StoreError {
    /// The attempted action, in the infinitive.
    pub attempt: &'static str,
    /// The table's name.
    pub table: String,
    /// The permission that the function's role lacks, if that is the reason.
    pub denied: Option<&'static str>,
    /// The cause that the database or the connection to it reported.
    pub source: Box<dyn Error + Send + Sync>,
}

fn needed(denied: Option<&str>) -> String {
    denied.map_or_else(String::new, |action| {
        format!(": the role needs {action} on it")
    })
}

/// The table of connections. A write whose response was lost is sent again: rows are then written or removed as by one, but
/// a message may [count](Self::count_message) twice.
///
/// `now` is in seconds since the epoch. Expired rows are invisible, even before the database removes them, which takes
/// time (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>).
pub trait ConnectionStore {
    /// Makes `presence` findable by its user's name. Does nothing if it has no name.
    ///
    /// # Errors
    /// [`StoreError`]; then either nothing or everything was written.
    fn remember(&self, presence: &Presence) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes the session of `presence` findable by its connection, for gateways whose events do not repeat it.
    ///
    /// # Errors
    /// [`StoreError`]; then either nothing or everything was written.
    fn remember_session(
        &self,
        presence: &Presence,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes `presence` a member of its room.
    ///
    /// # Errors
    /// [`StoreError`]; then either nothing or everything was written.
    fn join(&self, presence: &Presence) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes one connection from `room`, and no other. A missing one is no error.
    ///
    /// # Errors
    /// [`StoreError`]
    fn leave(
        &self,
        room: &Room,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The members of one shard of `room` with their names, in pages as of [`members`](Self::members).
    ///
    /// # Errors
    /// [`StoreError`]
    fn people(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> impl Future<Output = Result<People, StoreError>> + Send;

    /// The members of one shard of `room` that have not expired, up to [`PAGE_ROWS`] rows at a time. Always consistent,
    /// so that a member receives every message sent after its `$connect` returned.
    ///
    /// # Errors
    /// [`StoreError`]
    fn members(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Removes one connection of `name`, and no other. A missing one is no error.
    ///
    /// # Errors
    /// [`StoreError`]
    fn forget(
        &self,
        name: &Name,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes the record of [`remember_session`](Self::remember_session). A missing one is no error.
    ///
    /// # Errors
    /// [`StoreError`]
    fn forget_session(
        &self,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All connections of `name` that have not expired, in no particular order.
    ///
    /// # Errors
    /// [`StoreError`]
    fn connections_of(
        &self,
        name: &Name,
        now: u64,
        read: Read,
    ) -> impl Future<Output = Result<Vec<Device>, StoreError>> + Send;

    /// When the operator's ban on `name` ends, in seconds since the epoch; `None` without one. Always consistent, so that a
    /// name stays out from the moment in which it was banned.
    ///
    /// # Errors
    /// [`StoreError`]
    fn ban_of(
        &self,
        name: &Name,
        now: u64,
    ) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send;

    /// Counts a message of `connection` in the second `second`, unless `most` were counted in it; `false` if they were.
    ///
    /// Messages that arrive at several functions at the same time are all counted, and never more than `most`. One may count
    /// twice where a response was lost, so that a client is refused one message too early.
    ///
    /// # Errors
    /// [`StoreError`]; the message may still have been counted.
    fn count_message(
        &self,
        connection: &ConnectionId,
        second: u64,
        most: u32,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The session that [`remember_session`](Self::remember_session) recorded for `connection`, unless it has expired.
    /// Always consistent.
    ///
    /// # Errors
    /// [`StoreError`]
    fn session_of(
        &self,
        connection: &ConnectionId,
        now: u64,
    ) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;
}
