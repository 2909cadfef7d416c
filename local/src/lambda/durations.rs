//! How long invocations have taken, counted by ranges.

use std::collections::BTreeMap;
use std::time::Duration;

/// Ranges of one doubling. A range is at most a sixteenth as wide as its values are large.
const PARTS: u64 = 16;

/// Counts by ranges of durations, so that the difference of two counts is that of the time between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations {
    /// By the number of the range; no range without a duration is in it.
    counts: BTreeMap<u64, u64>,
}

impl Durations {
    pub(super) fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        *self.counts.entry(range(micros)).or_default() += 1;
    }

    /// The longest duration of each range that is not empty, and how many were in it.
    pub(super) fn counts(&self) -> Vec<(Duration, u64)> {
        let counts = self.counts.iter();
        counts
            .map(|(range, count)| (Duration::from_micros(longest(*range)), *count))
            .collect()
    }
}

/// The number of the range that so many microseconds are in. The first ranges hold one value each.
fn range(micros: u64) -> u64 {
    if micros < PARTS {
        return micros;
    }
    let doublings = u64::from((micros / PARTS).ilog2());
    doublings * PARTS + (micros >> doublings)
}

/// The most microseconds in a range.
fn longest(range: u64) -> u64 {
    if range < PARTS {
        return range;
    }
    let doublings = range / PARTS - 1;
    let first = (range - doublings * PARTS) << doublings;
    first + ((1 << doublings) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_in_one_range_whose_longest_is_at_most_a_sixteenth_longer() {
        let values = (0..5_000).chain((0..40).map(|power| (1 << power) + 77));
        let mut last = 0;
        for micros in values {
            let longest = longest(range(micros));
            assert!(micros <= longest, "{micros}");
            assert!(longest - micros <= micros / PARTS, "{micros}: {longest}");
            assert!(range(longest) == range(micros) && range(longest + 1) == range(micros) + 1);
            assert!(range(micros) >= last || micros < 5_000);
            last = range(micros);
        }
    }

    #[test]
    fn durations_are_counted_by_range_in_their_order() {
        let mut durations = Durations::default();
        for micros in [1_000, 1_001, 3, 900_000_000] {
            durations.add(Duration::from_micros(micros));
        }
        let counts: Vec<_> = durations
            .counts()
            .into_iter()
            .map(|(longest, count)| (longest.as_micros(), count))
            .collect();
        assert_eq!(counts, [(3, 1), (1_023, 2), (905_969_663, 1)]);
    }
}
