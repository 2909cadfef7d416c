//! Adapts the number of concurrent posts: more as long as that is faster, half as many when the gateway refuses. Pure.

use std::time::Duration;

/// The initial number. Each post needs its own connection, which takes some 70 KB here and a TLS handshake the first
/// time, for a function that has a third of a processor.
pub const POSTS_AT_FIRST: usize = 32;

/// One in this many posts of a round may be refused without counting as an overload: refused posts are retried later,
/// so a few cost nothing, and those may be to slow clients.
const TOLERATED: usize = 10;

/// This few slots only remain if other callers use up the account's limit.
const BUSY: usize = 4;

/// The tolerated slow-down from more concurrency: posts that take twice as long are no faster in the end.
const SLOWER: u32 = 2;

/// The pause after each post when even one at a time is too much: the first one, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// The number of concurrent posts.
///
/// It is adapted in rounds of as many posts as there are slots. A round with a tenth refused halves the slots. Any
/// other round adds a quarter of them, or one once there has been a refusal, unless posts have become slower: then this
/// function or its connection to the gateway is the bottleneck. If one slot is too many, each post is followed by a
/// pause that doubles and halves. Posts in progress at a halving are not counted again.
///
/// (TCP shares a link in the same way: additive increase, multiplicative decrease,
/// <https://www.rfc-editor.org/rfc/rfc5681>.)
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    most: usize,
    places: usize,
    is_careful: bool,
    pause: Duration,
    /// The number of posts to ignore.
    old: usize,
    round: Round,
    /// The smoothed time of a post, and its minimum.
    usual: Option<Duration>,
    best: Duration,
}

#[derive(Debug, Default)]
struct Round {
    answered: usize,
    refused: usize,
    took: Duration,
}

impl ConcurrencyLimit {
    pub(super) fn up_to(most: usize) -> Self {
        Self {
            most,
            places: POSTS_AT_FIRST.min(most),
            is_careful: false,
            pause: Duration::ZERO,
            old: 0,
            round: Round::default(),
            usual: None,
            best: Duration::MAX,
        }
    }

    pub(super) const fn places(&self) -> usize {
        self.places
    }

    /// The pause after a post.
    pub(super) const fn pause(&self) -> Duration {
        self.pause
    }

    /// Whether the account as a whole is over its limit, so that a refusal is not the receiver's fault.
    pub(super) const fn is_account_busy(&self) -> bool {
        self.is_careful && self.places <= BUSY
    }

    /// Whether only one post at a time is allowed.
    pub(super) const fn is_slowest(&self) -> bool {
        self.places == 1
    }

    /// Records the time of a post and whether it got 429, while `under_way` others were in progress.
    ///
    /// Only for first attempts, because a retry may be refused because of its receiver. When posts go [one at a
    /// time](Self::is_slowest), it is for all of them, because few first attempts are made then.
    pub(super) fn note(&mut self, took: Duration, is_refused: bool, under_way: usize) {
        if self.old > 0 {
            self.old -= 1;
            return;
        }
        let round = &mut self.round;
        if is_refused {
            round.refused += 1;
        } else {
            round.answered += 1;
            round.took += took;
        }
        if round.answered + round.refused >= self.places {
            self.end_round(under_way);
        }
    }

    fn end_round(&mut self, under_way: usize) {
        let Round {
            answered,
            refused,
            took,
        } = std::mem::take(&mut self.round);
        if refused * TOLERATED >= answered + refused {
            if self.is_slowest() {
                self.pause = (self.pause * 2).clamp(FIRST_PAUSE, MAX_PAUSE);
            }
            self.places = (self.places / 2).max(1);
            self.is_careful = true;
            self.old = under_way;
            return;
        }
        if !self.pause.is_zero() {
            let shorter = self.pause / 2;
            self.pause = if shorter < FIRST_PAUSE / 2 {
                Duration::ZERO
            } else {
                shorter
            };
            return;
        }
        // Some posts were not refused, so there was a response.
        let took = took / u32::try_from(answered).unwrap_or(u32::MAX);
        let usual = self.usual.map_or(took, |usual| (usual * 7 + took) / 8);
        self.usual = Some(usual);
        self.best = self.best.min(usual);
        // The last round shows recent changes; the average shows what a single round does not.
        if took.max(usual) <= self.best * SLOWER {
            let more = if self.is_careful {
                1
            } else {
                self.places.div_ceil(4)
            };
            self.places = (self.places + more).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(15);

    /// Records a full round with `refused` refused posts.
    fn round(concurrency: &mut ConcurrencyLimit, refused: usize, took: Duration) {
        for number in 0..concurrency.places() {
            concurrency.note(took, number < refused, 0);
        }
    }

    #[test]
    fn slots_increase_up_to_the_limit_while_nothing_is_refused() {
        let mut concurrency = ConcurrencyLimit::up_to(128);
        let mut seen = vec![concurrency.places()];
        for _ in 0..8 {
            round(&mut concurrency, 0, QUICK);
            seen.push(concurrency.places());
        }
        assert_eq!(seen, [32, 40, 50, 63, 79, 99, 124, 128, 128]);
        assert_eq!(ConcurrencyLimit::up_to(5).places(), 5);
    }

    #[test]
    fn a_tenth_refused_halves_them_and_recovery_is_one_by_one() {
        let mut concurrency = ConcurrencyLimit::up_to(128);
        round(&mut concurrency, 3, QUICK);
        assert_eq!(concurrency.places(), 40, "3 of 32 are tolerated");
        round(&mut concurrency, 4, QUICK);
        assert_eq!(concurrency.places(), 20);
        round(&mut concurrency, 0, QUICK);
        assert_eq!(concurrency.places(), 21);
        for _ in 0..10 {
            let all = concurrency.places();
            round(&mut concurrency, all, QUICK);
        }
        assert_eq!(concurrency.places(), 1, "one post is always allowed");
    }

    #[test]
    fn if_one_slot_is_too_much_pauses_grow_and_shrink_again() {
        let mut concurrency = ConcurrencyLimit::up_to(1);
        let mut seen = Vec::new();
        for refused in [0, 1, 1, 1, 0, 0, 0, 0, 0] {
            round(&mut concurrency, refused, QUICK);
            seen.push(concurrency.pause().as_millis());
        }
        assert_eq!(seen, [0, 20, 40, 80, 40, 20, 10, 0, 0]);
        for _ in 0..20 {
            round(&mut concurrency, 1, QUICK);
        }
        assert_eq!(concurrency.pause(), MAX_PAUSE);
    }

    #[test]
    fn posts_in_progress_at_a_halving_do_not_halve_again() {
        let mut concurrency = ConcurrencyLimit::up_to(128);
        for _ in 0..32 {
            concurrency.note(QUICK, true, 31);
        }
        assert_eq!(concurrency.places(), 16);
        for _ in 0..31 {
            concurrency.note(QUICK, true, 10);
        }
        assert_eq!(concurrency.places(), 16);
        round(&mut concurrency, 0, QUICK);
        assert_eq!(concurrency.places(), 17);
    }

    #[test]
    fn posts_that_slow_down_with_concurrency_stop_the_growth() {
        let mut concurrency = ConcurrencyLimit::up_to(1_000);
        for _ in 0..100 {
            // A processor that is fully used from 32 posts on.
            let took = QUICK * u32::try_from(concurrency.places()).unwrap() / 32;
            round(&mut concurrency, 0, took);
        }
        assert!(
            (64..100).contains(&concurrency.places()),
            "{}",
            concurrency.places()
        );
    }
}
