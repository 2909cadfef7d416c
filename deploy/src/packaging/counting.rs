//! One count of compiled crates, over as many builds as there are crates with handlers.

use crate::engine::{DeployEvent, Reporter};

/// Passes everything on; what is compiled is counted on from build to build, each of which counts from one.
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
