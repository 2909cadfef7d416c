//! What the chat's functions ask of the table for each event, in DynamoDB's request units.
//!
//! The functions' tests compare these figures with the requests of the real adapters, and the command multiplies them with
//! prices. What an event of a new kind costs has its place here.
//!
//! Units: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>.

use core::ops::Add;

use crate::Index;
use crate::table::ROOM_SHARDS;

/// The most receivers of a message that one function serves by itself.
pub const INLINE_RECEIVERS: usize = 1_000;

/// The functions that serve a message to a larger room besides, each one shard.
pub const SHARD_INVOCATIONS: u32 = ROOM_SHARDS as u32;

/// Request units of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units {
    /// Read request units.
    pub reads: f64,
    /// Write request units.
    pub writes: f64,
}

impl Add for Units {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            reads: self.reads + other.reads,
            writes: self.writes + other.writes,
        }
    }
}

const fn reads(reads: f64) -> Units {
    Units { reads, writes: 0.0 }
}

const fn writes(writes: f64) -> Units {
    Units { reads: 0.0, writes }
}

/// The items of one connection.
#[must_use]
pub const fn items(index: Index) -> u32 {
    match index {
        Index::Friend | Index::Room => 1,
        Index::FriendAndRoom => 2,
        Index::Nothing => 0,
    }
}

/// A handshake, without limits; a name is looked up among the bans.
#[must_use]
pub fn connect(index: Index, has_name: bool) -> Units {
    let ban = has_name && index != Index::Nothing;
    writes(f64::from(items(index))) + reads(if ban { 1.0 } else { 0.0 })
}

/// The end of a connection.
#[must_use]
pub fn disconnect(index: Index) -> Units {
    writes(f64::from(items(index)))
}

/// A message to a friend who is there.
#[must_use]
pub const fn to_friend() -> Units {
    reads(0.5)
}

/// A message to a friend who is not.
#[must_use]
pub const fn to_absent_friend() -> Units {
    reads(1.5)
}

/// A look at all `members` of a room: a query for each shard, which reads 125 members with two units.
#[must_use]
pub fn room(members: usize) -> Units {
    let shards = usize::from(ROOM_SHARDS);
    let of_a_shard = (2 * members.div_ceil(shards)).div_ceil(125).max(1);
    #[expect(
        clippy::cast_precision_loss,
        reason = "no room has so many members that it matters"
    )]
    reads((shards * of_a_shard) as f64)
}

/// A message to a room with so many `members`: a look at all of them, and for a larger one a page of each shard before it,
/// by which its size is found.
#[must_use]
pub fn to_room(members: usize) -> Units {
    match members > INLINE_RECEIVERS + 1 {
        true => room(members) + reads(20.0),
        false => room(members),
    }
}

/// What the item of a kept message has besides its text, about.
pub const KEPT_BYTES: usize = 200;

/// What a message to a room with a text of so many `bytes` costs besides, where messages are kept.
#[must_use]
pub fn kept(bytes: usize) -> Units {
    #[expect(
        clippy::cast_precision_loss,
        reason = "no message has so many bytes that it matters"
    )]
    writes((bytes + KEPT_BYTES).div_ceil(1_024) as f64)
}

/// The same for a message to a friend, whose connections are then read consistently.
#[must_use]
pub fn kept_for_friend(bytes: usize) -> Units {
    kept(bytes) + reads(0.5)
}

/// A page of history: a query that reads so many `messages` with texts of so many `bytes`, and one message more, by which the
/// function finds whether others follow. A query reads 1 MB at most.
#[must_use]
pub fn page(messages: usize, bytes: usize) -> Units {
    const MAX_READ: usize = 1_024 * 1_024;
    let item = bytes + KEPT_BYTES;
    let read = (messages + 1).min(MAX_READ / item).max(1);
    in_steps(read * item, 4_096)
}

/// A request for history that finds nothing new.
#[must_use]
pub const fn empty_page() -> Units {
    reads(1.0)
}

/// The deletion of a message with a text of so many `bytes`, without the look for those who get the notice: the message is
/// read and replaced by what is left of it, and the notice is kept.
#[must_use]
pub fn deletion(bytes: usize) -> Units {
    in_steps(bytes + KEPT_BYTES, 4_096) + kept(bytes) + writes(1.0)
}

/// The look for the devices of the two people of a conversation, for the notice of a deletion.
#[must_use]
pub const fn look_for_two() -> Units {
    reads(2.0)
}

/// A member of a room with a name enters or leaves, where that is announced.
#[must_use]
pub const fn change() -> Units {
    reads(1.0)
}

/// The same, besides, for the first change since the announcer began to wait: the turn is opened, and the announcer invoked.
#[must_use]
pub const fn first_change() -> Units {
    writes(1.0)
}

/// A name of a person, about.
pub const NAME_BYTES: usize = 11;

/// The run of an announcer in a room of `members` with names that looks into it so many times: twice where names are missing.
/// `is_different` says whether it announces anything.
#[must_use]
pub fn announcement(members: usize, looks: u32, is_different: bool) -> Units {
    // The item of a member with a name takes some 80 bytes.
    const MEMBER_BYTES: usize = 80;
    let shards = usize::from(ROOM_SHARDS);
    let look =
        in_steps(members.div_ceil(shards) * MEMBER_BYTES, 4_096).reads * f64::from(ROOM_SHARDS);
    let names = members * NAME_BYTES + 100;
    let saved = match is_different {
        true => in_steps(names, 1_024).reads,
        false => 0.0,
    };
    // The turn is taken and handed on.
    reads(look * f64::from(looks)) + in_steps(names, 4_096) + writes(2.0 + saved)
}

/// Reads of so many `bytes`, in steps of `step`; one at least.
fn in_steps(bytes: usize, step: usize) -> Units {
    #[expect(
        clippy::cast_precision_loss,
        reason = "no query reads so much that it matters"
    )]
    reads(bytes.div_ceil(step).max(1) as f64)
}

/// A message, where each connection's messages are counted.
#[must_use]
pub const fn counted_message() -> Units {
    writes(1.0)
}

/// A handshake, where a name's connections are counted.
#[must_use]
pub const fn counted_name() -> Units {
    reads(1.0)
}

/// A handshake, where the members of a room of `members` are counted.
#[must_use]
pub fn counted_room(members: usize) -> Units {
    room(members)
}
