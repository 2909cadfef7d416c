//! What is on record about announcements, in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::presence::Announced;
use crate::session::Room;

/// What is on record for a room.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) pending_until: u64,
    pub(super) held_until: u64,
    pub(super) held_by: String,
    pub(super) announced: Announced,
}

/// By room.
pub(super) type Records = Mutex<BTreeMap<Room, Record>>;
