//! One budget of bytes for all data that waits inside a stack: messages on their way to functions and to clients, and
//! bodies of requests and responses.
//!
//! Two kinds of bodies have only limits of their own, because work that has begun needs them to end and to return its
//! bytes: the responses of functions and requests to tables.
//!
//! Each connection draws on it through its own [`Share`]. Three rules make it fair without a queue:
//!
//! - A share takes only part of the free bytes, so several large ones together still leave some, and a share without
//!   any bytes gets in.
//! - A small share is always admitted. The number of connections bounds the sum of these.
//! - Work that has begun may draw on parts of the budget that new work may not ([`Stage`]), so that it can end and
//!   return its bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Every share may hold this many bytes, whatever the others hold: a usual message and its event.
pub(crate) const ALWAYS: usize = 8 * 1024;

/// A share that begins work takes at most one of this many parts of the free bytes.
const PART: usize = 4;

/// The interval between two attempts to get in.
const RETRY: Duration = Duration::from_millis(20);

/// The stage of a piece of work, which decides how much of the budget it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// New work: up to half of the budget, and only part of what is free of that.
    Begin,
    /// Data that has begun to arrive: up to three quarters.
    Continue,
    /// Data that has arrived and is being processed: all of it.
    Finish,
}

/// The bytes that may wait inside a stack.
#[derive(Debug)]
pub(crate) struct Budget {
    total: usize,
    used: AtomicUsize,
    shares: AtomicU64,
}

/// The part of a budget that one connection, one caller or one queue holds.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    held: AtomicUsize,
    number: u64,
}

/// Bytes of a share, returned when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    share: Arc<Share>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(total: usize) -> Arc<Self> {
        Arc::new(Self {
            total,
            used: AtomicUsize::new(0),
            shares: AtomicU64::new(0),
        })
    }

    /// A new share without any bytes.
    pub(crate) fn share(self: &Arc<Self>) -> Arc<Share> {
        Arc::new(Share {
            budget: Arc::clone(self),
            held: AtomicUsize::new(0),
            number: self.shares.fetch_add(1, Ordering::Relaxed),
        })
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether so much is used that nothing large may begin.
    pub(crate) fn is_tight(&self) -> bool {
        self.used() >= self.total / 2
    }
}

impl Share {
    /// A number that identifies this share in its budget.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Whether this share may hold `more` bytes.
    pub(crate) fn admits(&self, more: usize, stage: Stage) -> bool {
        let would_hold = self.held().saturating_add(more);
        let Budget { total, .. } = *self.budget;
        let used = self.budget.used();
        would_hold <= ALWAYS
            || match stage {
                Stage::Begin => would_hold <= (total / 2).saturating_sub(used) / PART,
                Stage::Continue => used.saturating_add(more) <= total / 4 * 3,
                Stage::Finish => used.saturating_add(more) <= total,
            }
    }

    /// Takes `bytes` if the share may hold them.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize, stage: Stage) -> Option<Reservation> {
        self.admits(bytes, stage).then(|| self.take_anyway(bytes))
    }

    /// Adds `more` bytes that exist already; [`Share::shrink`] returns them.
    pub(crate) fn grow(&self, more: usize) {
        self.held.fetch_add(more, Ordering::Relaxed);
        self.budget.used.fetch_add(more, Ordering::Relaxed);
    }

    /// Returns bytes that [`Share::grow`] has added.
    pub(crate) fn shrink(&self, less: usize) {
        self.held.fetch_sub(less, Ordering::Relaxed);
        self.budget.used.fetch_sub(less, Ordering::Relaxed);
    }

    /// Takes `bytes` that exist already, without a check.
    pub(crate) fn take_anyway(self: &Arc<Self>, bytes: usize) -> Reservation {
        let mut held = Reservation {
            share: Arc::clone(self),
            bytes: 0,
        };
        held.resize(bytes);
        held
    }

    /// Takes `bytes` that have arrived, once there is room. It waits without limit; the caller sets a timeout.
    pub(crate) async fn take_when_free(self: &Arc<Self>, bytes: usize) -> Reservation {
        while !self.admits(bytes, Stage::Finish) {
            tokio::time::sleep(RETRY).await;
        }
        self.take_anyway(bytes)
    }
}

impl Reservation {
    /// Changes the held bytes to `bytes`, more or less than before.
    pub(crate) fn resize(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.share.grow(bytes - self.bytes);
        } else {
            self.share.shrink(self.bytes - bytes);
        }
        self.bytes = bytes;
    }

    /// Adds `more` bytes, once there is room for them.
    pub(crate) async fn grow_when_free(&mut self, more: usize) {
        while !self.share.admits(more, Stage::Finish) {
            tokio::time::sleep(RETRY).await;
        }
        self.resize(self.bytes + more);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn share(&self) -> &Arc<Share> {
        &self.share
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KB: usize = 1024;
    const MB: usize = 1024 * KB;

    /// Takes pieces of `piece` bytes until the share gets no more.
    fn fill(share: &Arc<Share>, piece: usize, stage: Stage) -> Vec<Reservation> {
        std::iter::from_fn(|| share.take(piece, stage)).collect()
    }

    #[test]
    fn dropped_bytes_are_returned() {
        let budget = Budget::new(MB);
        let share = budget.share();
        let mut held = share.take(10 * KB, Stage::Begin).unwrap();
        held.resize(4 * KB);
        let more = share.take_anyway(KB);
        assert_eq!((budget.used(), share.held()), (5 * KB, 5 * KB));
        drop((held, more));
        assert_eq!((budget.used(), share.held()), (0, 0));
    }

    #[test]
    fn any_number_of_large_shares_leave_room_for_another() {
        for count in [1, 10, 200, 2_000] {
            let budget = Budget::new(64 * MB);
            let greedy: Vec<_> = (0..count).map(|_| budget.share()).collect();
            // Round after round, as long as one of them gets another piece.
            let mut held: Vec<Reservation> = Vec::new();
            loop {
                let before = held.len();
                held.extend(greedy.iter().filter_map(|it| it.take(4 * KB, Stage::Begin)));
                if held.len() == before {
                    break;
                }
            }
            let small = ALWAYS * count;
            assert!(
                budget.used() <= 32 * MB + small,
                "{count}: {}",
                budget.used()
            );
            assert!(
                budget.share().take(ALWAYS, Stage::Begin).is_some(),
                "{count}"
            );
        }
    }

    #[test]
    fn one_share_gets_at_most_a_fifth_of_the_bytes_for_new_work() {
        let budget = Budget::new(64 * MB);
        let held = fill(&budget.share(), 64 * KB, Stage::Begin);
        assert!(budget.used() <= 32 * MB / 5, "{}", budget.used());
        assert!(budget.share().take(MB, Stage::Begin).is_some());
        drop(held);
    }

    #[test]
    fn begun_work_continues_when_no_new_work_may_begin() {
        let budget = Budget::new(64 * MB);
        let (first, second) = (budget.share(), budget.share());
        let begun = first.take_anyway(32 * MB);
        assert!(budget.is_tight());
        assert!(second.take(64 * KB, Stage::Begin).is_none());
        let continued = fill(&second, 64 * KB, Stage::Continue);
        assert_eq!(budget.used(), 48 * MB);
        let finished = fill(&second, 64 * KB, Stage::Finish);
        assert_eq!(budget.used(), 64 * MB);
        drop((begun, continued, finished));
        assert!(!budget.is_tight());
    }

    #[tokio::test]
    async fn waiting_work_gets_room_when_bytes_are_returned() {
        let budget = Budget::new(MB);
        let full = budget.share().take_anyway(MB);
        let share = budget.share();
        let waiting = tokio::spawn(async move { share.take_when_free(64 * KB).await.bytes() });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(full);
        assert_eq!(waiting.await.unwrap(), 64 * KB);
        assert_eq!(budget.used(), 0);
    }
}
