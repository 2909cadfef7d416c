//! Posts that were refused only because too much was asked at once, until their time has come again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

use crate::session::ConnectionId;
use crate::store::Device;

/// How often a post is tried at least, while there is time.
const TRIES: u32 = 8;

/// How often at least where even a few posts at a time are too much: then it is the account that is asked too much, for as long
/// as others ask it too, and not this receiver. It ends a post that would be refused for ever, after a minute or so.
const TRIES_OF_A_BUSY_ACCOUNT: u32 = 64;

/// The longest first pause; each further one may be twice as long as the one before, up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How many posts wait at most. They travel in a payload when time ends.
const MAX: usize = 1_000;

/// One receiver, how often it was posted to, this time included, and since when.
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

    /// Whether it has been tried for so long, and often: where there is little to be had, most of the time is spent waiting.
    pub(super) fn has_lasted(&self, patience: Duration, is_account_busy: bool) -> bool {
        let tries = match is_account_busy {
            true => TRIES_OF_A_BUSY_ACCOUNT,
            false => TRIES,
        };
        self.number >= tries && self.since.elapsed() >= patience
    }
}

/// Refused posts by the time at which each is due again. They hold no place meanwhile: a client that reads too slowly keeps
/// nobody waiting.
#[derive(Debug, Default)]
pub(super) struct Postponed(BinaryHeap<Reverse<(Instant, Attempt)>>);

impl Postponed {
    /// Receivers that an earlier function could not post to, due at once. They are certainly not just arriving.
    pub(super) fn of(connections: Vec<ConnectionId>) -> Self {
        let now = Instant::now();
        let attempts = connections.into_iter().map(|connection| {
            let attempt = Attempt {
                member: Device {
                    connection,
                    connected_at: 0,
                },
                // Not a first try, for what an answer says of the gateway.
                number: 2,
                since: now,
            };
            Reverse((now, attempt))
        });
        Self(attempts.collect())
    }

    /// Whether one more may be refused.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < MAX
    }

    /// Puts `refused` off.
    ///
    /// Pauses are random from nothing on ("full jitter"), so that many that were refused together do not come back
    /// together (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
    pub(super) fn put_off(&mut self, refused: Attempt) {
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
