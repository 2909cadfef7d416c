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
    /// Looks at everything that a deployment needs.
    Check,
    /// Builds the handlers.
    Build,
    /// Stores their zips where the target reads them.
    Publish,
    /// Has the target compute the changes.
    Prepare,
    /// Applies the changes.
    Deploy,
    /// Compares the functions' code with what was published.
    Verify,
    /// Sends messages through the chat.
    Probe,
    /// Deletes the stack.
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
    /// The build of the crate `name` in `folder` begins.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Building { name: String, folder: PathBuf },
    /// The compiler has begun `unit`, the `count`-th one of this build.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Compiling { unit: String, count: usize },
    /// This many resources will be touched.
    Expecting(usize),
    /// A sentence for the reader, who need not answer it.
    Notice(String),
    /// The first deployment of `stack` is made once more, after `cause`.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    Repeating { stack: String, cause: Box<Cause> },
    /// `service` has not responded for so long.
    Silent {
        /// The service.
        service: &'static str,
        /// The time since the request.
        silence: Duration,
    },
    /// No event has arrived for the time `quiet`; the stack's own status is `status`.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    UnderWay { status: String, quiet: Duration },
    /// An event of the stack or of one of its resources.
    Stack(StackEvent),
    /// A step is over; `detail` is what came out of it.
    Finished {
        /// The step.
        step: Step,
        /// Its outcome, for the reader.
        detail: String,
        /// Its duration.
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
