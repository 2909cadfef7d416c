//! A running function: executes its pool's decisions with processes, their Runtime APIs and the log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::job::{Event, Failure, Job, Outcome};
use super::pool::{Action, Busy, Ending, Pool, Rules, Termination};
use super::process::{self, Supervisor};
use super::runnable::Runnable;
use super::runtime_api::{self, Runtime};
use crate::observer::{LogLine, LogSource, Observer};
use crate::options::Limits;
use crate::stack;
use crate::status::FunctionStatus;
use crate::{ids, moments};

/// A function and its processes.
#[derive(Debug)]
pub(crate) struct Function {
    pub(super) runnable: Runnable,
    limits: Limits,
    observer: Observer,
    /// Whether the warning was given. It is given once, not with every line.
    reported_logs: AtomicBool,
    state: Mutex<State>,
    /// The number of live processes, for waits until there are none.
    alive: watch::Sender<usize>,
}

#[derive(Debug)]
struct State {
    pool: Pool,
    /// Handles of the pool's processes.
    handles: BTreeMap<u64, Handle>,
}

#[derive(Debug)]
struct Handle {
    log_stream: Arc<str>,
    /// Delivers an event to the waiting process, once.
    job: Option<oneshot::Sender<Job>>,
    end: Option<oneshot::Sender<Termination>>,
}

impl Function {
    pub(super) fn new(runnable: Runnable, limits: Limits, observer: Observer) -> Arc<Self> {
        let function = &runnable.function;
        let reserved = function.reserved_concurrency;
        let pool = Pool::new(Rules {
            capacity: reserved.map_or(runnable.max_processes, |reserved| {
                runnable.max_processes.min(reserved as usize)
            }),
            is_reserved: reserved.is_some(),
            timeout: function.timeout,
            init_timeout: limits.init_timeout,
            process_idle: limits.process_idle,
            memory_size: function.memory_size,
        });
        Arc::new(Self {
            runnable,
            limits,
            observer,
            reported_logs: AtomicBool::new(false),
            state: Mutex::new(State {
                pool,
                handles: BTreeMap::new(),
            }),
            alive: watch::Sender::new(0),
        })
    }

    /// Whether this is exactly `other`.
    pub(super) fn runs(&self, other: &Runnable) -> bool {
        self.runnable == *other
    }

    /// Accepts a job, or returns it if this function is retired.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> Result<(), Job> {
        self.change(|state| match state.pool.submitted(job, Instant::now()) {
            Ok(actions) => (Ok(()), actions),
            Err(job) => (Err(job), Vec::new()),
        })
    }

    /// Ends the processes, and returns the jobs that have not begun.
    pub(super) fn retire(self: &Arc<Self>, ending: Ending) -> Vec<Job> {
        self.change(|state| state.pool.retire(ending))
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

    pub(super) fn status(&self) -> FunctionStatus {
        let (counts, processes) = {
            let state = self.state();
            (state.pool.counts(), state.pool.alive())
        };
        FunctionStatus {
            logical_id: self.runnable.function.logical_id.clone(),
            name: self.runnable.function.name.clone(),
            processes,
            invocations: counts.invocations,
            errors: counts.errors,
            throttles: counts.throttles,
            durations: counts.durations,
            in_flight: counts.in_flight,
        }
    }

    /// Writes a line that belongs to no process to the function's log.
    pub(super) fn platform_log(&self, text: String) {
        self.log("-", LogSource::Platform, text);
    }

    fn log(&self, stream: &str, source: LogSource, text: String) {
        let function = &self.runnable.function;
        if let Some(action) = self.runnable.missing_log_action
            && !self.reported_logs.swap(true, Ordering::Relaxed)
        {
            let function = &function.logical_id;
            self.observer.warn(format!(
                "the role of function `{function}` does not allow {action}: on AWS its log lines would be lost"
            ));
        }
        self.observer.log(LogLine {
            function: function.logical_id.clone(),
            log_group: function.log_group.clone(),
            stream: stream.to_owned(),
            source,
            text,
        });
    }

    /// Changes the pool and executes the resulting actions.
    fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> (T, Vec<Action>)) -> T {
        let mut state = self.state();
        let (value, actions) = change(&mut state);
        let outside = self.perform(&mut state, actions.into());
        let alive = state.pool.alive();
        drop(state);
        for action in outside {
            match action {
                DeferredAction::Log(stream, text) => self.log(&stream, LogSource::Platform, text),
                // The caller may have stopped waiting.
                DeferredAction::Finish(reply, outcome) => drop(reply.send(outcome)),
            }
        }
        self.alive
            .send_if_modified(|before| std::mem::replace(before, alive) != alive);
        value
    }

    /// Executes `actions`, except those that must run without the lock.
    fn perform(
        self: &Arc<Self>,
        state: &mut State,
        mut actions: VecDeque<Action>,
    ) -> Vec<DeferredAction> {
        let mut outside = Vec::new();
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Start(process) => {
                    let handle = self.start(process);
                    state.handles.insert(process, handle);
                }
                Action::Deliver { process, job } => {
                    if let Err(job) = state.deliver(process, job) {
                        actions.extend(state.pool.undelivered(process, job, Instant::now()));
                    }
                }
                Action::End { process, order } => {
                    let handle = state.handles.get_mut(&process);
                    if let Some(end) = handle.and_then(|handle| handle.end.take()) {
                        // A process that has ended needs no signal.
                        let _gone = end.send(order);
                    }
                }
                Action::Log { process, text } => {
                    let handle = process.and_then(|process| state.handles.get(&process));
                    let stream = handle.map_or_else(|| "-".into(), |it| Arc::clone(&it.log_stream));
                    outside.push(DeferredAction::Log(stream, text));
                }
                Action::Finish { reply, outcome } => {
                    outside.push(DeferredAction::Finish(reply, outcome))
                }
                Action::Rest(time) => {
                    tokio::spawn(Arc::clone(self).rest(time));
                }
            }
        }
        outside
    }

    async fn rest(self: Arc<Self>, time: Duration) {
        tokio::time::sleep(time).await;
        self.change(|state| ((), state.pool.rested(Instant::now())));
    }

    fn start(self: &Arc<Self>, id: u64) -> Handle {
        let day = moments::iso(moments::now_millis())[..10].replace('-', "/");
        let log_stream: Arc<str> = format!(
            "{day}/[$LATEST]{}",
            ids::random_text(32, b"0123456789abcdef")
        )
        .into();
        let (end, order) = oneshot::channel();
        let process = ProcessOf {
            function: Arc::clone(self),
            id,
            log_stream: Arc::clone(&log_stream),
        };
        tokio::spawn(async move {
            let grace = process.function.limits.shutdown_grace;
            let runnable = &process.function.runnable;
            let failure = process::run(runnable, grace, order, &process).await;
            process.exited(failure);
        });
        Handle {
            log_stream,
            job: None,
            end: Some(end),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the job if the process has closed its connection meanwhile.
    fn deliver(&mut self, process: u64, job: Job) -> Result<(), Job> {
        let handle = self.handles.get_mut(&process);
        match handle.and_then(|handle| handle.job.take()) {
            Some(sender) => sender.send(job),
            None => Err(job),
        }
    }
}

/// Actions that may call other code, so they wait until the lock is released.
enum DeferredAction {
    Log(Arc<str>, String),
    Finish(oneshot::Sender<Outcome>, Outcome),
}

/// One process of a function.
#[derive(Debug, Clone)]
struct ProcessOf {
    function: Arc<Function>,
    id: u64,
    log_stream: Arc<str>,
}

impl ProcessOf {
    fn exited(&self, why: Failure) {
        self.function.change(|state| {
            let actions = state.pool.exited(self.id, why, Instant::now());
            ((), actions)
        });
        self.function.state().handles.remove(&self.id);
    }
}

impl Supervisor for ProcessOf {
    fn log_stream(&self) -> &str {
        &self.log_stream
    }

    fn starts(&self) {
        self.function.observer.process_starts(&self.log_stream);
    }

    fn did_not_start(&self) {
        self.function
            .observer
            .process_did_not_start(&self.log_stream);
    }

    fn started(&self, pid: u32) {
        self.function
            .observer
            .process_started(pid, &self.log_stream);
    }

    fn ended(&self, pid: u32) {
        self.function.observer.process_ended(pid);
    }

    fn wrote(&self, source: LogSource, line: String) {
        self.function.log(&self.log_stream, source, line);
    }

    fn look(&self) -> Instant {
        self.function
            .change(|state| state.pool.ticked(self.id, Instant::now()))
    }

    async fn serve(self, listener: TcpListener) {
        runtime_api::serve(listener, self).await;
    }
}

impl Runtime for ProcessOf {
    fn function(&self) -> &stack::Function {
        &self.function.runnable.function
    }

    fn next(&self) -> Result<oneshot::Receiver<Job>, Busy> {
        self.function.change(|state| {
            let (sender, job) = oneshot::channel();
            if let Some(handle) = state.handles.get_mut(&self.id) {
                handle.job = Some(sender);
            }
            match state.pool.asked(self.id, Instant::now()) {
                Ok(actions) => (Ok(job), actions),
                Err(busy) => (Err(busy), Vec::new()),
            }
        })
    }

    fn begin(&self, job: Job) -> Option<Event> {
        self.function.change(|state| {
            let event = state.pool.begun(self.id, job, Instant::now());
            (event, Vec::new())
        })
    }

    fn works_on(&self, request_id: &str) -> bool {
        self.function.state().pool.works_on(self.id, request_id)
    }

    fn responded(&self, request_id: &str, outcome: Outcome) -> bool {
        self.function.change(|state| {
            let answered = state
                .pool
                .responded(self.id, request_id, outcome, Instant::now());
            (answered.is_some(), answered.unwrap_or_default())
        })
    }

    fn failed_to_start(&self, failure: Failure) -> bool {
        self.function.state().pool.failed_to_start(self.id, failure)
    }
}
