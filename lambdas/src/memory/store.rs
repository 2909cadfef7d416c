//! A table of connections in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use super::call::Call;
use super::interruption::Interruption;
use super::kept::StoredEntry;
use super::lock;
use super::record::Records;
use crate::history::Ulid;
use crate::session::{ConnectionId, Name, Room, Session};
use crate::shard::Shard;
use crate::store::{
    ConnectionStore, Device, Member, PAGE_ROWS, Page, PageStart, People, Presence, Read, StoreError,
};

type Members = BTreeMap<(Room, Shard, ConnectionId), Presence>;
type Rows = BTreeMap<(Name, ConnectionId), Presence>;

/// A table of connections in memory.
///
/// Expired rows stay until they are removed, and are invisible, as in DynamoDB. Eventual reads are up to date, unless
/// [`lag`](Self::lag) is called. A [`Call`] that is [broken](Self::break_down) fails and changes nothing.
#[derive(Debug, Default)]
pub struct MemoryStore {
    table: Mutex<Table>,
    pub(super) records: Records,
    /// The most time that a call about a room takes, before and after it has its effect.
    pub(super) slowness: Mutex<Duration>,
    interruption: Interruption<Self>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Rows,
    members: Members,
    /// The number of pages of members that were read.
    pages: usize,
    sessions: BTreeMap<ConnectionId, Presence>,
    /// When the bans end, by name.
    bans: BTreeMap<Name, u64>,
    /// The number of messages that were counted, by connection and second.
    sent: BTreeMap<(ConnectionId, u64), u32>,
    /// The messages that are kept, by the partition of their conversation and their id.
    pub(super) kept: BTreeMap<(String, Ulid), StoredEntry>,
    /// The rows that eventual reads still see.
    stale: Option<Rows>,
    broken: HashSet<Call>,
}

impl MemoryStore {
    /// Bans `name` until then, in seconds since the epoch, as the operator does.
    pub fn ban(&self, name: Name, until: u64) {
        lock(&self.table).bans.insert(name, until);
    }

    /// Lets every `call` fail from now on.
    pub fn break_down(&self, call: Call) {
        lock(&self.table).broken.insert(call);
    }

    /// Does `work` after `calls` further calls, before the one that follows. The calls in `work` count for nothing.
    pub fn interrupt_after(&self, calls: usize, work: impl FnOnce(&Self) + Send + 'static) {
        self.interruption.set(calls, work);
    }

    /// Whether the work of [`interrupt_after`](Self::interrupt_after) is still to be done.
    #[must_use]
    pub fn is_to_be_interrupted(&self) -> bool {
        self.interruption.is_waiting()
    }

    /// Freezes the rows that eventual reads see, whatever is written later.
    pub fn lag(&self) {
        let mut table = lock(&self.table);
        table.stale = Some(table.rows.clone());
    }

    /// Every row that was remembered and not forgotten, expired or not.
    #[must_use]
    pub fn rows(&self) -> Vec<Presence> {
        lock(&self.table).rows.values().cloned().collect()
    }

    /// Every connection that joined a room and did not leave it, expired or not.
    #[must_use]
    pub fn members(&self) -> Vec<Presence> {
        lock(&self.table).members.values().cloned().collect()
    }

    /// The number of pages of members that were read so far.
    #[must_use]
    pub fn pages_read(&self) -> usize {
        lock(&self.table).pages
    }

    /// Every session that was remembered and not forgotten, expired or not.
    #[must_use]
    pub fn sessions(&self) -> Vec<Presence> {
        lock(&self.table).sessions.values().cloned().collect()
    }

    /// Whether `call` works.
    pub(super) fn check(&self, call: Call) -> Result<(), StoreError> {
        self.call(call, |_| ())
    }

    /// Removes a member of a room and returns it.
    pub(super) fn take_member(
        &self,
        room: &Room,
        connection: &ConnectionId,
    ) -> Result<Option<Presence>, StoreError> {
        self.call(Call::Leave, |table| {
            table.members.remove(&member_key(room, connection))
        })
    }

    pub(super) fn call<T>(
        &self,
        call: Call,
        work: impl FnOnce(&mut Table) -> T,
    ) -> Result<T, StoreError> {
        if let Some(work) = self.interruption.count() {
            work(self);
        }
        let mut table = lock(&self.table);
        if table.broken.contains(&call) {
            return Err(StoreError {
                attempt: "use a broken call",
                table: "memory".to_owned(),
                denied: None,
                source: format!("{call:?} is set to fail").into(),
            });
        }
        Ok(work(&mut table))
    }
}

impl ConnectionStore for MemoryStore {
    async fn remember(&self, presence: &Presence) -> Result<(), StoreError> {
        let name = presence.session.name.clone();
        self.call(Call::Remember, |table| {
            if let Some(name) = name {
                let key = (name, presence.connection.clone());
                table.rows.insert(key, presence.clone());
            }
        })
    }

    async fn join(&self, presence: &Presence) -> Result<(), StoreError> {
        let key = member_key(&presence.session.room, &presence.connection);
        self.pause().await;
        self.call(Call::Join, |table| {
            table.members.insert(key, presence.clone());
        })?;
        self.pause().await;
        Ok(())
    }

    async fn leave(&self, room: &Room, connection: &ConnectionId) -> Result<(), StoreError> {
        self.take_member(room, connection).map(|_| ())
    }

    async fn members(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> Result<Page, StoreError> {
        let page = self.people(room, shard, now, start).await?;
        let members = page.members.into_iter();
        Ok(Page {
            members: members.map(|member| member.device).collect(),
            next: page.next,
        })
    }

    async fn people(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> Result<People, StoreError> {
        self.pause().await;
        self.call(Call::Members, |table| {
            table.pages += 1;
            let is_after = |connection: &ConnectionId| {
                start.as_ref().is_none_or(|PageStart(it)| connection > it)
            };
            let mut rows = table
                .members
                .iter()
                .filter(|((of, within, connection), _)| {
                    of == room && *within == shard && is_after(connection)
                })
                .map(|(_, row)| row);
            // A page is full before it is known whether it was the last one, as in DynamoDB.
            let page: Vec<_> = rows.by_ref().take(PAGE_ROWS.into()).collect();
            let is_full = page.len() == usize::from(PAGE_ROWS);
            People {
                next: page
                    .last()
                    .filter(|_| is_full)
                    .map(|row| PageStart(row.connection.clone())),
                members: page
                    .into_iter()
                    .filter(|row| row.expires_at() > now)
                    .map(|row| Member {
                        name: row.session.name.clone(),
                        device: device(row),
                    })
                    .collect(),
            }
        })
    }

    async fn remember_session(&self, presence: &Presence) -> Result<(), StoreError> {
        self.call(Call::RememberSession, |table| {
            let key = presence.connection.clone();
            table.sessions.insert(key, presence.clone());
        })
    }

    async fn forget(&self, name: &Name, connection: &ConnectionId) -> Result<(), StoreError> {
        self.call(Call::Forget, |table| {
            table.rows.remove(&(name.clone(), connection.clone()));
        })
    }

    async fn forget_session(&self, connection: &ConnectionId) -> Result<(), StoreError> {
        self.call(Call::ForgetSession, |table| {
            table.sessions.remove(connection);
        })
    }

    async fn connections_of(
        &self,
        name: &Name,
        now: u64,
        read: Read,
    ) -> Result<Vec<Device>, StoreError> {
        self.call(Call::ConnectionsOf, |table| {
            let rows = match (read, &table.stale) {
                (Read::Eventual, Some(stale)) => stale,
                _ => &table.rows,
            };
            rows.values()
                .filter(|row| row.session.name.as_ref() == Some(name) && row.expires_at() > now)
                .map(device)
                .collect()
        })
    }

    async fn ban_of(&self, name: &Name, now: u64) -> Result<Option<u64>, StoreError> {
        self.call(Call::BanOf, |table| {
            let until = table.bans.get(name).copied();
            until.filter(|until| *until > now)
        })
    }

    async fn count_message(
        &self,
        connection: &ConnectionId,
        second: u64,
        most: u32,
    ) -> Result<bool, StoreError> {
        self.call(Call::CountMessage, |table| {
            let sent = table.sent.entry((connection.clone(), second)).or_default();
            let is_within = *sent < most;
            *sent += u32::from(is_within);
            is_within
        })
    }

    async fn session_of(
        &self,
        connection: &ConnectionId,
        now: u64,
    ) -> Result<Option<Session>, StoreError> {
        self.call(Call::SessionOf, |table| {
            let presence = table.sessions.get(connection);
            presence
                .filter(|presence| presence.expires_at() > now)
                .map(|presence| presence.session.clone())
        })
    }
}

fn member_key(room: &Room, connection: &ConnectionId) -> (Room, Shard, ConnectionId) {
    (
        room.clone(),
        Shard::for_connection(connection),
        connection.clone(),
    )
}

fn device(row: &Presence) -> Device {
    Device {
        connection: row.connection.clone(),
        connected_at: row.connected_at,
    }
}
