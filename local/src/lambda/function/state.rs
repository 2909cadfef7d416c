//! A function's pool with what its jobs and processes bring: channels, callers, log streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::lambda::job::{Caller, Event, Job, Outcome};
use crate::lambda::lanes::HasLoad as _;
use crate::lambda::pool::{Action, Pool, Termination};

#[derive(Debug)]
pub(super) struct State {
    pub(super) pool: Pool<Job>,
    /// Handles of the pool's processes.
    pub(super) handles: BTreeMap<u64, Handle>,
}

#[derive(Debug)]
pub(super) struct Handle {
    log_stream: Arc<str>,
    /// Delivers an event to the waiting process, once.
    job: Option<oneshot::Sender<Job>>,
    /// The caller of the event that the process works on.
    caller: Option<Caller>,
    end: Option<oneshot::Sender<Termination>>,
}

impl Handle {
    pub(super) fn new(log_stream: Arc<str>, end: oneshot::Sender<Termination>) -> Self {
        Self {
            log_stream,
            job: None,
            caller: None,
            end: Some(end),
        }
    }
}

impl State {
    /// Accepts a job, or returns it if the pool is retired.
    pub(super) fn submit(&mut self, job: Job) -> (Result<(), Job>, Vec<Action<Job>>) {
        let now = Instant::now();
        self.pool.drop_abandoned(now, Job::is_abandoned);
        match self.pool.submitted(job, now) {
            Ok(actions) => (Ok(()), actions),
            Err(job) => (Err(job), Vec::new()),
        }
    }

    /// A channel for the next event of the process. An earlier one is closed.
    pub(super) fn request(&mut self, process: u64) -> oneshot::Receiver<Job> {
        let (sender, job) = oneshot::channel();
        if let Some(handle) = self.handles.get_mut(&process) {
            handle.job = Some(sender);
        }
        job
    }

    /// Sends the job to the process, or returns the actions that follow because it cannot be sent or is abandoned.
    pub(super) fn deliver(&mut self, process: u64, job: Job) -> Vec<Action<Job>> {
        if let Some(handle) = self.handles.get_mut(&process) {
            // The pool has nothing of an earlier event any more, so there will be no outcome for its caller.
            handle.caller = None;
        }
        if job.is_abandoned() {
            drop(job);
            return self.pool.unwanted(process);
        }
        let handle = self.handles.get_mut(&process);
        let sent = match handle.and_then(|handle| handle.job.take()) {
            Some(sender) => sender.send(job),
            None => Err(job),
        };
        let Err(job) = sent else {
            return Vec::new();
        };
        // The process has closed its connection meanwhile.
        let now = Instant::now();
        self.pool.drop_abandoned(now, Job::is_abandoned);
        self.pool.undelivered(process, job, now)
    }

    /// Records that the process works on the job; returns the event, or the job if the process has ended.
    pub(super) fn begin(&mut self, process: u64, job: Job) -> Result<Event, Job> {
        let Some(handle) = self.handles.get_mut(&process) else {
            return Err(job);
        };
        let (source, request_id) = (job.load().source, &job.invocation.event.request_id);
        if !self.pool.begun(process, source, request_id, Instant::now()) {
            return Err(job);
        }
        let (event, caller) = job.into_parts();
        handle.caller = Some(caller);
        Ok(event)
    }

    /// The caller of the event that the process has worked on, to get `outcome`.
    pub(super) fn finish(&mut self, process: u64, outcome: Outcome) -> Option<DeferredAction> {
        let caller = self.handles.get_mut(&process)?.caller.take()?;
        Some(DeferredAction::Finish(caller, outcome))
    }

    pub(super) fn end(&mut self, process: u64, order: Termination) {
        let handle = self.handles.get_mut(&process);
        if let Some(end) = handle.and_then(|handle| handle.end.take()) {
            // A process that has ended needs no signal.
            let _gone = end.send(order);
        }
    }

    /// The log stream of a process, or of the function itself.
    pub(super) fn log_stream(&self, process: Option<u64>) -> Arc<str> {
        let handle = process.and_then(|process| self.handles.get(&process));
        handle.map_or_else(|| "-".into(), |handle| Arc::clone(&handle.log_stream))
    }
}

/// Actions that may call other code, so they wait until the lock is released.
pub(super) enum DeferredAction {
    Log(Arc<str>, String),
    Finish(Caller, Outcome),
}
