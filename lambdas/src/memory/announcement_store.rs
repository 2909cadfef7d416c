//! What is on record about announcements, and the announcer, in memory.

use std::sync::Mutex;
use std::time::Duration;

use super::call::Call;
use super::lock;
use super::record::Record;
use super::store::MemoryStore;
use crate::dispatch::DispatchError;
use crate::presence::{
    ANNOUNCED_LIFETIME_SECONDS, AnnounceEvent, Announced, AnnouncementStore, Announcer, Names,
    TURN_SECONDS,
};
use crate::session::{ConnectionId, Room};
use crate::store::StoreError;

impl MemoryStore {
    /// Lets each call that is about a room take a random time up to `most`, before and after it has its effect.
    pub fn dawdle(&self, most: Duration) {
        *lock(&self.slowness) = most;
    }

    pub(super) async fn pause(&self) {
        let most = *lock(&self.slowness);
        if !most.is_zero() {
            tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
        }
    }

    async fn with_record<T>(
        &self,
        room: &Room,
        work: impl FnOnce(&mut Record) -> T + Send,
    ) -> Result<T, StoreError> {
        self.pause().await;
        self.check(Call::AnnouncementStore)?;
        let done = work(lock(&self.records).entry(room.clone()).or_default());
        self.pause().await;
        Ok(done)
    }
}

impl AnnouncementStore for MemoryStore {
    async fn open_turn(&self, room: &Room, now: u64) -> Result<bool, StoreError> {
        self.with_record(room, |record| {
            let is_mine = record.pending_until <= now;
            if is_mine {
                record.pending_until = now + TURN_SECONDS;
            }
            is_mine
        })
        .await
    }

    async fn close_turn(&self, room: &Room) -> Result<(), StoreError> {
        self.with_record(room, |record| record.pending_until = 0)
            .await
    }

    async fn take_turn(
        &self,
        room: &Room,
        holder: &str,
        now: u64,
        until: u64,
    ) -> Result<bool, StoreError> {
        self.with_record(room, |record| {
            let is_mine = record.held_until <= now || record.held_by == holder;
            if is_mine {
                record.held_until = until;
                holder.clone_into(&mut record.held_by);
                record.pending_until = 0;
            }
            is_mine
        })
        .await
    }

    async fn let_go(&self, room: &Room, holder: &str) -> Result<(), StoreError> {
        self.with_record(room, |record| {
            if record.held_by == holder {
                record.held_until = 0;
            }
        })
        .await
    }

    async fn announced(&self, room: &Room, now: u64) -> Result<Announced, StoreError> {
        self.with_record(room, |record| {
            let announced = Some(&record.announced).filter(|it| it.expires_at > now);
            announced.cloned().unwrap_or_default()
        })
        .await
    }

    async fn save_announced(&self, room: &Room, names: &Names, now: u64) -> Result<(), StoreError> {
        self.with_record(room, |record| {
            record.announced = Announced {
                names: names.clone(),
                expires_at: now + ANNOUNCED_LIFETIME_SECONDS,
            };
        })
        .await
    }

    async fn take_out(&self, room: &Room, connection: &ConnectionId) -> Result<bool, StoreError> {
        self.pause().await;
        let member = self.take_member(room, connection)?;
        self.pause().await;
        Ok(member.is_some_and(|member| member.session.name.is_some()))
    }
}

/// Keeps the summonses, as payloads, until a test [takes](Self::take) them.
#[derive(Debug, Default)]
pub struct MemoryAnnouncer {
    kept: Mutex<Vec<Vec<u8>>>,
    refusal: Mutex<Option<fn() -> DispatchError>>,
}

impl MemoryAnnouncer {
    /// Lets every summons fail from now on, or with `None` no more.
    pub fn refuse(&self, refusal: Option<fn() -> DispatchError>) {
        *lock(&self.refusal) = refusal;
    }

    /// Takes the summonses that were not taken yet.
    ///
    /// # Panics
    /// A payload that the function cannot parse.
    pub fn take(&self) -> Vec<AnnounceEvent> {
        let kept = std::mem::take(&mut *lock(&self.kept));
        kept.iter()
            .map(|payload| serde_json::from_slice(payload).expect("a payload is readable"))
            .collect()
    }
}

impl Announcer for MemoryAnnouncer {
    async fn summon(&self, room: &Room) -> Result<String, DispatchError> {
        if let Some(refusal) = *lock(&self.refusal) {
            return Err(refusal());
        }
        let room = room.clone();
        let mut kept = lock(&self.kept);
        kept.push(AnnounceEvent { room }.to_payload());
        Ok(format!("kept-{}", kept.len()))
    }
}

impl<T: Announcer + Sync> Announcer for &T {
    async fn summon(&self, room: &Room) -> Result<String, DispatchError> {
        (**self).summon(room).await
    }
}
