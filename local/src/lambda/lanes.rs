//! Reserves processes for small events of sources with quick events, so that slow and large events do not delay them.
//! Pure.
//!
//! On AWS no event waits for another, because Lambda starts more processes. Here their number is limited, and a few
//! sources with slow events, such as posts to clients that do not read, would soon occupy all of them. So a few more
//! processes may be started, only for small events of sources whose last events were quick. Large events are not among
//! them, because they take long once there are many: each costs processor time in its process, and all share the
//! processors.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// The number of additional processes.
const MORE: usize = 4;

/// An event is quick if the last ones of its source took less than this.
const QUICK: Duration = Duration::from_millis(50);

/// An event that takes this long makes its source slow at once.
const SLOW: Duration = Duration::from_secs(1);

/// The standing of a source that has only had quick events lately. Two events that are neither quick nor slow use it up:
/// a busy machine delays single events of every source.
const BEST: u8 = 4;

/// The size in bytes up to which an event is small: that of a usual message, with its context.
const SMALL: u64 = 16 * 1024;

/// The most sources that are remembered.
const MAX_SOURCES: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// Where the sources stand, by their last events: quick above 0, at most [`BEST`].
    standing: HashMap<u64, u8>,
    /// The processes that work on other events: of sources whose duration is unknown or long, or large ones.
    others: BTreeSet<u64>,
}

/// What decides which processes may get an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) source: u64,
    /// In bytes.
    pub(super) size: u64,
}

/// What a pool asks of its jobs.
pub(super) trait HasLoad {
    fn load(&self) -> Load;
}

impl Lanes {
    /// Whether an event may use the additional processes.
    pub(super) fn is_quick(&self, Load { source, size }: Load) -> bool {
        size <= SMALL && self.standing.get(&source).is_some_and(|it| *it > 0)
    }

    /// Whether an idle process may get the event, if `capacity` processes are the usual limit.
    pub(super) fn admit(&self, event: Load, capacity: usize) -> bool {
        self.has_room(capacity) || self.is_quick(event)
    }

    /// Whether there is room for any event.
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

    /// Notes that `process` got the event.
    pub(super) fn begun(&mut self, process: u64, event: Load) {
        if !self.is_quick(event) {
            self.others.insert(process);
        }
    }

    /// Notes that `process` has responded, or has ended.
    pub(super) fn ended(&mut self, process: u64) {
        self.others.remove(&process);
    }

    /// Notes the duration of an event of `source`.
    pub(super) fn took(&mut self, source: u64, took: Duration) {
        if self.standing.len() >= MAX_SOURCES && !self.standing.contains_key(&source) {
            self.standing.clear();
        }
        let standing = self.standing.entry(source).or_default();
        *standing = match took {
            took if took < QUICK => (*standing + 1).min(BEST),
            took if took < SLOW => standing.saturating_sub(BEST / 2),
            _ => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(2);
    const LONG: Duration = Duration::from_secs(3);

    /// A small event.
    fn small_event(source: u64) -> Load {
        Load {
            source,
            size: 1_000,
        }
    }

    #[test]
    fn sources_with_slow_events_leave_room_for_others() {
        let mut lanes = Lanes::default();
        lanes.took(1, SHORT);
        for process in 0..2 {
            assert!(lanes.admit(small_event(7), 2) && lanes.room(2, false) == 2);
            lanes.begun(process, small_event(7));
        }
        assert!(!lanes.admit(small_event(7), 2) && !lanes.admit(small_event(8), 2));
        assert!(lanes.admit(small_event(1), 2));
        assert_eq!((lanes.room(2, false), lanes.room(2, true)), (6, 2));
        // It takes no place from the others.
        lanes.begun(2, small_event(1));
        lanes.ended(0);
        assert!(lanes.admit(small_event(8), 2) && lanes.room(2, false) == 2);
    }

    #[test]
    fn large_events_leave_the_additional_processes_to_small_ones_however_quick_they_are() {
        let mut lanes = Lanes::default();
        let large = Load {
            source: 7,
            size: 128 * 1024,
        };
        lanes.took(1, SHORT);
        lanes.took(7, SHORT);
        for process in 0..2 {
            assert!(lanes.admit(large, 2));
            lanes.begun(process, large);
        }
        assert!(
            !lanes.admit(large, 2)
                && lanes.admit(small_event(7), 2)
                && lanes.admit(small_event(1), 2)
        );
    }

    #[test]
    fn an_event_that_a_busy_machine_delays_does_not_make_a_quick_source_slow() {
        const DELAYED: Duration = Duration::from_millis(300);
        let mut lanes = Lanes::default();
        for _ in 0..4 {
            lanes.took(1, SHORT);
        }
        lanes.took(1, DELAYED);
        assert!(lanes.is_quick(small_event(1)));
        lanes.took(1, DELAYED);
        assert!(
            !lanes.is_quick(small_event(1)),
            "the events of this source take long"
        );
    }

    #[test]
    fn one_long_event_does_not_make_a_source_slow_for_good() {
        let mut lanes = Lanes::default();
        assert!(
            !lanes.is_quick(small_event(1)),
            "its duration is not known yet"
        );
        lanes.took(1, SHORT);
        assert!(lanes.is_quick(small_event(1)));
        lanes.took(1, LONG);
        assert!(!lanes.is_quick(small_event(1)));
        for _ in 0..20 {
            lanes.took(1, SHORT);
        }
        assert!(lanes.is_quick(small_event(1)));
    }

    #[test]
    fn a_bounded_number_of_sources_is_remembered() {
        let mut lanes = Lanes::default();
        for source in 0..3 * MAX_SOURCES as u64 {
            lanes.took(source, SHORT);
        }
        assert!(lanes.standing.len() <= MAX_SOURCES);
    }
}
