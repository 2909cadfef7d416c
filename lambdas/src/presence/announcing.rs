//! A table of connections that has changes of rooms announced.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::json;

use super::{AnnouncementStore, Announcer};
use crate::dispatch::DispatchError;
use crate::log::{Log, reasons};
use crate::session::{ConnectionId, Name, Room, Session};
use crate::shard::Shard;
use crate::store::{ConnectionStore, Device, Page, PageStart, People, Presence, Read, StoreError};

/// A clock, in seconds since the epoch.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// A clock that `now` reads.
    pub fn new(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Clock").finish_non_exhaustive()
    }
}

/// A store that opens the turn of a room whenever a member with a name enters or leaves it, and invokes the announcer if it
/// was the first to do so. Handlers use it as any other store.
///
/// Without an announcer it is the store alone, and no call costs more. A change whose turn cannot be opened is logged, and
/// counts as done: the next announcement in the room includes it.
#[derive(Debug, Clone)]
pub struct Announcing<P, A> {
    pub(super) store: P,
    announcer: Option<A>,
    clock: Clock,
    log: Log,
}

impl<P, A> Announcing<P, A> {
    /// Announces the changes in `store` by `announcer`.
    pub const fn new(store: P, announcer: Option<A>, clock: Clock, log: Log) -> Self {
        Self {
            store,
            announcer,
            clock,
            log,
        }
    }
}

impl<P, A> Announcing<P, A>
where
    P: Deref + Sync,
    P::Target: AnnouncementStore + Sync,
    A: Announcer + Sync,
{
    /// Has a change of `room` announced, which is written already.
    async fn changed(&self, room: &Room) {
        let Some(announcer) = &self.announcer else {
            return;
        };
        let failed = |message, reason: String| {
            self.log.error(message, [("reason", json!(reason))]);
        };
        match self.store.open_turn(room, self.clock.now()).await {
            // An announcer will read the room, and this change in it.
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => return failed("change not announced", reasons(&error)),
        }
        let Err(error) = announcer.summon(room).await else {
            return;
        };
        failed("announcer not invoked", reasons(&error));
        // If it may have been invoked, the turn is its own to end. It is over after a while in any case.
        if let DispatchError::Refused { .. } = error
            && let Err(error) = self.store.close_turn(room).await
        {
            failed("turn not closed", reasons(&error));
        }
    }
}

impl<P, A> ConnectionStore for Announcing<P, A>
where
    P: Deref + Sync,
    P::Target: ConnectionStore + AnnouncementStore + Sync,
    A: Announcer + Sync,
{
    async fn remember(&self, presence: &Presence) -> Result<(), StoreError> {
        self.store.remember(presence).await
    }

    async fn remember_session(&self, presence: &Presence) -> Result<(), StoreError> {
        self.store.remember_session(presence).await
    }

    async fn join(&self, presence: &Presence) -> Result<(), StoreError> {
        self.store.join(presence).await?;
        let Session { name, room, .. } = &presence.session;
        if name.is_some() {
            self.changed(room).await;
        }
        Ok(())
    }

    async fn leave(&self, room: &Room, connection: &ConnectionId) -> Result<(), StoreError> {
        if self.announcer.is_none() {
            return self.store.leave(room, connection).await;
        }
        if self.store.take_out(room, connection).await? {
            self.changed(room).await;
        }
        Ok(())
    }

    async fn people(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> Result<People, StoreError> {
        self.store.people(room, shard, now, start).await
    }

    async fn members(
        &self,
        room: &Room,
        shard: Shard,
        now: u64,
        start: Option<PageStart>,
    ) -> Result<Page, StoreError> {
        self.store.members(room, shard, now, start).await
    }

    async fn forget(&self, name: &Name, connection: &ConnectionId) -> Result<(), StoreError> {
        self.store.forget(name, connection).await
    }

    async fn forget_session(&self, connection: &ConnectionId) -> Result<(), StoreError> {
        self.store.forget_session(connection).await
    }

    async fn connections_of(
        &self,
        name: &Name,
        now: u64,
        read: Read,
    ) -> Result<Vec<Device>, StoreError> {
        self.store.connections_of(name, now, read).await
    }

    async fn ban_of(&self, name: &Name, now: u64) -> Result<Option<u64>, StoreError> {
        self.store.ban_of(name, now).await
    }

    async fn count_message(
        &self,
        connection: &ConnectionId,
        second: u64,
        most: u32,
    ) -> Result<bool, StoreError> {
        self.store.count_message(connection, second, most).await
    }

    async fn session_of(
        &self,
        connection: &ConnectionId,
        now: u64,
    ) -> Result<Option<Session>, StoreError> {
        self.store.session_of(connection, now).await
    }
}
