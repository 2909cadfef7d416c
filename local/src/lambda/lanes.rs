//! Which process may take whose event: what takes long does not hold up what takes little time. Pure.
//!
//! On AWS nobody waits for anybody, because Lambda starts more processes. Here their number is limited, and a few sources
//! whose events take long, such as posts to clients that do not read, would soon have all of them. So a few more may be
//! started, for sources only whose last events took little time.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// How many more there may be.
const MORE: usize = 4;

/// An event takes little time that takes less than this, by the last ones of its source.
const QUICK: Duration = Duration::from_millis(50);

/// How many sources are remembered at most.
const SOURCES: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// How long the events of a source take, smoothed.
    usual: HashMap<u64, Duration>,
    /// The processes that work for sources of which that is not known, or long.
    others: BTreeSet<u64>,
}

impl Lanes {
    pub(super) fn is_quick(&self, source: u64) -> bool {
        self.usual.get(&source).is_some_and(|usual| *usual < QUICK)
    }

    /// Whether an event of `source` may be given to an idle process where `capacity` processes are the usual limit.
    pub(super) fn admit(&self, source: u64, capacity: usize) -> bool {
        self.has_room(capacity) || self.is_quick(source)
    }

    /// Whether there is room for any source.
    pub(super) fn has_room(&self, capacity: usize) -> bool {
        self.others.len() < capacity
    }

    /// How many processes there may be. `is_reserved`: the template says how many, and means it.
    pub(super) fn room(&self, capacity: usize, is_reserved: bool) -> usize {
        if is_reserved || self.has_room(capacity) {
            capacity
        } else {
            capacity + MORE
        }
    }

    /// Notes that `process` got an event of `source`.
    pub(super) fn begun(&mut self, process: u64, source: u64) {
        if !self.is_quick(source) {
            self.others.insert(process);
        }
    }

    /// Notes that `process` has answered, or is gone.
    pub(super) fn ended(&mut self, process: u64) {
        self.others.remove(&process);
    }

    /// Notes how long an event of `source` took.
    pub(super) fn took(&mut self, source: u64, took: Duration) {
        if self.usual.len() >= SOURCES && !self.usual.contains_key(&source) {
            self.usual.clear();
        }
        let usual = self.usual.entry(source).or_insert(took);
        *usual = (*usual * 3 + took) / 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(2);
    const LONG: Duration = Duration::from_secs(3);

    #[test]
    fn sources_whose_events_take_long_leave_room_for_others() {
        let mut lanes = Lanes::default();
        lanes.took(1, SHORT);
        for process in 0..2 {
            assert!(lanes.admit(7, 2) && lanes.room(2, false) == 2);
            lanes.begun(process, 7);
        }
        assert!(!lanes.admit(7, 2) && !lanes.admit(8, 2));
        assert!(lanes.admit(1, 2));
        assert_eq!((lanes.room(2, false), lanes.room(2, true)), (6, 2));
        // Which takes no place from the others.
        lanes.begun(2, 1);
        lanes.ended(0);
        assert!(lanes.admit(8, 2) && lanes.room(2, false) == 2);
    }

    #[test]
    fn one_long_event_does_not_make_a_source_slow_for_good() {
        let mut lanes = Lanes::default();
        assert!(!lanes.is_quick(1), "it is not known yet");
        lanes.took(1, SHORT);
        assert!(lanes.is_quick(1));
        lanes.took(1, LONG);
        assert!(!lanes.is_quick(1));
        for _ in 0..20 {
            lanes.took(1, SHORT);
        }
        assert!(lanes.is_quick(1));
    }

    #[test]
    fn a_bounded_number_of_sources_is_remembered() {
        let mut lanes = Lanes::default();
        for source in 0..3 * SOURCES as u64 {
            lanes.took(source, SHORT);
        }
        assert!(lanes.usual.len() <= SOURCES);
    }
}
