//! How long the parts of a command may take. The waits and the help texts are made of the same figures.

use std::cell::Cell;
use std::time::{Duration, Instant};

pub(crate) use crate::scale::scaled;

/// A time after which a wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(Duration);

impl Limit {
    const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    const fn minutes(minutes: u64) -> Self {
        Self::seconds(60 * minutes)
    }

    /// As it is waited for.
    pub fn time(self) -> Duration {
        scaled(self.0)
    }

    /// As errors state it: no less has been waited.
    pub const fn in_minutes(self) -> u64 {
        self.0.as_secs() / 60
    }

    /// As help texts promise it: no more will be waited.
    pub const fn at_most_minutes(self) -> u64 {
        self.0.as_secs().div_ceil(60)
    }

    /// As errors state a short one.
    pub const fn in_seconds(self) -> u64 {
        self.0.as_secs()
    }

    /// So many times the limit, as it is reported.
    pub fn reported(self, times: u32) -> Duration {
        self.0 * times
    }

    /// Both, one after the other.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// One request to AWS, with all of its attempts.
pub const CALL: Limit = Limit::minutes(2);

/// Everything that only asks: what there is, or whether a deployment can begin.
pub const ASKING: Limit = Limit::minutes(5);

/// Publishing, beside the bytes themselves.
pub const PUBLISHING: Limit = Limit::minutes(5);

/// The slowest upload that is waited for, in bytes a second.
pub const SLOWEST_UPLOAD: u64 = 32 * 1024;

/// What `bytes` may take at that speed.
pub const fn upload(bytes: u64) -> Limit {
    Limit::seconds(bytes / SLOWEST_UPLOAD)
}

/// Until a change set is computed, or taken back.
pub const COMPUTING: Limit = Limit::minutes(15);

/// One operation of a stack on AWS, which goes on by itself when it is not followed any more.
pub const FOLLOWING: Limit = Limit::minutes(60);

/// All that a teardown follows.
pub const TEARING_DOWN: Limit = Limit::minutes(120);

/// Until a stack on this machine has started or changed.
pub const STARTING: Limit = Limit::minutes(2);

/// Everything that is done to a stack on this machine once its code is built.
pub const HERE: Limit = STARTING.and(BEGINNING);

/// All that a command waits for the process of a local stack that does not respond.
pub const ANSWERING: Limit = Limit::seconds(10);

/// The handshake of a client. An authorizer has 29 seconds.
pub const HANDSHAKE: Limit = Limit::seconds(40);

/// Until the gateway takes what a client sends.
pub(crate) const SENDING: Limit = Limit::seconds(20);

/// What only adds a remark, and is done without where it takes longer: long enough for a silence to be reported.
pub const ASIDE: Limit = Limit::seconds(45);

/// After a deployment: whether it runs what was published, and answers.
pub const PROVING: Limit = Limit::minutes(10);

/// How long AWS may take to begin what it has said it would.
pub const BEGINNING: Limit = Limit::minutes(1);

/// A silence of this length is reported, and each further one.
pub(crate) const SILENCE: Limit = Limit::seconds(20);

/// After so long without events of a stack that is followed, it is reported that it goes on.
pub(crate) const NO_NEWS: Limit = Limit::minutes(1);

/// Does `work` as long as `limit` allows; what it has not done by then is `late`.
///
/// The work of a command is large, and each layer around it would hold it twice: it lies on the heap.
pub fn within<T, E>(
    limit: Limit,
    work: impl Future<Output = Result<T, E>>,
    late: impl FnOnce(u64) -> E,
) -> impl Future<Output = Result<T, E>> {
    let work = Box::pin(work);
    async move {
        match tokio::time::timeout(limit.time(), work).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(late(limit.in_minutes())),
        }
    }
}

/// A limit that several parts of a command share, with whatever is not counted in between, such as a question.
#[derive(Debug)]
pub struct Share {
    limit: Limit,
    spent: Cell<Duration>,
}

impl Share {
    /// All of `limit`.
    pub const fn new(limit: Limit) -> Self {
        Self {
            limit,
            spent: Cell::new(Duration::ZERO),
        }
    }

    /// Does `work` as long as what is left allows, as [`within`] does.
    pub fn within<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
        late: impl FnOnce(u64) -> E,
    ) -> impl Future<Output = Result<T, E>> {
        let work = Box::pin(work);
        async move {
            let began = Instant::now();
            let left = self.limit.time().saturating_sub(self.spent.get());
            let outcome = tokio::time::timeout(left, work).await;
            self.spent.set(self.spent.get() + began.elapsed());
            outcome.unwrap_or_else(|_elapsed| Err(late(self.limit.in_minutes())))
        }
    }
}
