//! What a pool keeps of one process. Pure.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::actions::Rules;
use crate::budget::Held;
use crate::lambda::job::{Event, Failure, Invocation, Job, Outcome};

/// One process, as its pool sees it.
#[derive(Debug)]
pub(super) struct Process {
    began: Instant,
    /// When it first asked for an event.
    pub(super) started: Option<Instant>,
    /// Since when it has had nothing to work on.
    pub(super) idle_since: Option<Instant>,
    pub(super) phase: Phase,
    /// It was told to end.
    pub(super) is_ending: bool,
    pub(super) init_error: Option<Failure>,
    invocations: u64,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// It starts, or it has answered and not asked again.
    Silent,
    /// It waits for an event.
    Idle,
    /// An event is on its way to it.
    Promised,
    Working(Working),
}

/// An invocation that a process works on.
#[derive(Debug)]
pub(super) struct Working {
    pub(super) request_id: String,
    pub(super) reply: oneshot::Sender<Outcome>,
    pub(super) began: Instant,
    deadline: Instant,
    /// Its time was over: no answer counts any more.
    is_overdue: bool,
    /// The event counts as long as it is worked on.
    pub(super) held: Held,
}

/// What its clock says about a process.
pub(super) enum Due {
    Later(Instant),
    StartTooSlow,
    Overdue,
    /// It had nothing to do for long.
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

    /// What it works on, unless the time for that is over.
    pub(super) fn working(&self) -> Option<&Working> {
        match &self.phase {
            Phase::Working(working) if !working.is_overdue => Some(working),
            _ => None,
        }
    }

    /// Whether it neither works on anything nor is about to.
    pub(super) fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Silent | Phase::Idle)
    }

    /// Notes that it works on `job`; gives back what it is told.
    pub(super) fn begin(&mut self, job: Job, now: Instant, timeout: Duration) -> Event {
        let Invocation { event, held } = *job.invocation;
        self.idle_since = None;
        self.invocations += 1;
        self.phase = Phase::Working(Working {
            request_id: event.request_id.clone(),
            reply: job.reply,
            began: now,
            deadline: now + timeout,
            is_overdue: false,
            held,
        });
        event
    }

    /// What it works on, if that is `request_id`. It is answered once.
    pub(super) fn take(&mut self, request_id: &str) -> Option<Working> {
        self.working()
            .filter(|working| working.request_id == request_id)?;
        match std::mem::replace(&mut self.phase, Phase::Silent) {
            Phase::Working(working) => Some(working),
            _ => None,
        }
    }

    pub(super) fn due(&mut self, rules: &Rules, now: Instant) -> Due {
        // An invocation that begins later is due no earlier than its timeout from now: no need to look before.
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

    /// The line that Lambda writes when an invocation is over. The time of the start is told with the first one only.
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
    /// What the log and the caller are told of an invocation whose process is gone because of `why`.
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
