//! A table of connections in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use super::lock;
use crate::session::{ConnectionId, Name, Session};
use crate::store::{ConnectionStore, Device, Presence, Read, StoreError};

type Rows = BTreeMap<(Name, ConnectionId), Presence>;

/// A table of connections in memory.
///
/// Expired rows stay until they are removed, and are invisible, as in
/// DynamoDB. Eventual reads are up to date, unless [`lag`](Self::lag) says
/// otherwise. A [`Call`] that is [broken](Self::break_down) fails and changes nothing.
#[derive(Debug, Default)]
pub struct MemoryStore {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    rows: Rows,
    sessions: BTreeMap<ConnectionId, Presence>,
    /// What eventual reads still see.
    stale: Option<Rows>,
    broken: HashSet<Call>,
}

/// The calls of [`ConnectionStore`], to order a fault in one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`ConnectionStore::remember`]
    Remember,
    /// [`ConnectionStore::remember_session`]
    RememberSession,
    /// [`ConnectionStore::forget`]
    Forget,
    /// [`ConnectionStore::forget_session`]
    ForgetSession,
    /// [`ConnectionStore::connections_of`]
    ConnectionsOf,
    /// [`ConnectionStore::session_of`]
    SessionOf,
}

impl MemoryStore {
    /// Lets every `call` fail from now on.
    pub fn break_down(&self, call: Call) {
        lock(&self.table).broken.insert(call);
    }

    /// Lets eventual reads see the rows of this moment from now on, whatever is written.
    pub fn lag(&self) {
        let mut table = lock(&self.table);
        table.stale = Some(table.rows.clone());
    }

    /// Every row that was remembered and not forgotten, expired or not.
    #[must_use]
    pub fn rows(&self) -> Vec<Presence> {
        lock(&self.table).rows.values().cloned().collect()
    }

    /// Every session that was remembered and not forgotten, expired or not.
    #[must_use]
    pub fn sessions(&self) -> Vec<Presence> {
        lock(&self.table).sessions.values().cloned().collect()
    }

    fn call<T>(&self, call: Call, work: impl FnOnce(&mut Table) -> T) -> Result<T, StoreError> {
        let mut table = lock(&self.table);
        if table.broken.contains(&call) {
            return Err(StoreError {
                attempt: "use a broken call",
                table: "memory".to_owned(),
                source: format!("{call:?} was told to fail").into(),
            });
        }
        Ok(work(&mut table))
    }
}

impl ConnectionStore for MemoryStore {
    async fn remember(&self, presence: &Presence) -> Result<(), StoreError> {
        let key = (presence.session.name.clone(), presence.connection.clone());
        self.call(Call::Remember, |table| {
            table.rows.insert(key, presence.clone());
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
                .filter(|row| row.session.name == *name && row.expires_at() > now)
                .map(|row| Device {
                    connection: row.connection.clone(),
                    connected_at: row.connected_at,
                })
                .collect()
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
