//! How many posts are under way at once: more as long as that helps, half as many when the gateway has enough. Pure.

use std::time::Duration;

/// How many are begun with. Each post needs a connection of its own, which is some 70 KB here and a TLS handshake the first
/// time, for a function that has a third of a processor.
pub const POSTS_AT_FIRST: usize = 32;

/// One in so many posts of a round may be refused before it counts as too much at once: the refused ones are posted again
/// later, so a few of them cost nothing, and the few may be of clients that read too slowly.
const TOLERATED: usize = 10;

/// So few places are only left where others use up what the account may ask.
const BUSY: usize = 4;

/// How much slower posts may get by being more: twice as slow as they have been is no faster in the end.
const SLOWER: u32 = 2;

/// The pause after each post where even one at a time is too much: the first one, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How many posts may be under way at once.
///
/// Counted in rounds of as many posts as there are places. A round of which one tenth was refused halves the places; any other
/// adds a quarter of them, or one once there has been a refusal, unless posts have become slower by it: then it is this function,
/// or the way to the gateway, that is busy. Where one place is too many, each post is followed by a pause that doubles and halves. Posts that were under way when the places were halved say nothing new.
///
/// (TCP shares a line in the same way: additive increase, multiplicative decrease,
/// <https://www.rfc-editor.org/rfc/rfc5681>.)
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    places: usize,
    is_careful: bool,
    pause: Duration,
    /// How many posts to overlook.
    old: usize,
    round: Round,
    /// How long a post takes, smoothed, and the least that this has been.
    usual: Option<Duration>,
    best: Duration,
}

#[derive(Debug, Default)]
struct Round {
    answered: usize,
    refused: usize,
    took: Duration,
}

impl Pace {
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

    /// How long to begin nothing after a post.
    pub(super) const fn pause(&self) -> Duration {
        self.pause
    }

    /// Whether the account as a whole is asked too much, so that a refusal says nothing of its receiver.
    pub(super) const fn is_account_busy(&self) -> bool {
        self.is_careful && self.places <= BUSY
    }

    /// Whether one at a time is all that is allowed.
    pub(super) const fn is_slowest(&self) -> bool {
        self.places == 1
    }

    /// Notes that a post took so long and whether it was refused with 429, while so many others were under way.
    ///
    /// Only for what is posted for the first time: what is refused again may be refused for its receiver's sake. Where all goes
    /// [one at a time](Self::is_slowest), for everything, as little is posted for the first time then.
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
        // Not everything was refused, so something was answered.
        let took = took / u32::try_from(answered).unwrap_or(u32::MAX);
        let usual = self.usual.map_or(took, |usual| (usual * 7 + took) / 8);
        self.usual = Some(usual);
        self.best = self.best.min(usual);
        // The last round is asked for what has just changed, all of them for what a single round does not show.
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

    /// Notes a full round of which so many posts are refused.
    fn round(pace: &mut Pace, refused: usize, took: Duration) {
        for number in 0..pace.places() {
            pace.note(took, number < refused, 0);
        }
    }

    #[test]
    fn places_become_more_as_long_as_nothing_is_refused_and_no_more_than_allowed() {
        let mut pace = Pace::up_to(128);
        let mut seen = vec![pace.places()];
        for _ in 0..8 {
            round(&mut pace, 0, QUICK);
            seen.push(pace.places());
        }
        assert_eq!(seen, [32, 40, 50, 63, 79, 99, 124, 128, 128]);
        assert_eq!(Pace::up_to(5).places(), 5);
    }

    #[test]
    fn a_tenth_refused_halves_them_and_recovery_is_one_by_one() {
        let mut pace = Pace::up_to(128);
        round(&mut pace, 3, QUICK);
        assert_eq!(pace.places(), 40, "3 of 32 are tolerated");
        round(&mut pace, 4, QUICK);
        assert_eq!(pace.places(), 20);
        round(&mut pace, 0, QUICK);
        assert_eq!(pace.places(), 21);
        for _ in 0..10 {
            let all = pace.places();
            round(&mut pace, all, QUICK);
        }
        assert_eq!(pace.places(), 1, "one post is always allowed");
    }

    #[test]
    fn where_one_at_a_time_is_too_much_pauses_grow_and_shrink_again() {
        let mut pace = Pace::up_to(1);
        let mut seen = Vec::new();
        for refused in [0, 1, 1, 1, 0, 0, 0, 0, 0] {
            round(&mut pace, refused, QUICK);
            seen.push(pace.pause().as_millis());
        }
        assert_eq!(seen, [0, 20, 40, 80, 40, 20, 10, 0, 0]);
        for _ in 0..20 {
            round(&mut pace, 1, QUICK);
        }
        assert_eq!(pace.pause(), MAX_PAUSE);
    }

    #[test]
    fn what_was_under_way_at_a_halving_does_not_halve_again() {
        let mut pace = Pace::up_to(128);
        for _ in 0..32 {
            pace.note(QUICK, true, 31);
        }
        assert_eq!(pace.places(), 16);
        for _ in 0..31 {
            pace.note(QUICK, true, 10);
        }
        assert_eq!(pace.places(), 16);
        round(&mut pace, 0, QUICK);
        assert_eq!(pace.places(), 17);
    }

    #[test]
    fn posts_that_become_slower_by_being_more_stop_the_growth() {
        let mut pace = Pace::up_to(1_000);
        for _ in 0..100 {
            // A processor that is busy from 32 posts on.
            let took = QUICK * u32::try_from(pace.places()).unwrap() / 32;
            round(&mut pace, 0, took);
        }
        assert!((64..100).contains(&pace.places()), "{}", pace.places());
    }
}
