//! A pool's rules, actions and counts.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::lambda::job::{Failure, Job, Outcome};

/// What holds for all processes of a function.
#[derive(Debug, Clone)]
pub(in crate::lambda) struct Rules {
    /// How many processes there are at most, but for the reserve of `lanes.rs`.
    pub(in crate::lambda) capacity: usize,
    /// Whether the template says how many, so that there is no reserve.
    pub(in crate::lambda) is_reserved: bool,
    /// How long an invocation may take.
    pub(in crate::lambda) timeout: Duration,
    /// How long a start may take.
    pub(in crate::lambda) init_timeout: Duration,
    /// How long a process is kept that has nothing to do.
    pub(in crate::lambda) process_idle: Duration,
    /// In megabytes, for the log.
    pub(in crate::lambda) memory_size: u32,
}

/// What is to be done.
#[derive(Debug)]
pub(in crate::lambda) enum Action {
    /// Start a process with this number; [`super::Pool::exited`] says when it is gone.
    Start(u64),
    /// Give the job to the process that has asked for one, or call [`super::Pool::undelivered`].
    Deliver { process: u64, job: Job },
    /// End the process.
    End { process: u64, order: Order },
    /// Send the outcome of an invocation to its caller.
    Finish {
        reply: oneshot::Sender<Outcome>,
        outcome: Outcome,
    },
    /// Write a line into the log of a process, or of the function.
    Log { process: Option<u64>, text: String },
    /// Call [`super::Pool::rested`] after this time.
    Rest(Duration),
}

/// How a process is to end.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::lambda) struct Order {
    /// Without time to end by itself.
    pub(in crate::lambda) at_once: bool,
    /// What its end means for what it was working on.
    pub(in crate::lambda) why: Failure,
}

impl Order {
    /// To end when it wants to, and soon.
    pub(in crate::lambda) fn stop() -> Self {
        Self {
            at_once: false,
            why: Failure::new("Runtime.ExitError", "the process was stopped"),
        }
    }
}

/// When a process that works on something is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lambda) enum Ending {
    /// When it has answered.
    Finished,
    /// Now, whatever it works on.
    Now,
}

/// The process has not answered its event yet.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::lambda) struct Busy;

/// How much there is, and was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lambda) struct Counts {
    pub(in crate::lambda) invocations: u64,
    pub(in crate::lambda) errors: u64,
    /// Jobs that wait, and those that processes have.
    pub(in crate::lambda) in_flight: usize,
}
