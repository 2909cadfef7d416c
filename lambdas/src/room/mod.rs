//! Posts one text to a room, however many are in it.
//!
//! What is in memory does not grow with the room: a bounded number of posts is under way or put off, and of the members at most
//! [`INLINE_RECEIVERS`] or two pages are known at a time.

mod everybody;
mod members;
mod pace;
mod posting;
mod postponed;

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

pub use members::Audience;
pub use pace::POSTS_AT_FIRST;
pub use posting::Rest;

use crate::handlers::Invocation;
use crate::log::Log;
use crate::session::{ConnectionId, Room};

/// Up to how many receivers a message is delivered by the function that got it.
///
/// To hand over is no quicker until posting takes longer than a queue and the start of four functions, and Lambda's queue
/// may deliver an event twice or drop it, which whoever is served here is spared.
pub const INLINE_RECEIVERS: usize = 1_000;

/// How many posts of a function are under way at once that serves a room by itself.
pub const POSTS_AT_ONCE: usize = POSTS_AT_FIRST;

/// How many posts of a function are under way at most that serves a shard of a large room.
///
/// An account may make 10,000 requests a second, these posts among them
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>). Four functions reach that with 43 posts at once
/// where a post takes 15 ms, and with 85 where it takes 30 (an assumption: nobody measured them). With 128 they do so up to 45 ms.
pub const SHARD_POSTS_AT_ONCE: usize = 128;

/// What is said in a room, to whom not, and by what means.
#[derive(Debug)]
pub struct RoomPost<'a, S, D> {
    /// The room.
    pub room: &'a Room,
    /// What is said.
    pub text: &'a str,
    /// Who is passed over when the room is read.
    pub except: &'a ConnectionId,
    /// Who is in the room.
    pub store: &'a S,
    /// The way to them.
    pub delivery: &'a D,
    /// What time it is.
    pub invocation: &'a Invocation,
    /// When to begin no further post.
    pub until: Instant,
    /// How many posts are under way at most.
    pub at_once: usize,
    /// For how long a post is tried again that is refused with 429.
    pub patience: Duration,
    /// Where to report.
    pub log: &'a Log,
}

/// What became of the posts, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How many were accepted.
    pub delivered: usize,
    /// How many connections were over, or had not begun.
    pub gone: usize,
    /// How many were not accepted, although some were tried several times.
    pub refused: usize,
    /// Whether there was not enough time for everybody.
    pub cut_short: bool,
}

impl Tally {
    /// Adds what became of more posts.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self {
            delivered: self.delivered + more.delivered,
            gone: self.gone + more.gone,
            refused: self.refused + more.refused,
            cut_short: self.cut_short || more.cut_short,
        }
    }

    /// Whether everybody who was there has got it.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        self.gone == 0 && self.refused == 0 && !self.cut_short
    }
}
