//! Random numbers that a seed decides, so that a run can be repeated.

use std::time::Duration;

/// Random numbers that a seed decides.
#[derive(Debug)]
pub(crate) struct RandomNumbers(u64);

impl RandomNumbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// In 0..`end`; the generator is Knuth's, <https://en.wikipedia.org/wiki/Linear_congruential_generator>.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }

    /// At most so many milliseconds from now.
    pub(crate) fn moment(&mut self, milliseconds: u64) -> tokio::time::Instant {
        tokio::time::Instant::now() + Duration::from_millis(self.below(milliseconds))
    }
}
