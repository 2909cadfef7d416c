//! Posts to one member after another, several at a time.

use std::pin::pin;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::concurrency::ConcurrencyLimit;
use super::postponed::{Attempt, Postponed};
use super::{RoomPost, Tally};
use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::fan_out::{has_arrived, log_removal};
use crate::log::reasons;
use crate::session::ConnectionId;
use crate::store::{ConnectionStore, Device};

/// The most refusals of one message that are logged individually; the others are only counted.
const LOGGED_REFUSALS: usize = 10;

/// The members without a post when the time ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Whether there may be members that were not begun with.
    pub is_unfinished: bool,
    /// The last member that was begun with; members after it were not. `None` if there are no more.
    pub last: Option<ConnectionId>,
    /// The connections whose posts were refused, and were to be retried.
    pub postponed: Vec<ConnectionId>,
}

impl Rest {
    /// All members, for the first function.
    #[must_use]
    pub const fn everybody() -> Self {
        Self {
            is_unfinished: true,
            last: None,
            postponed: Vec::new(),
        }
    }

    /// Whether every member was posted to.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.is_unfinished && self.postponed.is_empty()
    }
}

/// The outcome of one post.
struct Outcome {
    attempt: Attempt,
    posted: Result<Posted, DeliveryError>,
    took: Duration,
}

impl<S: ConnectionStore, D: Delivery> RoomPost<'_, S, D> {
    /// Posts the message to `postponed` and `members`, as many at a time as the gateway accepts, as long as there is
    /// time; forgets those that are gone. Returns the remaining ones.
    ///
    /// A failure does not stop the other posts: every outcome is counted.
    pub async fn post_to(
        &self,
        postponed: Vec<ConnectionId>,
        members: impl Stream<Item = Device>,
    ) -> (Tally, Rest) {
        let mut members = pin!(members);
        let mut concurrency = ConcurrencyLimit::up_to(self.at_once);
        let mut postponed = Postponed::new(postponed);
        let mut under_way = FuturesUnordered::new();
        let mut tally = Tally::default();
        let mut rest = Rest::everybody();
        // When the next post may begin.
        let mut resumed = Instant::now();
        loop {
            let now = Instant::now();
            let has_place = now < self.until && under_way.len() < concurrency.places();
            let may_begin = has_place && now >= resumed;
            if may_begin && let Some(attempt) = postponed.take_due() {
                under_way.push(self.post(attempt));
                continue;
            }
            let wants_member = may_begin && rest.is_unfinished && postponed.has_room();
            let has_more = rest.is_unfinished || postponed.due().is_some();
            let look_again = match may_begin {
                true => postponed.due(),
                false => (has_place && has_more).then_some(resumed),
            };
            if under_way.is_empty() && !wants_member && look_again.is_none() {
                break;
            }
            tokio::select! {
                biased;
                Some(outcome) = under_way.next(), if !under_way.is_empty() => {
                    let Outcome { attempt, posted, took } = outcome;
                    let is_refused = matches!(posted, Err(DeliveryError::Throttled));
                    if attempt.number == 1 || concurrency.is_slowest() {
                        concurrency.note(took, is_refused, under_way.len());
                        resumed = Instant::now() + concurrency.pause();
                    }
                    if is_refused && !attempt.has_lasted(self.retry_time, concurrency.is_account_busy()) {
                        postponed.postpone(attempt);
                    } else {
                        self.count(&mut tally, &attempt.member.connection, posted);
                    }
                }
                member = members.next(), if wants_member => match member {
                    Some(member) => {
                        rest.last = Some(member.connection.clone());
                        under_way.push(self.post(Attempt::first(member)));
                    }
                    None => rest.is_unfinished = false,
                },
                () = sleep_until(look_again.unwrap_or(self.until).min(self.until)), if has_place => {}
            }
        }
        rest.postponed = postponed.into_connections();
        (tally, rest)
    }

    async fn post(&self, attempt: Attempt) -> Outcome {
        let began = Instant::now();
        let member = &attempt.member;
        let posted = self.delivery.post(&member.connection, self.text).await;
        let took = began.elapsed();
        if matches!(posted, Ok(Posted::Gone)) && has_arrived(member, self.invocation.now) {
            let removed = self.store.leave(self.room, &member.connection).await;
            log_removal(removed, &member.connection, self.log);
        }
        Outcome {
            attempt,
            posted,
            took,
        }
    }

    fn count(
        &self,
        tally: &mut Tally,
        receiver: &ConnectionId,
        posted: Result<Posted, DeliveryError>,
    ) {
        match posted {
            Ok(Posted::Delivered) => tally.delivered += 1,
            Ok(Posted::Gone) => tally.gone += 1,
            Err(error) => self.refuse(tally, receiver, &error),
        }
    }

    /// Counts a receiver whose post was refused for good.
    fn refuse(&self, tally: &mut Tally, receiver: &ConnectionId, error: &DeliveryError) {
        tally.refused += 1;
        if tally.refused <= LOGGED_REFUSALS {
            let fields = [
                ("receiver", json!(receiver.as_str())),
                ("reason", json!(reasons(error))),
            ];
            self.log.warn("post refused", fields);
        }
    }

    /// Counts the remaining members as lost, because no function will post to them.
    pub(crate) fn give_up(&self, mut tally: Tally, rest: &Rest) -> Tally {
        tally.cut_short |= !rest.is_empty();
        for receiver in &rest.postponed {
            self.refuse(&mut tally, receiver, &DeliveryError::Throttled);
        }
        tally
    }
}
