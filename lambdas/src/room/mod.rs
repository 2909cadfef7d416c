//! Posts one message to a room, however large it is.
//!
//! Memory does not grow with the room: a bounded number of posts is in progress or postponed, and at most
//! [`INLINE_RECEIVERS`] members or two pages are known at a time.

mod concurrency;
mod everybody;
mod members;
mod people;
mod posting;
mod postponed;

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

pub use concurrency::POSTS_AT_FIRST;
pub use members::Audience;
pub use people::{people, people_up_to};
pub use posting::Rest;

use crate::invocation::Invocation;
use crate::log::Log;
use crate::session::{ConnectionId, Room};

/// The most receivers that are served by the function that received the message.
///
/// Handing over is only quicker if posting takes longer than a queue and the start of four functions. Lambda's queue
/// may also deliver an event twice or drop it, which cannot happen to receivers that are served here.
pub const INLINE_RECEIVERS: usize = chat_protocol::cost::INLINE_RECEIVERS;

/// The most concurrent posts of a function that serves a room alone.
pub const POSTS_AT_ONCE: usize = POSTS_AT_FIRST;

/// The most concurrent posts of a function that serves a shard of a large room.
///
/// An account may make 10,000 requests a second, these posts included
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>). Four functions reach that with 43
/// concurrent posts if a post takes 15 ms, and with 85 if it takes 30 (an assumption without measurements). With 128
/// they do so up to 45 ms.
pub const SHARD_POSTS_AT_ONCE: usize = 128;

/// The time for retries of a post to a member that may read too slowly: as long as the timeout for one that does not respond.
pub const RETRY_TIME: Duration = Duration::from_secs(3);

/// A message to a room, its exception, and the means to deliver it.
#[derive(Debug)]
pub struct RoomPost<'a, S, D> {
    /// The room.
    pub room: &'a Room,
    /// The message.
    pub text: &'a str,
    /// The connection that is skipped when the room is read.
    pub except: &'a ConnectionId,
    /// The store of the room's members.
    pub store: &'a S,
    /// The delivery to them.
    pub delivery: &'a D,
    /// The time and the log.
    pub invocation: &'a Invocation,
    /// When to begin no further post.
    pub until: Instant,
    /// The most concurrent posts.
    pub at_once: usize,
    /// The time for retries of a post that got 429.
    pub retry_time: Duration,
    /// Where to report.
    pub log: &'a Log,
}

impl<'a, S, D> RoomPost<'a, S, D> {
    /// A message by a function that serves the room alone, in all the time of `invocation`, over `store` and `delivery`.
    pub const fn new(
        room: &'a Room,
        text: &'a str,
        except: &'a ConnectionId,
        (store, delivery): (&'a S, &'a D),
        invocation: &'a Invocation,
    ) -> Self {
        Self {
            room,
            text,
            except,
            store,
            delivery,
            invocation,
            until: invocation.until,
            at_once: POSTS_AT_ONCE,
            retry_time: RETRY_TIME,
            log: &invocation.log,
        }
    }
}

/// The counted outcomes of posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// The number of accepted posts.
    pub delivered: usize,
    /// The number of connections that were over, or had not begun.
    pub gone: usize,
    /// The number of posts that were not accepted, although some were tried several times.
    pub refused: usize,
    /// Whether there was not enough time for all members.
    pub cut_short: bool,
}

impl Tally {
    /// Adds the outcomes of further posts.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        Self {
            delivered: self.delivered + more.delivered,
            gone: self.gone + more.gone,
            refused: self.refused + more.refused,
            cut_short: self.cut_short || more.cut_short,
        }
    }

    /// Whether every present member got it.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        self.gone == 0 && self.refused == 0 && !self.cut_short
    }
}
