//! The processes of one function, and the distribution of events among them. A pure state machine: methods report what
//! has happened, and when, and return the actions to execute. `function/` is the adapter that does so.
//!
//! A job is opaque: the pool only asks for its load. It moves as a value, so that what it brings is dropped with it
//! wherever it ends. Of an event that a process works on, the pool has the request id and the source.
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

use tokio::time::Instant;

pub(super) use self::actions::{Action, Busy, Counts, Ending, Rules, Termination};
use self::process::{Due, Phase, Process};
use super::durations::Durations;
use super::fair_queue::FairQueue;
use super::job::{Failure, Outcome};
use super::lanes::{HasLoad, Lanes};

/// The number of failed starts after which waiting jobs fail.
const START_TRIES: u32 = 3;
/// The interval at which abandoned jobs are removed from the queue.
const TIDY_AFTER: Duration = Duration::from_secs(1);

const FIRST_BACK_OFF: Duration = Duration::from_millis(100);

/// The interval at which a process is checked that was idle for long and has an event on its way.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The processes of one function, and the jobs that wait for one.
#[derive(Debug)]
pub(super) struct Pool<J> {
    rules: Rules,
    processes: BTreeMap<u64, Process>,
    next_process: u64,
    /// The last one is the most recently used.
    idle: Vec<u64>,
    waiting: FairQueue<J>,
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

impl<J: HasLoad> Pool<J> {
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
    pub(super) fn submitted(&mut self, job: J, now: Instant) -> Result<Vec<Action<J>>, J> {
        if self.is_retired {
            return Err(job);
        }
        if self.rules.capacity == 0 {
            // It is no invocation, so it is no error of one.
            self.throttles += 1;
            let failure = Failure::throttle();
            return Ok(vec![Action::Fail { job, failure }]);
        }
        Ok(self.place(job, now))
    }

    /// Drops waiting jobs that are abandoned, at most once a second, so that they occupy no room and cause no start
    /// while all processes work. Call it before [`Pool::submitted`] and [`Pool::undelivered`].
    pub(super) fn drop_abandoned(&mut self, now: Instant, is_abandoned: impl Fn(&J) -> bool) {
        let is_tidy = self.tidied.is_some_and(|last| now - last < TIDY_AFTER);
        if is_tidy || self.waiting.len() == 0 {
            return;
        }
        self.tidied = Some(now);
        self.waiting.retain(|job| !is_abandoned(job));
    }

    /// The job of an action [`Action::Deliver`] was abandoned and is dropped: on AWS it would have been throttled, not
    /// run.
    pub(super) fn unwanted(&mut self, process: u64) -> Vec<Action<J>> {
        self.set(process, Phase::Silent);
        self.supply(process)
    }

    /// Gives the job of an action [`Action::Deliver`] to another process, because this one has closed its connection.
    pub(super) fn undelivered(&mut self, process: u64, job: J, now: Instant) -> Vec<Action<J>> {
        self.lanes.ended(process);
        self.set(process, Phase::Silent);
        self.place(job, now)
    }

    /// The process requests an event. Its first request ends its start.
    pub(super) fn asked(&mut self, id: u64, now: Instant) -> Result<Vec<Action<J>>, Busy> {
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
        Ok(self.supply(id))
    }

    /// An event of `source` has reached the process, which now works on it; false if there is no such process any more.
    pub(super) fn begun(&mut self, id: u64, source: u64, request_id: &str, now: Instant) -> bool {
        let Some(process) = self.processes.get_mut(&id) else {
            return false;
        };
        self.invocations += 1;
        process.begin(source, request_id, now, self.rules.timeout);
        true
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
    ) -> Option<Vec<Action<J>>> {
        let process = self.processes.get_mut(&id)?;
        let working = process.take(request_id)?;
        let took = now - working.began;
        let text = process.report(&working, took, self.rules.memory_size, &outcome);
        self.lanes.ended(id);
        self.lanes.took(working.source, took);
        self.durations.add(took);
        let mut actions = vec![Action::log(id, text), self.finish(id, outcome)];
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
    pub(super) fn ticked(&mut self, id: u64, now: Instant) -> (Instant, Vec<Action<J>>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return (now + LOOK_AGAIN, Vec::new());
        };
        let order = match process.due(&self.rules, now) {
            Due::Later(then) => return (then, Vec::new()),
            Due::StartTooSlow => Termination::start_too_slow(self.rules.init_timeout),
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
    pub(super) fn exited(&mut self, id: u64, why: Failure, now: Instant) -> Vec<Action<J>> {
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
            actions.push(Action::log(id, text));
            actions.push(self.finish(id, Outcome::Failed(failure)));
        }
        if !has_started && !self.is_retired {
            let failure = init_error.unwrap_or(why);
            let text = format!("INIT_REPORT Status: error Error: {}", failure.message);
            actions.push(Action::log(id, text));
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
    pub(super) fn rested(&mut self, now: Instant) -> Vec<Action<J>> {
        let mut actions = Vec::new();
        self.is_resting = false;
        self.start_if_needed(now, &mut actions);
        actions
    }

    /// Ends the processes, and returns the jobs that have not begun. Busy processes finish their work if `ending`
    /// allows it.
    pub(super) fn retire(&mut self, ending: Ending) -> (Vec<J>, Vec<Action<J>>) {
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
    fn place(&mut self, job: J, now: Instant) -> Vec<Action<J>> {
        let load = job.load();
        if self.lanes.admit(load, self.rules.capacity)
            && let Some(process) = self.idle.pop()
        {
            return vec![self.promise(process, job)];
        }
        self.waiting.push(load.source, load.size, job);
        let mut actions = Vec::new();
        self.start_if_needed(now, &mut actions);
        actions
    }

    /// Gives a free process the next job, or puts it among the idle ones. A retired pool ends it.
    fn supply(&mut self, id: u64) -> Vec<Action<J>> {
        self.lanes.ended(id);
        if self.is_retired {
            return self.end(id, Termination::stop()).into_iter().collect();
        }
        if self.processes.get(&id).is_none_or(|it| it.is_ending) {
            return Vec::new();
        }
        self.idle.retain(|idle| *idle != id);
        if let Some(job) = self.next_job() {
            return vec![self.promise(id, job)];
        }
        self.idle.push(id);
        self.set(id, Phase::Idle);
        Vec::new()
    }

    fn promise(&mut self, process: u64, job: J) -> Action<J> {
        self.set(process, Phase::Promised);
        self.lanes.begun(process, job.load());
        Action::Deliver { process, job }
    }

    fn set(&mut self, id: u64, phase: Phase) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.phase = phase;
        }
    }

    fn finish(&mut self, process: u64, outcome: Outcome) -> Action<J> {
        self.errors += u64::from(matches!(outcome, Outcome::Failed(_)));
        Action::Finish { process, outcome }
    }

    /// Returns `None` if it is ending already.
    fn end(&mut self, id: u64, order: Termination) -> Option<Action<J>> {
        let process = self.processes.get_mut(&id)?;
        if std::mem::replace(&mut process.is_ending, true) {
            return None;
        }
        self.idle.retain(|idle| *idle != id);
        Some(Action::End { process: id, order })
    }

    /// After several failures in a row, the waiting jobs fail; before that, the next start is delayed.
    fn start_failed(&mut self, failure: &Failure) -> Vec<Action<J>> {
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
            self.errors += 1;
            let failure = failure.clone();
            actions.push(Action::Fail { job, failure });
        }
        actions
    }

    fn start_if_needed(&mut self, now: Instant, actions: &mut Vec<Action<J>>) {
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
    fn next_job(&mut self) -> Option<J> {
        let Self { waiting, lanes, .. } = self;
        match lanes.has_room(self.rules.capacity) {
            true => waiting.pop(),
            false => waiting.pop_of(|job| lanes.is_quick(job.load())),
        }
    }
}
