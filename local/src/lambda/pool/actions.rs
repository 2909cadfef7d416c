//! The rules, actions and counters of a pool.

use std::time::Duration;

use crate::lambda::job::{Failure, Outcome};

/// The rules for all processes of a function.
#[derive(Debug, Clone)]
pub(in crate::lambda) struct Rules {
    /// The most processes, without the reserve of `lanes.rs`.
    pub(in crate::lambda) capacity: usize,
    /// Whether the template sets the number, so that there is no reserve.
    pub(in crate::lambda) is_reserved: bool,
    /// The timeout of an invocation.
    pub(in crate::lambda) timeout: Duration,
    /// The timeout of a start.
    pub(in crate::lambda) init_timeout: Duration,
    /// The time after which an idle process is ended.
    pub(in crate::lambda) process_idle: Duration,
    /// In megabytes, for the log.
    pub(in crate::lambda) memory_size: u32,
}

/// An action for the adapter to execute. `J` is a job.
#[derive(Debug)]
pub(in crate::lambda) enum Action<J> {
    /// Start a process with this number; [`super::Pool::exited`] reports its end.
    Start(u64),
    /// Give the job to the process that has requested one; [`super::Pool::begun`] reports its arrival. If the job is
    /// abandoned, call [`super::Pool::unwanted`] instead, if the process has closed its connection,
    /// [`super::Pool::undelivered`].
    ///
    /// An event that the process still works on is lost without a `Finish`. A process causes that by two requests at
    /// once.
    Deliver { process: u64, job: J },
    /// End the process.
    End { process: u64, order: Termination },
    /// Send the outcome of the event that the process works on to its caller. It works on none afterwards.
    Finish { process: u64, outcome: Outcome },
    /// Send the failure of a job that has not begun to its caller.
    Fail { job: J, failure: Failure },
    /// Write a line into the log of a process, or of the function.
    Log { process: Option<u64>, text: String },
    /// Call [`super::Pool::rested`] after this time.
    Rest(Duration),
}

impl<J> Action<J> {
    /// A line for the log of `process`.
    pub(super) fn log(process: u64, text: String) -> Self {
        Self::Log {
            process: Some(process),
            text,
        }
    }
}

/// How to end a process.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::lambda) struct Termination {
    /// Without time to end by itself.
    pub(in crate::lambda) at_once: bool,
    /// The failure of the invocation that it was working on.
    pub(in crate::lambda) why: Failure,
}

impl Termination {
    /// Ends the process gracefully.
    pub(in crate::lambda) fn stop() -> Self {
        Self {
            at_once: false,
            why: Failure::new("Runtime.ExitError", "the process was stopped"),
        }
    }

    /// Ends a process that has not requested an event within `limit`.
    pub(super) fn start_too_slow(limit: Duration) -> Self {
        let limit = limit.as_secs_f64();
        let message = format!("init timed out after {limit:.2} seconds");
        Self {
            at_once: true,
            why: Failure::new("Runtime.InitTimeout", message),
        }
    }
}

/// When to end a busy process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lambda) enum Ending {
    /// When it has responded.
    Finished,
    /// Now, even at work.
    Now,
}

/// The process has not responded to its event yet.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::lambda) struct Busy;

/// Current and total numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lambda) struct Counts {
    pub(in crate::lambda) invocations: u64,
    pub(in crate::lambda) errors: u64,
    pub(in crate::lambda) throttles: u64,
    /// The longest of each range, and how many invocations were in it.
    pub(in crate::lambda) durations: Vec<(std::time::Duration, u64)>,
    /// Jobs that wait, and those that processes work on.
    pub(in crate::lambda) in_flight: usize,
}
