//! Reserves processes for sources with quick events, so that slow events do not delay them. Pure.
//!
//! On AWS no event waits for another, because Lambda starts more processes. Here their number is limited, and a few
//! sources with slow events, such as posts to clients that do not read, would soon occupy all of them. So a few more
//! processes may be started, only for sources whose last events were quick.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// The number of additional processes.
const MORE: usize = 4;

/// An event is quick if the last ones of its source took less than this.
const QUICK: Duration = Duration::from_millis(50);

/// The most sources that are remembered.
const SOURCES: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// The smoothed duration of each source's events.
    usual: HashMap<u64, Duration>,
    /// The processes that work for sources whose duration is unknown or long.
    others: BTreeSet<u64>,
}

impl Lanes {
    pub(super) fn is_quick(&self, source: u64) -> bool {
        self.usual.get(&source).is_some_and(|usual| *usual < QUICK)
    }

    /// Whether an idle process may get an event of `source`, if `capacity` processes are the usual limit.
    pub(super) fn admit(&self, source: u64, capacity: usize) -> bool {
        self.has_room(capacity) || self.is_quick(source)
    }

    /// Whether there is room for any source.
    pub(super) fn has_room(&self, capacity: usize) -> bool {
        self.others.len() < capacity
    }

    /// The most processes. `is_reserved`: the template sets the number, so there is no reserve.
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

    /// Notes that `process` has responded, or has ended.
    pub(super) fn ended(&mut self, process: u64) {
        self.others.remove(&process);
    }

    /// Notes the duration of an event of `source`.
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
    fn sources_with_slow_events_leave_room_for_others() {
        let mut lanes = Lanes::default();
        lanes.took(1, SHORT);
        for process in 0..2 {
            assert!(lanes.admit(7, 2) && lanes.room(2, false) == 2);
            lanes.begun(process, 7);
        }
        assert!(!lanes.admit(7, 2) && !lanes.admit(8, 2));
        assert!(lanes.admit(1, 2));
        assert_eq!((lanes.room(2, false), lanes.room(2, true)), (6, 2));
        // It takes no place from the others.
        lanes.begun(2, 1);
        lanes.ended(0);
        assert!(lanes.admit(8, 2) && lanes.room(2, false) == 2);
    }

    #[test]
    fn one_long_event_does_not_make_a_source_slow_for_good() {
        let mut lanes = Lanes::default();
        assert!(!lanes.is_quick(1), "its duration is not known yet");
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
