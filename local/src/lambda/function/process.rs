//! One process of a function: what its runner and its Runtime API report goes to the pool.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Function;
use crate::lambda::job::{Event, Failure, Job, Outcome};
use crate::lambda::pool::Busy;
use crate::lambda::process::Supervisor;
use crate::lambda::runtime_api::{self, Runtime};
use crate::observer::LogSource;
use crate::stack;

/// One process of a function.
#[derive(Debug, Clone)]
pub(super) struct ProcessOf {
    pub(super) function: Arc<Function>,
    pub(super) id: u64,
    pub(super) log_stream: Arc<str>,
}

impl ProcessOf {
    pub(super) fn exited(&self, why: Failure) {
        self.function.change(|state| {
            let actions = state.pool.exited(self.id, why, Instant::now());
            ((), actions)
        });
        let handle = self.function.state().handles.remove(&self.id);
        drop(handle);
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
            let job = state.request(self.id);
            match state.pool.asked(self.id, Instant::now()) {
                Ok(actions) => (Ok(job), actions),
                Err(busy) => (Err(busy), Vec::new()),
            }
        })
    }

    fn begin(&self, job: Job) -> Option<Event> {
        let begun = self
            .function
            .change(|state| (state.begin(self.id, job), Vec::new()));
        begun.ok()
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
