//! Measured times, and their statistics. Pure.

use std::time::Duration;

/// Sorted measured times; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    /// Returns `None` without times.
    pub(crate) fn new(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        (!times.is_empty()).then_some(Self(times))
    }

    /// All times of several measurements; `None` without any.
    pub(crate) fn joined(samples: Vec<Self>) -> Option<Self> {
        Self::new(samples.into_iter().flat_map(|sample| sample.0).collect())
    }

    /// The percentile by nearest rank, without interpolation.
    pub(crate) fn percentile(&self, percent: u32) -> Duration {
        let rank = (self.0.len() * percent as usize).div_ceil(100);
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    pub(crate) fn smallest(&self) -> Duration {
        self.0[0]
    }

    pub(crate) fn largest(&self) -> Duration {
        self.0[self.0.len() - 1]
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(millis: impl IntoIterator<Item = u64>) -> Sample {
        Sample::new(millis.into_iter().map(Duration::from_millis).collect()).unwrap()
    }

    #[test]
    fn a_percentile_is_a_measured_time_by_nearest_rank() {
        let hundred = sample((1..=100).rev());
        for percent in [1, 50, 99, 100] {
            assert_eq!(
                hundred.percentile(percent),
                Duration::from_millis(percent.into())
            );
        }
        assert_eq!(sample([10, 20, 30]).percentile(99), sample([30]).median());
        assert_eq!(sample([10, 20, 30, 40]).median(), Duration::from_millis(20));
        assert_eq!(sample([7]).percentile(0), Duration::from_millis(7));
    }

    #[test]
    fn one_slow_time_in_a_hundred_does_not_move_the_99th_percentile_and_two_do() {
        let slow = |count: usize| {
            sample(std::iter::repeat_n(1, 100 - count).chain(std::iter::repeat_n(900, count)))
        };
        assert_eq!(slow(1).percentile(99), Duration::from_millis(1));
        assert_eq!(slow(2).percentile(99), Duration::from_millis(900));
        assert_eq!(slow(1).largest(), Duration::from_millis(900));
    }

    #[test]
    fn no_times_are_no_sample() {
        assert_eq!(Sample::new(Vec::new()), None);
    }
}
