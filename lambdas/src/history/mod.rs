//! The messages of conversations that are kept, on routes with `history`.
//!
//! A message is written before its receivers are looked up, and both reads are consistent. So of a message and a receiver that
//! arrives at the same time, either the message finds the receiver, or the receiver finds the message.

mod page;
mod place;

pub use page::{Page, Wanted, page};
pub use place::{ReadableConversation, Reader};
pub use ulid::Ulid;

use chat_protocol::table;

use crate::session::{Name, Room};
use crate::store::StoreError;

/// The id that a client writes as `text`.
///
/// 26 characters have two bits more than an id, so the first one is 7 at most (<https://github.com/ulid/spec>). The decoder
/// drops what is beyond, so that a text would name another entry than it seems to.
#[must_use]
pub fn ulid(text: &str) -> Option<Ulid> {
    let id = Ulid::from_string(text).ok()?;
    text.starts_with(|first: char| ('0'..='7').contains(&first))
        .then_some(id)
}

/// Those whose messages are kept together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversation {
    /// The members of a room.
    Room(Room),
    /// Two people, in either order.
    Two(Name, Name),
}

impl Conversation {
    /// The partition of its messages.
    #[must_use]
    pub fn partition(&self) -> String {
        match self {
            Self::Room(room) => table::messages_in(room.as_str()),
            Self::Two(one, other) => table::messages_between(one.as_str(), other.as_str()),
        }
    }
}

/// An entry of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id, by which entries are sorted.
    pub id: Ulid,
    /// What its receivers got.
    pub frame: String,
}

/// The direction in which entries are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the smallest id on.
    OldestFirst,
    /// From the largest id on.
    NewestFirst,
}

/// The entries to read: those with ids from `first` to `last`, both included, some rows at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// The smallest id.
    pub first: Ulid,
    /// The largest id.
    pub last: Ulid,
    /// Where to begin.
    pub order: Order,
    /// The most rows that are looked at. Expired and deleted messages are among them.
    pub rows: u16,
}

/// The entries in some of a section's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// In the section's order; may be empty although more follow.
    pub lines: Vec<Line>,
    /// The last row that was looked at; `None` after the last row of the section.
    pub at: Option<Ulid>,
}

/// What is left of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// All of it.
    Kept {
        /// What its receivers got.
        frame: String,
        /// When it expires, in seconds since the epoch.
        expires_at: u64,
    },
    /// The notice of its deletion; its text is gone.
    Erased {
        /// What was posted when it was deleted.
        notice: Line,
        /// When the notice expires, in seconds since the epoch.
        expires_at: u64,
    },
}

/// The entries of conversations. `now` is in seconds since the epoch, and expired entries are invisible. Each read is consistent:
/// it includes every acknowledged write.
pub trait History {
    /// Writes an entry that expires at `expires_at`, in seconds since the epoch. The same one may be written again.
    ///
    /// # Errors
    /// [`StoreError`]; the entry may still have been written.
    fn keep(
        &self,
        conversation: &Conversation,
        line: &Line,
        expires_at: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Some of the entries in `section`, whose first id must not be larger than its last one.
    ///
    /// # Errors
    /// [`StoreError`]
    fn read(
        &self,
        conversation: &Conversation,
        section: Section,
        now: u64,
    ) -> impl Future<Output = Result<Lines, StoreError>> + Send;

    /// What is there with the id `id`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn find(
        &self,
        conversation: &Conversation,
        id: Ulid,
        now: u64,
    ) -> impl Future<Output = Result<Option<Found>, StoreError>> + Send;

    /// Replaces what the message `id` says by `notice`, as long as it expires; `false` if it says nothing any more.
    ///
    /// # Errors
    /// [`StoreError`]; the message may still have been replaced.
    fn erase(
        &self,
        conversation: &Conversation,
        id: Ulid,
        notice: &Line,
        expires_at: u64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
