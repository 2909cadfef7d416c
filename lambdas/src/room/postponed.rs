//! Posts that were refused because of too many requests, until their next attempt is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

use crate::session::ConnectionId;
use crate::store::Device;

/// The least number of attempts, as long as there is time.
const TRIES: u32 = 8;

/// The least number of attempts when even a few posts at a time are too much. Then the account is over its limit, as
/// long as other callers use it, and not this receiver. It bounds a post that would be refused for ever to about a
/// minute.
const TRIES_OF_A_BUSY_ACCOUNT: u32 = 64;

/// The longest first pause. Each further one may be twice as long as the previous one, up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

const MAX_PAUSE: Duration = Duration::from_secs(2);

/// The most postponed posts. They are in a payload when the time ends.
const MAX: usize = 1_000;

/// One receiver, the number of its attempts including this one, and the time of the first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attempt {
    pub(super) member: Device,
    pub(super) number: u32,
    since: Instant,
}

impl Attempt {
    pub(super) fn first(member: Device) -> Self {
        Self {
            member,
            number: 1,
            since: Instant::now(),
        }
    }

    /// Whether it has been tried for long enough and often enough. At a low rate, most of the time is spent waiting.
    pub(super) fn has_lasted(&self, retry_time: Duration, is_account_busy: bool) -> bool {
        let tries = match is_account_busy {
            true => TRIES_OF_A_BUSY_ACCOUNT,
            false => TRIES,
        };
        self.number >= tries && self.since.elapsed() >= retry_time
    }
}

/// Refused posts by the time at which each is due again. They occupy no slot meanwhile, so a slow client delays no
/// other.
#[derive(Debug, Default)]
pub(super) struct Postponed(BinaryHeap<Reverse<(Instant, Attempt)>>);

impl Postponed {
    /// Receivers that an earlier function could not post to, due at once. Their connections exist for certain.
    pub(super) fn new(connections: Vec<ConnectionId>) -> Self {
        let now = Instant::now();
        let attempts = connections.into_iter().map(|connection| {
            let attempt = Attempt {
                member: Device {
                    connection,
                    connected_at: 0,
                },
                // It does not count as a first attempt, for the pace.
                number: 2,
                since: now,
            };
            Reverse((now, attempt))
        });
        Self(attempts.collect())
    }

    /// Whether there is room for another one.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < MAX
    }

    /// Postpones `refused`.
    ///
    /// Pauses are random from zero on ("full jitter"), so that posts that were refused together are not retried
    /// together (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
    pub(super) fn postpone(&mut self, refused: Attempt) {
        let longest = MAX_PAUSE.min(FIRST_PAUSE * 2_u32.pow(refused.number.min(10) - 1));
        let due = Instant::now() + longest.mul_f64(fastrand::f64());
        let next = Attempt {
            number: refused.number + 1,
            ..refused
        };
        self.0.push(Reverse((due, next)));
    }

    /// When the first one is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((due, _))| *due)
    }

    /// The first one, if it is due.
    pub(super) fn take_due(&mut self) -> Option<Attempt> {
        let is_due = self.due().is_some_and(|due| due <= Instant::now());
        let Reverse((_, attempt)) = is_due.then(|| self.0.pop())??;
        Some(attempt)
    }

    /// All of them, whenever they would be due.
    pub(super) fn into_connections(self) -> Vec<ConnectionId> {
        let attempts = self.0.into_vec().into_iter();
        attempts
            .map(|Reverse((_, attempt))| attempt.member.connection)
            .collect()
    }
}
