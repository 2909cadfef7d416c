//! A running function, the adapter of its pool: executes the pool's decisions with processes, their Runtime APIs, the
//! channels of callers and the log.

mod process;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use self::process::ProcessOf;
use self::state::{DeferredAction, Handle, State};
use super::job::{Job, Outcome};
use super::pool::{Action, Ending, Pool, Rules};
use super::process::run;
use super::runnable::Runnable;
use crate::observer::{LogLine, LogSource, Observer};
use crate::options::Limits;
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
        self.change(|state| state.submit(job))
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
    fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> (T, Vec<Action<Job>>)) -> T {
        let mut state = self.state();
        let (value, actions) = change(&mut state);
        let outside = self.perform(&mut state, actions.into());
        let alive = state.pool.alive();
        drop(state);
        for action in outside {
            match action {
                DeferredAction::Log(stream, text) => self.log(&stream, LogSource::Platform, text),
                DeferredAction::Finish(caller, outcome) => caller.finish(outcome),
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
        mut actions: VecDeque<Action<Job>>,
    ) -> Vec<DeferredAction> {
        let mut outside = Vec::new();
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Start(process) => {
                    let handle = self.start(process);
                    state.handles.insert(process, handle);
                }
                Action::Deliver { process, job } => {
                    actions.extend(state.deliver(process, job));
                }
                Action::End { process, order } => state.end(process, order),
                Action::Log { process, text } => {
                    outside.push(DeferredAction::Log(state.log_stream(process), text));
                }
                Action::Finish { process, outcome } => {
                    outside.extend(state.finish(process, outcome));
                }
                Action::Fail { job, failure } => {
                    let (_event, caller) = job.into_parts();
                    outside.push(DeferredAction::Finish(caller, Outcome::Failed(failure)));
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
            let failure = run(runnable, grace, order, &process).await;
            process.exited(failure);
        });
        Handle::new(log_stream, end)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
