//! What handlers ask of the table of connections.
//!
//! One row per connection, found by its owner's name. Two devices of one person
//! are two rows, and whoever removes a connection removes exactly that one: a
//! late `$disconnect` cannot hurt a newer connection. A member of a room is one
//! row as well, in one of the room's [`Shard`]s.

use std::error::Error;

pub use chat_protocol::Index;

use crate::session::{ConnectionId, Name, Room, Session};
use crate::shard::Shard;

/// How long a row may outlive its connect, in seconds: API Gateway ends every connection after two hours, plus a quarter of an hour.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>.
pub const LIFETIME_SECONDS: u64 = 2 * 60 * 60 + 15 * 60;

/// A connection and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Who it belongs to.
    pub session: Session,
    /// The connection.
    pub connection: ConnectionId,
    /// When it was made, in seconds since the epoch.
    pub connected_at: u64,
}

impl Presence {
    /// When its rows stop counting, in seconds since the epoch.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.connected_at + LIFETIME_SECONDS
    }
}

/// One of the connections of somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// Where to post to.
    pub connection: ConnectionId,
    /// When it was made, in seconds since the epoch.
    pub connected_at: u64,
}

/// Some of the members of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Who has not expired; perhaps nobody, although more follow.
    pub members: Vec<Device>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<PageStart>,
}

/// Where a page of members begins: after this connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStart(pub ConnectionId);

/// How many rows a page of members is made of, at most: some 40 KB, whatever the size of the room.
///
/// The first pages of a room's four shards together show whether one function serves it
/// ([`INLINE_RECEIVERS`](crate::room::INLINE_RECEIVERS)), however unevenly chance has filled them.
pub const PAGE_ROWS: u16 = 320;

/// How fresh an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// May miss the last second or so; costs half.
    Eventual,
    /// Sees every write that was acknowledged before.
    Consistent,
}

/// The table could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempt} in table `{table}`{}", needed(*.denied))]
pub struct StoreError {
    /// What was attempted, in the infinitive.
    pub attempt: &'static str,
    /// The table's name.
    pub table: String,
    /// The action that the function's role lacks, if that is why.
    pub denied: Option<&'static str>,
    /// What the database, or the way to it, reported.
    pub source: Box<dyn Error + Send + Sync>,
}

fn needed(denied: Option<&str>) -> String {
    denied.map_or_else(String::new, |action| {
        format!(": the role needs {action} on it")
    })
}

/// The table of connections. Every write may be repeated without harm.
///
/// `now` is in seconds since the epoch. Rows whose time is up are invisible,
/// also while the database has not removed them yet: it takes its time
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>).
pub trait ConnectionStore {
    /// Makes `presence` findable by its owner's name. Nothing happens when it has no name.
    ///
    /// # Errors
    /// [`StoreError`]; nothing or everything was written then.
    fn remember(&self, presence: &Presence) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes the session of `presence` findable by its connection, for gateways that do not repeat it in their events.
    ///
    /// # Errors
    /// [`StoreError`]; nothing or everything was written then.
    fn remember_session(
        &self,
        presence: &Presence,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes `presence` a member of its room.
    ///
    /// # Errors
    /// [`StoreError`]; nothing or everything was written then.
    fn join(&self, presence: &Presence) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes one connection from `room`, and no other. Nothing happens when it is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    fn leave(
        &self,
        room: &Room,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The members of one shard of `room` that have not expired, up to [`PAGE_ROWS`] rows of them at a time. Always
    /// consistent: whoever has been let in hears what is said from then on.
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

    /// Removes one connection of `name`, and no other. Nothing happens when it is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    fn forget(
        &self,
        name: &Name,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes what [`remember_session`](Self::remember_session) wrote. Nothing happens when it is not there.
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

    /// What [`remember_session`](Self::remember_session) wrote about `connection`, unless it has expired. Always consistent.
    ///
    /// # Errors
    /// [`StoreError`]
    fn session_of(
        &self,
        connection: &ConnectionId,
        now: u64,
    ) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;
}
