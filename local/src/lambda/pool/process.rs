//! A pool's record of one process.

use std::time::Duration;

use tokio::time::Instant;

use super::actions::Rules;
use crate::lambda::job::{Failure, Outcome};

/// One process, as its pool records it.
#[derive(Debug)]
pub(super) struct Process {
    began: Instant,
    /// The time of its first request for an event.
    pub(super) started: Option<Instant>,
    /// The time since when it has been idle.
    pub(super) idle_since: Option<Instant>,
    pub(super) phase: Phase,
    /// Whether it was asked to end.
    pub(super) is_ending: bool,
    pub(super) init_error: Option<Failure>,
    invocations: u64,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// It is starting, or it has responded and not requested the next event.
    Silent,
    /// It waits for an event.
    Idle,
    /// An event has been sent to it.
    Promised,
    Working(Working),
}

/// An invocation that a process works on.
#[derive(Debug)]
pub(super) struct Working {
    pub(super) request_id: String,
    /// Where its event comes from.
    pub(super) source: u64,
    pub(super) began: Instant,
    deadline: Instant,
    /// Its timeout has passed: a response no longer counts.
    is_overdue: bool,
}

/// The result of checking a process's deadlines.
pub(super) enum Due {
    Later(Instant),
    StartTooSlow,
    Overdue,
    /// It was idle for too long.
    Idle,
}

impl Process {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            started: None,
            idle_since: None,
            phase: Phase::Silent,
            is_ending: false,
            init_error: None,
            invocations: 0,
        }
    }

    /// Its current invocation, unless the timeout for that has passed.
    pub(super) fn working(&self) -> Option<&Working> {
        match &self.phase {
            Phase::Working(working) if !working.is_overdue => Some(working),
            _ => None,
        }
    }

    /// Whether it neither works nor is about to.
    pub(super) fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Silent | Phase::Idle)
    }

    /// Records that it works on an event of `source`.
    pub(super) fn begin(&mut self, source: u64, request_id: &str, now: Instant, timeout: Duration) {
        self.idle_since = None;
        self.invocations += 1;
        self.phase = Phase::Working(Working {
            request_id: request_id.to_owned(),
            source,
            began: now,
            deadline: now + timeout,
            is_overdue: false,
        });
    }

    /// Its current invocation, if that is `request_id`. It is returned once.
    pub(super) fn take(&mut self, request_id: &str) -> Option<Working> {
        self.working()
            .filter(|working| working.request_id == request_id)?;
        match std::mem::replace(&mut self.phase, Phase::Silent) {
            Phase::Working(working) => Some(working),
            _ => None,
        }
    }

    pub(super) fn due(&mut self, rules: &Rules, now: Instant) -> Due {
        // An invocation that begins later is due no earlier than its timeout from now, so no check is needed before.
        let next = now + rules.timeout;
        if self.is_ending {
            return Due::Later(next);
        }
        if let Phase::Working(working) = &mut self.phase {
            working.is_overdue = working.deadline <= now;
            return match working.is_overdue {
                true => Due::Overdue,
                false => Due::Later(working.deadline),
            };
        }
        let (limit, due) = match (self.started, self.idle_since) {
            (None, _) => (self.began + rules.init_timeout, Due::StartTooSlow),
            (Some(_), Some(since)) => (since + rules.process_idle, Due::Idle),
            (Some(_), None) => return Due::Later(next),
        };
        match now < limit {
            true => Due::Later(next.min(limit)),
            false => due,
        }
    }

    /// Lambda's log line about a finished invocation. Only the first one contains the duration of the start.
    pub(super) fn report(
        &self,
        working: &Working,
        took: Duration,
        memory_size: u32,
        outcome: &Outcome,
    ) -> String {
        let millis = took.as_secs_f64() * 1000.0;
        let mut text = format!(
            "REPORT RequestId: {}\tDuration: {millis:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {memory_size} MB",
            working.request_id,
            millis.ceil()
        );
        if let Some(started) = self.started.filter(|_| self.invocations == 1) {
            let init = (started - self.began).as_secs_f64() * 1000.0;
            text.push_str(&format!("\tInit Duration: {init:.2} ms"));
        }
        if let Outcome::Failed(failure) = outcome {
            text.push_str(&format!(
                "\tStatus: error\tError Type: {}",
                failure.error_type
            ));
        }
        text
    }
}

impl Working {
    /// The log line and the failure of an invocation whose process has ended because of `why`.
    pub(super) fn lost(&self, why: &Failure, timeout: Duration) -> (String, Failure) {
        let Self { request_id, .. } = self;
        if self.is_overdue {
            let limit = timeout.as_secs_f64();
            let message = format!("{request_id} Task timed out after {limit:.2} seconds");
            return (message.clone(), Failure::new("Sandbox.Timedout", message));
        }
        let text = format!("RequestId: {request_id} Error: {}", why.message);
        (text, why.clone())
    }
}
