//! What the engine reports while it works. A reporter decides what that looks like.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::stack::cause::Cause;
use crate::stack::progress::StackEvent;

/// A part of a deployment or teardown, as the reader thinks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    Check,
    Build,
    Publish,
    Prepare,
    Deploy,
    Verify,
    Probe,
    Teardown,
}

impl Step {
    /// The word in front of the line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Build => "build",
            Self::Publish => "publish",
            Self::Prepare => "change",
            Self::Deploy => "deploy",
            Self::Verify => "verify",
            Self::Probe => "probe",
            Self::Teardown => "teardown",
        }
    }

    /// Does `work`, and reports when it begins and, unless it fails, its detail and how long it took.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn run<R: Reporter, T, E>(
        self,
        reporter: &mut R,
        work: impl AsyncFnOnce(&mut R) -> Result<(T, String), E>,
    ) -> Result<T, E> {
        let started = Instant::now();
        reporter.report(&DeployEvent::Started(self));
        let (outcome, detail) = work(reporter).await?;
        reporter.report(&DeployEvent::Finished {
            step: self,
            detail,
            took: started.elapsed(),
        });
        Ok(outcome)
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum DeployEvent {
    /// A step began.
    Started(Step),
    /// The crate in `folder` is built next, for what `name` says.
    Building { name: String, folder: PathBuf },
    /// The compiler is at `unit`, the `count`th.
    Compiling { unit: String, count: usize },
    /// This many resources will be touched.
    Expecting(usize),
    /// A sentence for the reader, who need not answer it.
    Notice(String),
    /// The first deployment of the stack was rolled back for a cause that passes by itself, and is made once more.
    Repeating { stack: String, cause: Box<Cause> },
    /// `who` has not answered for so long.
    Silent {
        who: &'static str,
        silence: Duration,
    },
    /// A stack that is followed is still in this status, without news for so long.
    UnderWay { status: String, quiet: Duration },
    /// An event of the stack or of one of its resources.
    Stack(StackEvent),
    /// A step is over; `detail` is what came out of it.
    Finished {
        step: Step,
        detail: String,
        took: Duration,
    },
}

/// Receives what happens, in order.
pub trait Reporter {
    /// Takes one event. Cannot fail: a closed terminal is no reason to stop deploying.
    fn report(&mut self, event: &DeployEvent);
}

/// A reporter that several parts of a command share, each for the moment of a report.
impl<R: Reporter> Reporter for &RefCell<R> {
    fn report(&mut self, event: &DeployEvent) {
        self.borrow_mut().report(event);
    }
}
