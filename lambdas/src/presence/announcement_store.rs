//! The trait through which functions agree on who announces in a room, and what was announced.

use std::collections::BTreeSet;

use crate::session::{ConnectionId, Name, Room};
use crate::store::StoreError;

/// Names in a room.
pub type Names = BTreeSet<Name>;

/// The names that were announced in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Announced {
    /// The names.
    pub names: Names,
    /// When they expire, in seconds since the epoch; 0 if nothing is on record.
    pub expires_at: u64,
}

/// What is on record about announcements. Times are in seconds since the epoch; every read is consistent.
pub trait AnnouncementStore {
    /// Opens the turn of `room` for [`TURN_SECONDS`](super::TURN_SECONDS), unless one is open; whether this call has.
    ///
    /// Call it after the change that is to be announced is written. With `false`, an announcer will read the room later. Where
    /// a response was lost it may be `true` for several calls; their announcers follow one another.
    ///
    /// # Errors
    /// [`StoreError`]
    fn open_turn(
        &self,
        room: &Room,
        now: u64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Closes the turn that a call has opened, if no announcer comes for it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn close_turn(&self, room: &Room) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends the turn, and makes `holder` the only announcer of `room` until then; `false`, without any change, while another
    /// one is. The same holder may take it again.
    ///
    /// # Errors
    /// [`StoreError`]
    fn take_turn(
        &self,
        room: &Room,
        holder: &str,
        now: u64,
        until: u64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Lets another announcer follow `holder`. It is no error if another one has followed already.
    ///
    /// # Errors
    /// [`StoreError`]
    fn let_go(
        &self,
        room: &Room,
        holder: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The names that were announced in `room` and have not expired.
    ///
    /// # Errors
    /// [`StoreError`]
    fn announced(
        &self,
        room: &Room,
        now: u64,
    ) -> impl Future<Output = Result<Announced, StoreError>> + Send;

    /// Replaces the names that were announced in `room`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn save_announced(
        &self,
        room: &Room,
        names: &Names,
        now: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes one connection from `room` as [`leave`](crate::store::ConnectionStore::leave) does; whether a member with a
    /// name was removed. Where a response was lost it may be `false` nevertheless; then the next change announces it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn take_out(
        &self,
        room: &Room,
        connection: &ConnectionId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
