//! Who has come into a room and who has left it (`announce = true` in the config).
//!
//! What is on record for a room are the names that were announced in it. An announcement is the difference between them
//! and the names that are in the room now, so nothing has to be recorded about a change itself: whatever an announcer did
//! not see, or did not get to say, is in the difference that the next one finds.
//!
//! | step | where |
//! |---|---|
//! | a member enters or leaves: its row changes, then the room's turn is opened | [`Announcing`] |
//! | the call that has opened the turn invokes the announcer | [`Announcer`] |
//! | the announcer waits, ends the turn, and reads the room only then | [`announce`](crate::handlers::announce) |
//!
//! **A change whose call found an open turn is seen**: its row was written before the turn was looked at, and the room is
//! read after the turn has ended. A turn that no announcer ends is over after [`TURN_SECONDS`].

mod announce_event;
mod announcement_store;
mod announcing;
mod difference;
mod frames;
mod kept;

pub use announce_event::{AnnounceEvent, Announcer};
pub use announcement_store::{Announced, AnnouncementStore, Names};
pub use announcing::{Announcing, Clock};
pub use difference::Difference;
pub use frames::frames;

use std::time::Duration;

/// How long an announcer waits after the change that has opened its turn, so that what follows at once is in the same frame.
pub const WINDOW: Duration = Duration::from_secs(3);

/// How long a name must be missing before it has left. A reconnect that takes less is no departure, whenever it begins.
pub const GRACE: Duration = Duration::from_secs(3);

/// How long a turn stays open if no announcer ends it, in seconds: longer than one waits, and as long as a room can be
/// silent because Lambda has dropped an invocation.
pub const TURN_SECONDS: u64 = 60;

/// How long the names that were announced in a room are kept, in seconds. They are written again when half of it is over.
///
/// A connection lasts two hours, so as long as a person is in a room, its turn is opened in much less time than that. When the names
/// expire, every connection of their time has long ended.
pub const ANNOUNCED_LIFETIME_SECONDS: u64 = 24 * 60 * 60;

/// The most connections of a room in which is announced. A room of 1,000 has twice as many after all of its members have
/// reconnected and no event has said that the old connections are over.
pub const MAX_CONNECTIONS: usize = 2_500;
