//! Posts one text to a room, however many are in it.
//!
//! What is in memory does not grow with the room: a bounded number of posts is under way, and of the members at most
//! [`INLINE_RECEIVERS`] or two pages are known at a time.

mod members;
mod patience;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::stream::{Stream, StreamExt as _};
use serde::Serialize;
use serde_json::json;

pub use members::Audience;

use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::fan_out::has_arrived;
use crate::handlers::Invocation;
use crate::log::{Log, reasons};
use crate::session::{ConnectionId, Room};
use crate::store::{ConnectionStore, Device};

/// Up to how many receivers a message is delivered by the function that got it.
///
/// To hand over is no quicker until posting takes longer than a queue and the start of four functions, and Lambda's queue
/// may deliver an event twice or drop it, which whoever is served here is spared.
pub const INLINE_RECEIVERS: usize = 1_000;

/// How many posts of one function are under way at once.
///
/// Each needs a connection of its own, which is some 70 KB here and a TLS handshake the first time: more of them take
/// longer to begin with, for a function that has a third of a processor. Four functions serve a larger room together, and
/// an account may make 10,000 requests a second, these posts among them
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>): 4 × 32 posts of some 15 ms each (an
/// assumption: nobody measured them) are close to that.
pub const POSTS_AT_ONCE: usize = 32;

/// How many refusals of one message are logged one by one; the others are only counted.
const LOGGED_REFUSALS: usize = 10;

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
    /// What time it is, and how much of it is left.
    pub invocation: &'a Invocation,
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
    /// How many were not accepted.
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

impl<S: ConnectionStore, D: Delivery> RoomPost<'_, S, D> {
    /// Posts the text to `members`, [`POSTS_AT_ONCE`], as long as there is time; forgets those that are gone.
    ///
    /// No receiver stops another: whatever becomes of one post is counted, and the others go on.
    pub async fn post_to(&self, members: impl Stream<Item = Device>) -> Tally {
        let until = self.invocation.until;
        let cut_short = AtomicBool::new(false);
        let in_time = |_: &Device| {
            let in_time = Instant::now() < until;
            cut_short.fetch_or(!in_time, Ordering::Relaxed);
            std::future::ready(in_time)
        };
        let mut tally = members
            .take_while(in_time)
            .map(|member| self.post(member))
            .buffer_unordered(POSTS_AT_ONCE)
            .fold(Tally::default(), |mut tally, (receiver, outcome)| {
                match outcome {
                    Ok(Posted::Delivered) => tally.delivered += 1,
                    Ok(Posted::Gone) => tally.gone += 1,
                    Err(error) => {
                        tally.refused += 1;
                        if tally.refused <= LOGGED_REFUSALS {
                            self.log_refusal(&receiver, &error);
                        }
                    }
                }
                std::future::ready(tally)
            })
            .await;
        tally.cut_short = cut_short.into_inner();
        tally
    }

    async fn post(&self, member: Device) -> (ConnectionId, Result<Posted, DeliveryError>) {
        let until = self.invocation.until;
        let posted = patience::post(self.delivery, &member.connection, self.text, until).await;
        if matches!(posted, Ok(Posted::Gone)) && has_arrived(&member, self.invocation.now) {
            self.forget(&member.connection).await;
        }
        (member.connection, posted)
    }

    async fn forget(&self, connection: &ConnectionId) {
        let receiver = ("receiver", json!(connection.as_str()));
        match self.store.leave(self.room, connection).await {
            Ok(()) => self.log.debug("gone connection forgotten", [receiver]),
            // The row expires by itself; until then each message tries it again.
            Err(error) => self.log.warn(
                "gone connection not forgotten",
                [receiver, ("reason", json!(reasons(&error)))],
            ),
        }
    }

    fn log_refusal(&self, receiver: &ConnectionId, error: &DeliveryError) {
        let fields = [
            ("receiver", json!(receiver.as_str())),
            ("reason", json!(reasons(error))),
        ];
        self.log.warn("post refused", fields);
    }
}
