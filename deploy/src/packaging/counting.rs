//! Counts compiled crates across several builds.

use crate::engine::{DeployEvent, Reporter};

/// Forwards all events. Each build counts from one; this reporter continues the count from build to build.
pub(super) struct Counting<'a, R> {
    reporter: &'a mut R,
    compiled: usize,
}

impl<'a, R: Reporter> Counting<'a, R> {
    pub(super) fn new(reporter: &'a mut R) -> Self {
        Self {
            reporter,
            compiled: 0,
        }
    }
}

impl<R: Reporter> Reporter for Counting<'_, R> {
    fn report(&mut self, event: &DeployEvent) {
        let DeployEvent::Compiling { unit, .. } = event else {
            return self.reporter.report(event);
        };
        self.compiled += 1;
        self.reporter.report(&DeployEvent::Compiling {
            unit: unit.clone(),
            count: self.compiled,
        });
    }
}
