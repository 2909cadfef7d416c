//! The processes of one function, and who of them gets which event.
//!
//! The idle process that worked last gets the next event (its caches are warm); events without a process wait in
//! turn, by who sent them (`fair_queue.rs`). A process is started when one waits, nobody is idle and there is room for another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::fair_queue::FairQueue;
use super::lanes::Lanes;
use super::process::{self, Process};
use super::{Failure, Invocation, Outcome, Runnable};
use crate::observer::{LogLine, LogSource, Observer};
use crate::options::Limits;
use crate::status::FunctionStatus;

/// How often a process may fail to start before those who wait are told.
const START_TRIES: u32 = 3;
/// How often what waits is looked through.
const TIDY_AFTER: Duration = Duration::from_secs(1);

const FIRST_BACK_OFF: Duration = Duration::from_millis(100);

/// One invocation on its way to a process.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) invocation: Box<Invocation>,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

impl Job {
    /// Who sent it.
    fn source(&self) -> u64 {
        self.invocation.held.share().number()
    }
}

/// The processes of one function.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(super) runnable: Runnable,
    pub(super) limits: Limits,
    observer: Observer,
    /// Said once, not with every line.
    told_of_logs: AtomicBool,
    state: Mutex<State>,
    /// How many processes are alive, for those who wait until none is.
    alive: watch::Sender<usize>,
    next_process: AtomicU64,
    invocations: AtomicU64,
    errors: AtomicU64,
    in_flight: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    /// The last one worked last.
    idle: Vec<Idle>,
    waiting: FairQueue<Job>,
    lanes: Lanes,
    /// When those were last looked through that nobody waits for any more.
    tidied: Option<Instant>,
    processes: BTreeMap<u64, Arc<Process>>,
    /// Processes that have not asked for an event yet.
    starting: usize,
    failed_starts: u32,
    backing_off: bool,
    retired: bool,
}

#[derive(Debug)]
struct Idle {
    process: Arc<Process>,
    job: oneshot::Sender<Job>,
}

/// When a process that works on something is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// When it has answered.
    Finished,
    /// Now, whatever it works on.
    Now,
}

/// What a process gets when it asks for an event.
#[derive(Debug)]
pub(super) enum Next {
    Job(Job),
    /// Nothing yet.
    Wait(oneshot::Receiver<Job>),
    /// Nothing any more: the process is to end.
    Retired,
}

impl Pool {
    pub(super) fn new(runnable: Runnable, limits: Limits, observer: Observer) -> Arc<Self> {
        Arc::new(Self {
            runnable,
            limits,
            observer,
            told_of_logs: AtomicBool::new(false),
            state: Mutex::default(),
            alive: watch::Sender::new(0),
            next_process: AtomicU64::new(0),
            invocations: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Whether this pool runs exactly `other`.
    pub(super) fn runs(&self, other: &Runnable) -> bool {
        self.runnable == *other
    }

    /// Takes a job, or gives it back when this pool is retired.
    pub(super) fn submit(self: &Arc<Self>, mut job: Job) -> Result<(), Job> {
        let mut state = self.state();
        if state.retired {
            return Err(job);
        }
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        if self.capacity() == 0 {
            drop(state);
            self.finish(job.reply, Outcome::Failed(Failure::throttle()));
            return Ok(());
        }
        if state.lanes.admit(job.source(), self.capacity()) {
            match state.give_to_an_idle_one(job) {
                None => return Ok(()),
                Some(refused) => job = refused,
            }
        }
        self.tidy(&mut state);
        state.waiting.push(job.source(), job);
        self.start_if_needed(&mut state);
        Ok(())
    }

    /// Notes that `process` has answered, after so long, an event of `source`.
    pub(super) fn answered(&self, process: u64, source: u64, took: Duration) {
        let mut state = self.state();
        state.lanes.ended(process);
        state.lanes.took(source, took);
    }

    /// What `process` is to do next; asking ends its start.
    pub(super) fn next(&self, process: &Arc<Process>) -> Next {
        let mut state = self.state();
        process.promise(false);
        if process.started() {
            state.starting = state.starting.saturating_sub(1);
            state.failed_starts = 0;
        }
        if state.retired {
            return Next::Retired;
        }
        state.idle.retain(|idle| idle.process.id != process.id);
        state.lanes.ended(process.id);
        while let Some(job) = state.next_job(self.capacity()) {
            // Nobody waits for it any more: on AWS it would have been throttled, not run.
            if job.reply.is_closed() {
                self.in_flight.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            process.promise(true);
            state.lanes.begun(process.id, job.source());
            return Next::Job(job);
        }
        let (job, receiver) = oneshot::channel();
        state.idle.push(Idle {
            process: Arc::clone(process),
            job,
        });
        Next::Wait(receiver)
    }

    /// Takes `process` out of the idle ones; false when it is not idle (any more).
    pub(super) fn withdraw(&self, process: u64) -> bool {
        let mut state = self.state();
        let before = state.idle.len();
        state.idle.retain(|idle| idle.process.id != process);
        state.idle.len() < before
    }

    /// Ends the processes, and gives back what has not begun. Those that run something finish it when `ending` says so.
    pub(super) fn retire(&self, ending: Ending) -> Vec<Job> {
        let mut state = self.state();
        state.retired = true;
        state.idle.clear();
        for process in state.processes.values() {
            process.retire(ending);
        }
        let jobs: Vec<Job> = state.waiting.drain();
        self.in_flight.fetch_sub(jobs.len(), Ordering::Relaxed);
        jobs
    }

    pub(super) fn is_retired(&self) -> bool {
        self.state().retired
    }

    pub(super) fn has_ended(&self) -> bool {
        *self.alive.borrow() == 0
    }

    /// Waits until no process is left.
    pub(super) async fn ended(&self) {
        let mut alive = self.alive.subscribe();
        // The sender is in `self`, so the wait cannot fail.
        let _zero = alive.wait_for(|alive| *alive == 0).await;
    }

    /// A process is gone. `failed_start` tells why, when it never asked for an event.
    pub(super) fn process_ended(
        self: &Arc<Self>,
        process: &Process,
        failed_start: Option<Failure>,
    ) {
        let mut state = self.state();
        state.processes.remove(&process.id);
        state.idle.retain(|idle| idle.process.id != process.id);
        state.lanes.ended(process.id);
        while !state.idle.is_empty()
            && let Some(job) = state.next_job(self.capacity())
        {
            if let Some(job) = state.give_to_an_idle_one(job) {
                state.waiting.push(job.source(), job);
            }
        }
        let mut told = Vec::new();
        if let Some(failure) = failed_start {
            state.starting = state.starting.saturating_sub(1);
            state.failed_starts += 1;
            if state.failed_starts >= START_TRIES {
                state.failed_starts = 0;
                told = state.waiting.drain();
                self.platform_log(
                    "-",
                    format!("gave up after {START_TRIES} starts: {}", failure.message),
                );
            } else if !state.backing_off {
                state.backing_off = true;
                let wait = FIRST_BACK_OFF * 2u32.pow(state.failed_starts - 1);
                tokio::spawn(Arc::clone(self).start_after(wait));
            }
            for job in told {
                self.finish(job.reply, Outcome::Failed(failure.clone()));
            }
        }
        self.start_if_needed(&mut state);
        let alive = state.processes.len();
        drop(state);
        self.alive.send_replace(alive);
    }

    pub(super) fn begun(&self) {
        self.invocations.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells the caller of an invocation how it ended.
    pub(super) fn finish(&self, reply: oneshot::Sender<Outcome>, outcome: Outcome) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if matches!(outcome, Outcome::Failed(_)) {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        // The caller may have stopped waiting.
        let _unheard = reply.send(outcome);
    }

    pub(super) fn status(&self) -> FunctionStatus {
        FunctionStatus {
            logical_id: self.runnable.function.logical_id.clone(),
            name: self.runnable.function.name.clone(),
            processes: self.state().processes.len(),
            invocations: self.invocations.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
        }
    }

    /// Tells of a process that has started, before it does anything.
    pub(super) fn process_started(&self, pid: u32, log_stream: &str) {
        self.observer.process_started(pid, log_stream);
    }

    /// Tells that a process is gone, and what it has started with it.
    pub(super) fn process_is_gone(&self, pid: u32) {
        self.observer.process_ended(pid);
    }

    pub(super) fn log(&self, stream: &str, source: LogSource, text: String) {
        if let Some(action) = self.runnable.missing_log_action
            && !self.told_of_logs.swap(true, Ordering::Relaxed)
        {
            let function = &self.runnable.function.logical_id;
            self.observer.warn(format!(
                "the role of function `{function}` does not allow {action}: on AWS its log lines are lost"
            ));
        }
        self.observer.log(LogLine {
            function: self.runnable.function.logical_id.clone(),
            log_group: self.runnable.function.log_group.clone(),
            stream: stream.to_owned(),
            source,
            text,
        });
    }

    pub(super) fn platform_log(&self, stream: &str, text: String) {
        self.log(stream, LogSource::Platform, text);
    }

    fn capacity(&self) -> usize {
        match self.runnable.function.reserved_concurrency {
            Some(reserved) => self.runnable.max_processes.min(reserved as usize),
            None => self.runnable.max_processes,
        }
    }

    fn start_if_needed(self: &Arc<Self>, state: &mut State) {
        let (capacity, lanes) = (self.capacity(), &state.lanes);
        let is_reserved = self.runnable.function.reserved_concurrency.is_some();
        let room = match state.waiting.has_of(|source| lanes.is_quick(source)) {
            true => lanes.room(capacity, is_reserved),
            false => capacity,
        };
        while !state.retired
            && !state.backing_off
            && state.starting < state.waiting.len()
            && state.processes.len() < room
        {
            let process = Arc::new(Process::new(
                self.next_process.fetch_add(1, Ordering::Relaxed),
            ));
            state.starting += 1;
            state.processes.insert(process.id, Arc::clone(&process));
            self.alive.send_replace(state.processes.len());
            tokio::spawn(process::run(Arc::clone(self), process));
        }
    }

    /// Drops what nobody waits for any more, so that it does not hold room while all processes work.
    fn tidy(&self, state: &mut State) {
        let now = Instant::now();
        if state.tidied.is_some_and(|last| now - last < TIDY_AFTER) {
            return;
        }
        state.tidied = Some(now);
        let dropped = state.waiting.retain(|job| !job.reply.is_closed());
        self.in_flight.fetch_sub(dropped, Ordering::Relaxed);
    }

    async fn start_after(self: Arc<Self>, wait: Duration) {
        tokio::time::sleep(wait).await;
        let mut state = self.state();
        state.backing_off = false;
        self.start_if_needed(&mut state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gives `job` to the process that was idle for the shortest time; gives it back where none is.
    fn give_to_an_idle_one(&mut self, mut job: Job) -> Option<Job> {
        let source = job.source();
        while let Some(idle) = self.idle.pop() {
            idle.process.promise(true);
            // It fails when that process closed its connection meanwhile.
            match idle.job.send(job) {
                Ok(()) => {
                    self.lanes.begun(idle.process.id, source);
                    return None;
                }
                Err(refused) => job = refused,
            }
            idle.process.promise(false);
        }
        Some(job)
    }

    /// What an idle process is to get next.
    fn next_job(&mut self, capacity: usize) -> Option<Job> {
        let Self { waiting, lanes, .. } = self;
        match lanes.has_room(capacity) {
            true => waiting.pop(),
            false => waiting.pop_of(|source| lanes.is_quick(source)),
        }
    }
}
