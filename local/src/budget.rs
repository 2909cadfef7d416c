//! One budget of bytes for everything that waits inside a stack: messages on their way to functions, messages on their
//! way to clients, bodies of requests and of answers.
//!
//! Each connection draws on it by a [`Share`] of its own. Three rules keep it from being a queue of its own kind:
//!
//! - A share takes part of what is left only, so many greedy ones together still leave something, and a share that holds
//!   nothing yet gets in.
//! - A small share is always let in. What that adds is bounded by the number of connections.
//! - What has begun may draw on parts of the budget that new things may not ([`Stage`]), so whatever is under way can
//!   end and give back what it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Every share may hold as much as this, whatever the others hold: a usual message and its event.
pub(crate) const ALWAYS: usize = 8 * 1024;

/// A share that begins something takes at most this part of what is left.
const PART: usize = 4;

/// Between two tries to get in.
const RETRY: Duration = Duration::from_millis(20);

/// How far something is, and so how much of the budget it may draw on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is new: up to half of the budget, and only a part of what is left of that.
    Begin,
    /// It has begun to arrive: up to three quarters.
    Continue,
    /// It has arrived and is worked on: all of it.
    Finish,
}

/// The bytes that may wait inside a stack.
#[derive(Debug)]
pub(crate) struct Budget {
    total: usize,
    used: AtomicUsize,
    shares: AtomicU64,
}

/// What one connection, one caller or one queue holds of a budget.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    held: AtomicUsize,
    number: u64,
}

/// Bytes of a share, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
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

    /// A share that holds nothing yet.
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
    /// Tells this share from all others of its budget.
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

    /// Takes `bytes` if they may be held.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize, stage: Stage) -> Option<Held> {
        self.admits(bytes, stage).then(|| self.take_anyway(bytes))
    }

    /// Holds `more` bytes that are there already; [`Share::shrink`] gives them back.
    pub(crate) fn grow(&self, more: usize) {
        self.held.fetch_add(more, Ordering::Relaxed);
        self.budget.used.fetch_add(more, Ordering::Relaxed);
    }

    /// Gives back what [`Share::grow`] has taken.
    pub(crate) fn shrink(&self, less: usize) {
        self.held.fetch_sub(less, Ordering::Relaxed);
        self.budget.used.fetch_sub(less, Ordering::Relaxed);
    }

    /// Takes `bytes` that are there already.
    pub(crate) fn take_anyway(self: &Arc<Self>, bytes: usize) -> Held {
        let mut held = Held {
            share: Arc::clone(self),
            bytes: 0,
        };
        held.resize(bytes);
        held
    }

    /// Takes `bytes` of something that has arrived, once there is room. Whoever waits limits the wait.
    pub(crate) async fn take_patiently(self: &Arc<Self>, bytes: usize) -> Held {
        while !self.admits(bytes, Stage::Finish) {
            tokio::time::sleep(RETRY).await;
        }
        self.take_anyway(bytes)
    }
}

impl Held {
    /// Holds `bytes` from now on, be it more or less than before.
    pub(crate) fn resize(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.share.grow(bytes - self.bytes);
        } else {
            self.share.shrink(self.bytes - bytes);
        }
        self.bytes = bytes;
    }

    /// Holds `more` bytes on top, once there is room for them.
    pub(crate) async fn grow_patiently(&mut self, more: usize) {
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

impl Drop for Held {
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
    fn fill(share: &Arc<Share>, piece: usize, stage: Stage) -> Vec<Held> {
        std::iter::from_fn(|| share.take(piece, stage)).collect()
    }

    #[test]
    fn what_is_dropped_is_given_back() {
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
    fn any_number_of_greedy_shares_leave_room_for_another() {
        for count in [1, 10, 200, 2_000] {
            let budget = Budget::new(64 * MB);
            let greedy: Vec<_> = (0..count).map(|_| budget.share()).collect();
            // Round after round, as long as one of them gets another piece.
            let mut held: Vec<Held> = Vec::new();
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
    fn one_share_gets_no_more_than_a_fifth_of_what_may_begin() {
        let budget = Budget::new(64 * MB);
        let held = fill(&budget.share(), 64 * KB, Stage::Begin);
        assert!(budget.used() <= 32 * MB / 5, "{}", budget.used());
        assert!(budget.share().take(MB, Stage::Begin).is_some());
        drop(held);
    }

    #[test]
    fn what_has_begun_goes_on_when_nothing_new_may_begin() {
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
    async fn what_waits_for_room_gets_it_when_something_is_given_back() {
        let budget = Budget::new(MB);
        let full = budget.share().take_anyway(MB);
        let share = budget.share();
        let waiting = tokio::spawn(async move { share.take_patiently(64 * KB).await.bytes() });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(full);
        assert_eq!(waiting.await.unwrap(), 64 * KB);
        assert_eq!(budget.used(), 0);
    }
}
