//! The processes of one function, and the distribution of events among them. No input and no output: methods report what
//! has happened, and when, and return the actions to execute. A job carries the channel of its caller; the pool looks
//! whether the caller has gone, and [`Action::Finish`] hands the channel back.
//!
//! The most recently used idle process gets the next event, because its caches are warm. Events without a process wait
//! in turn by source (`fair_queue.rs`). A process is started when an event waits, no process is idle and there is room
//! for another.

mod actions;
mod process;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

pub(super) use self::actions::{Action, Busy, Counts, Ending, Rules, Termination};
use self::process::{Due, Phase, Process};
use super::durations::Durations;
use super::fair_queue::FairQueue;
use super::job::{Event, Failure, Job, Outcome};
use super::lanes::Lanes;

/// The number of failed starts after which waiting jobs fail.
const START_TRIES: u32 = 3;
/// The interval at which abandoned jobs are removed from the queue.
const TIDY_AFTER: Duration = Duration::from_secs(1);

const FIRST_BACK_OFF: Duration = Duration::from_millis(100);

/// The interval at which a process is checked that was idle for long and has an event on its way.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The processes of one function.
#[derive(Debug)]
pub(super) struct Pool {
    rules: Rules,
    processes: BTreeMap<u64, Process>,
    next_process: u64,
    /// The last one is the most recently used.
    idle: Vec<u64>,
    waiting: FairQueue<Job>,
    lanes: Lanes,
    /// When abandoned jobs were last removed.
    tidied: Option<Instant>,
    failed_starts: u32,
    is_resting: bool,
    is_retired: bool,
    invocations: u64,
    errors: u64,
    throttles: u64,
    durations: Durations,
}

impl Pool {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            processes: BTreeMap::new(),
            next_process: 0,
            idle: Vec::new(),
            waiting: FairQueue::default(),
            lanes: Lanes::default(),
            tidied: None,
            failed_starts: 0,
            is_resting: false,
            is_retired: false,
            invocations: 0,
            errors: 0,
            throttles: 0,
            durations: Durations::default(),
        }
    }

    /// The number of live processes.
    pub(super) fn alive(&self) -> usize {
        self.processes.len()
    }

    pub(super) fn counts(&self) -> Counts {
        let is_busy = |process: &&Process| !process.is_free();
        Counts {
            invocations: self.invocations,
            errors: self.errors,
            throttles: self.throttles,
            durations: self.durations.counts(),
            in_flight: self.waiting.len() + self.processes.values().filter(is_busy).count(),
        }
    }

    /// Accepts a job, or returns it if this pool is retired.
    pub(super) fn submitted(&mut self, job: Job, now: Instant) -> Result<Vec<Action>, Job> {
        if self.is_retired {
            return Err(job);
        }
        if self.rules.capacity == 0 {
            // It is no invocation, so it is no error of one.
            self.throttles += 1;
            let (reply, outcome) = (job.reply, Outcome::Failed(Failure::throttle()));
            return Ok(vec![Action::Finish { reply, outcome }]);
        }
        Ok(self.place(job, now))
    }

    /// Gives the job of an action [`Action::Deliver`] to another process, because this one has closed its connection.
    pub(super) fn undelivered(&mut self, process: u64, job: Job, now: Instant) -> Vec<Action> {
        self.lanes.ended(process);
        if let Some(process) = self.processes.get_mut(&process) {
            process.phase = Phase::Silent;
        }
        self.place(job, now)
    }

    /// The process requests an event. Its first request ends its start.
    pub(super) fn asked(&mut self, id: u64, now: Instant) -> Result<Vec<Action>, Busy> {
        let Some(process) = self.processes.get_mut(&id) else {
            return Ok(Vec::new());
        };
        if process.is_ending {
            return Ok(Vec::new());
        }
        if process.working().is_some() {
            return Err(Busy);
        }
        process.idle_since = Some(now);
        process.phase = Phase::Silent;
        if process.started.is_none() {
            process.started = Some(now);
            self.failed_starts = 0;
        }
        if self.is_retired {
            return Ok(self.end(id, Termination::stop()).into_iter().collect());
        }
        self.idle.retain(|idle| *idle != id);
        self.lanes.ended(id);
        while let Some(job) = self.next_job() {
            // On AWS the event would have been throttled, not run.
            if !job.is_abandoned() {
                return Ok(vec![self.promise(id, job)]);
            }
        }
        self.idle.push(id);
        self.set(id, Phase::Idle);
        Ok(Vec::new())
    }

    /// The job has reached the process, which now works on it; returns the event for the process.
    pub(super) fn begun(&mut self, id: u64, job: Job, now: Instant) -> Option<Event> {
        let process = self.processes.get_mut(&id)?;
        self.invocations += 1;
        Some(process.begin(job, now, self.rules.timeout))
    }

    /// Whether the process works on `request_id`.
    pub(super) fn works_on(&self, id: u64, request_id: &str) -> bool {
        let working = self.processes.get(&id).and_then(Process::working);
        working.is_some_and(|working| working.request_id == request_id)
    }

    /// The process has responded to `request_id`; `None` if it does not work on that.
    pub(super) fn responded(
        &mut self,
        id: u64,
        request_id: &str,
        outcome: Outcome,
        now: Instant,
    ) -> Option<Vec<Action>> {
        let process = self.processes.get_mut(&id)?;
        let working = process.take(request_id)?;
        let took = now - working.began;
        let text = process.report(&working, took, self.rules.memory_size, &outcome);
        self.lanes.ended(id);
        self.lanes.took(working.held.share().number(), took);
        self.durations.add(took);
        let mut actions = vec![log(id, text), self.finish(working.reply, outcome)];
        if self.is_retired {
            actions.extend(self.end(id, Termination::stop()));
        }
        Some(actions)
    }

    /// The process reports why it cannot start; false if it has started, or has reported before.
    pub(super) fn failed_to_start(&mut self, id: u64, failure: Failure) -> bool {
        match self.processes.get_mut(&id) {
            Some(process) if process.started.is_none() && process.init_error.is_none() => {
                process.init_error = Some(failure);
                true
            }
            _ => false,
        }
    }

    /// Checks the process's deadlines, and returns the time of the next check.
    pub(super) fn ticked(&mut self, id: u64, now: Instant) -> (Instant, Vec<Action>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return (now + LOOK_AGAIN, Vec::new());
        };
        let order = match process.due(&self.rules, now) {
            Due::Later(then) => return (then, Vec::new()),
            Due::StartTooSlow => {
                let limit = self.rules.init_timeout.as_secs_f64();
                let message = format!("init timed out after {limit:.2} seconds");
                Termination {
                    at_once: true,
                    why: Failure::new("Runtime.InitTimeout", message),
                }
            }
            Due::Overdue => Termination {
                at_once: true,
                ..Termination::stop()
            },
            Due::Idle if self.idle.contains(&id) || self.is_retired => Termination::stop(),
            Due::Idle => return (now + LOOK_AGAIN, Vec::new()),
        };
        let actions = self.end(id, order).into_iter().collect();
        (now + LOOK_AGAIN, actions)
    }

    /// The process has ended, because of `why`.
    pub(super) fn exited(&mut self, id: u64, why: Failure, now: Instant) -> Vec<Action> {
        let Some(process) = self.processes.remove(&id) else {
            return Vec::new();
        };
        self.idle.retain(|idle| *idle != id);
        self.lanes.ended(id);
        let mut actions = Vec::new();
        let (has_started, init_error) = (process.started.is_some(), process.init_error);
        if let Phase::Working(working) = process.phase {
            self.durations.add(now - working.began);
            let (text, failure) = working.lost(&why, self.rules.timeout);
            actions.push(log(id, text));
            actions.push(self.finish(working.reply, Outcome::Failed(failure)));
        }
        if !has_started && !self.is_retired {
            let failure = init_error.unwrap_or(why);
            let text = format!("INIT_REPORT Status: error Error: {}", failure.message);
            actions.push(log(id, text));
            actions.extend(self.start_failed(&failure));
        }
        while !self.idle.is_empty()
            && let Some(job) = self.next_job()
        {
            actions.extend(self.place(job, now));
        }
        self.start_if_needed(now, &mut actions);
        actions
    }

    /// The time of an action [`Action::Rest`] is over.
    pub(super) fn rested(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        self.is_resting = false;
        self.start_if_needed(now, &mut actions);
        actions
    }

    /// Ends the processes, and returns the jobs that have not begun. Busy processes finish their work if `ending`
    /// allows it.
    pub(super) fn retire(&mut self, ending: Ending) -> (Vec<Job>, Vec<Action>) {
        self.is_retired = true;
        self.idle.clear();
        let may_end = |process: &Process| ending == Ending::Now || process.is_free();
        let ids: Vec<u64> = self
            .processes
            .iter()
            .filter_map(|(id, process)| may_end(process).then_some(*id))
            .collect();
        let actions = ids
            .into_iter()
            .filter_map(|id| self.end(id, Termination::stop()))
            .collect();
        (self.waiting.drain(), actions)
    }

    /// Gives the job to the most recently used idle process, or queues it.
    fn place(&mut self, job: Job, now: Instant) -> Vec<Action> {
        if self.lanes.admit(job.load(), self.rules.capacity)
            && let Some(process) = self.idle.pop()
        {
            return vec![self.promise(process, job)];
        }
        self.tidy(now);
        self.waiting.push(job.source(), job.size(), job);
        let mut actions = Vec::new();
        self.start_if_needed(now, &mut actions);
        actions
    }

    fn promise(&mut self, process: u64, job: Job) -> Action {
        self.set(process, Phase::Promised);
        self.lanes.begun(process, job.load());
        Action::Deliver { process, job }
    }

    fn set(&mut self, id: u64, phase: Phase) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.phase = phase;
        }
    }

    fn finish(&mut self, reply: oneshot::Sender<Outcome>, outcome: Outcome) -> Action {
        self.errors += u64::from(matches!(outcome, Outcome::Failed(_)));
        Action::Finish { reply, outcome }
    }

    /// Returns `None` if it is ending already.
    fn end(&mut self, id: u64, order: Termination) -> Option<Action> {
        let process = self.processes.get_mut(&id)?;
        if std::mem::replace(&mut process.is_ending, true) {
            return None;
        }
        self.idle.retain(|idle| *idle != id);
        Some(Action::End { process: id, order })
    }

    /// After several failures in a row, the waiting jobs fail; before that, the next start is delayed.
    fn start_failed(&mut self, failure: &Failure) -> Vec<Action> {
        self.failed_starts += 1;
        if self.failed_starts < START_TRIES {
            if std::mem::replace(&mut self.is_resting, true) {
                return Vec::new();
            }
            let wait = FIRST_BACK_OFF * 2u32.pow(self.failed_starts - 1);
            return vec![Action::Rest(wait)];
        }
        self.failed_starts = 0;
        let text = format!("gave up after {START_TRIES} starts: {}", failure.message);
        let mut actions = vec![Action::Log {
            process: None,
            text,
        }];
        for job in self.waiting.drain() {
            let outcome = Outcome::Failed(failure.clone());
            actions.push(self.finish(job.reply, outcome));
        }
        actions
    }

    fn start_if_needed(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let (capacity, lanes) = (self.rules.capacity, &self.lanes);
        let room = lanes.room(capacity, self.rules.is_reserved);
        let room = match room > capacity && !self.waiting.has_of(|job| lanes.is_quick(job.load())) {
            true => capacity,
            false => room,
        };
        let is_starting = |process: &&Process| process.started.is_none();
        let mut starting = self.processes.values().filter(is_starting).count();
        while !self.is_retired
            && !self.is_resting
            && starting < self.waiting.len()
            && self.processes.len() < room
        {
            let id = self.next_process;
            self.next_process += 1;
            starting += 1;
            self.processes.insert(id, Process::new(now));
            actions.push(Action::Start(id));
        }
    }

    /// The next job for an idle process.
    fn next_job(&mut self) -> Option<Job> {
        let Self { waiting, lanes, .. } = self;
        match lanes.has_room(self.rules.capacity) {
            true => waiting.pop(),
            false => waiting.pop_of(|job| lanes.is_quick(job.load())),
        }
    }

    /// Drops abandoned jobs, so that they occupy no room while all processes work.
    fn tidy(&mut self, now: Instant) {
        if self.tidied.is_some_and(|last| now - last < TIDY_AFTER) {
            return;
        }
        self.tidied = Some(now);
        self.waiting.retain(|job| !job.is_abandoned());
    }
}

fn log(process: u64, text: String) -> Action {
    Action::Log {
        process: Some(process),
        text,
    }
}
