//! Runs functions: a pool of processes for each, driven through the Lambda Runtime API.

mod callee;
mod code;
mod environment;
mod event_queue;
mod fair_queue;
pub(crate) mod invoke_api;
mod lanes;
mod open_files;
mod output;
mod pool;
mod process;
mod runtime_api;
mod stragglers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hyper::body::Bytes;
use tokio::sync::oneshot;

use self::event_queue::EventQueue;
use crate::budget::{Budget, Held};
use crate::clock::Clock;
use crate::gateway::ids;
use crate::observer::Observer;
use crate::options::Limits;
use crate::stack::{EventPolicy, Function};
use crate::status::FunctionStatus;

pub use self::code::CodeError;
pub(crate) use self::code::{Code, Scratch};
pub(crate) use self::environment::Surroundings;
use self::pool::{Ending, Job, Pool};
pub use self::stragglers::end_stragglers;

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With the function's own answer.
    Answer(Bytes),
    /// With a function error: reported, timed out, exited, too large.
    Failed(Failure),
}

/// A function error, as the caller of an invocation sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For example `Runtime.ExitError`.
    pub(crate) error_type: String,
    pub(crate) message: String,
}

/// The longest message that is told to the author, in characters.
const TOLD: usize = 500;

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            error_type,
            message,
        } = self;
        write!(f, "{error_type:.100}: {message:.TOLD$}")
    }
}

impl Failure {
    pub(crate) fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
        }
    }

    /// The function may have no process at all, so it was never tried.
    fn throttle() -> Self {
        Self::new(THROTTLE, "Rate Exceeded.")
    }

    fn is_throttle(&self) -> bool {
        self.error_type == THROTTLE
    }
}

const THROTTLE: &str = "TooManyRequestsException";

/// What a function is invoked with.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) event: Event,
    /// What it takes of the budget, and whose it is.
    pub(crate) held: Held,
}

/// What a function is told.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    /// The trace's root, as `X-Amzn-Trace-Id` has it.
    pub(crate) trace: String,
    /// What a caller of the Invoke API told about itself, as JSON.
    pub(crate) client_context: Option<String>,
}

/// A function with everything that its processes need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Runnable {
    pub(crate) function: Function,
    pub(crate) code: Code,
    pub(crate) surroundings: Surroundings,
    pub(crate) max_processes: usize,
    /// The action that its role would need to write logs on AWS, and lacks.
    pub(crate) missing_log_action: Option<&'static str>,
}

/// All functions of a stack, by ARN.
#[derive(Debug)]
pub(crate) struct Functions {
    pools: RwLock<BTreeMap<String, Arc<Pool>>>,
    /// Replaced ones whose processes may still finish something.
    draining: Mutex<Vec<Arc<Pool>>>,
    events: EventQueue,
    budget: Arc<Budget>,
    limits: Limits,
    clock: Clock,
    observer: Observer,
}

impl Functions {
    pub(crate) fn new(
        limits: Limits,
        clock: Clock,
        budget: Arc<Budget>,
        observer: Observer,
    ) -> Self {
        Self {
            pools: RwLock::default(),
            draining: Mutex::default(),
            events: EventQueue::default(),
            budget,
            limits,
            clock,
            observer,
        }
    }

    /// Makes exactly `wanted` callable. Unchanged functions keep their processes; changed and removed ones finish what
    /// they run. Invocations that still waited for a changed function go to its new processes.
    pub(crate) fn replace(&self, wanted: Vec<Runnable>) {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        let mut draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        draining.retain(|pool| !pool.has_ended());
        let mut before = std::mem::take(&mut *pools);
        for runnable in wanted {
            let arn = runnable.function.arn.clone();
            let pool = match before.remove(&arn) {
                Some(old) if old.runs(&runnable) => old,
                old => {
                    let pool = Pool::new(runnable, self.limits.clone(), self.observer.clone());
                    for job in old.iter().flat_map(|old| old.retire(Ending::Finished)) {
                        // A pool that was made a moment ago takes every job.
                        let _taken = pool.submit(job);
                    }
                    draining.extend(old);
                    pool
                }
            };
            pools.insert(arn, pool);
        }
        for removed in before.into_values() {
            drop(removed.retire(Ending::Finished));
            draining.push(removed);
        }
    }

    /// Invokes a function on an event and waits until it ends. Giving up waiting does not stop it, unless it has not
    /// begun.
    pub(crate) async fn invoke(
        &self,
        arn: &str,
        payload: Vec<u8>,
        trace: &str,
        held: Held,
    ) -> Outcome {
        let event = Event {
            request_id: ids::invocation_id(),
            payload: payload.into(),
            trace: trace.to_owned(),
            client_context: None,
        };
        self.run(arn, Invocation { event, held }).await
    }

    /// Like [`Functions::invoke`], with everything that an invocation can have.
    async fn run(&self, arn: &str, invocation: Invocation) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let mut job = Job {
            invocation: Box::new(invocation),
            reply,
        };
        loop {
            let Some(pool) = self.pool(arn) else {
                return Outcome::Failed(Failure::new(
                    "ResourceNotFoundException",
                    format!("Function not found: {arn}"),
                ));
            };
            // A pool refuses when it was replaced since it was looked up.
            match pool.submit(job) {
                Ok(()) => break,
                Err(refused) => job = refused,
            }
        }
        outcome.await.unwrap_or_else(|_| {
            Outcome::Failed(Failure::new(
                "Runtime.ExitError",
                "the function was stopped",
            ))
        })
    }

    /// What becomes of asynchronous invocations of a function that fail; `None` when there is no such function.
    fn event_policy(&self, arn: &str) -> Option<EventPolicy> {
        Some(self.pool(arn)?.runnable.function.events.clone())
    }

    /// Writes a line that belongs to no process into a function's log.
    fn platform_log(&self, arn: &str, text: String) {
        if let Some(pool) = self.pool(arn) {
            pool.platform_log("-", text);
        }
    }

    fn pool(&self, arn: &str) -> Option<Arc<Pool>> {
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        pools.get(arn).cloned()
    }

    /// Every function at this moment.
    pub(crate) fn status(&self) -> Vec<FunctionStatus> {
        self.pools
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .map(|pool| pool.status())
            .collect()
    }

    /// Ends every process, whatever it works on, and waits until none is left.
    pub(crate) async fn stop(&self) {
        for pool in self.abandon() {
            pool.ended().await;
        }
    }

    /// Ends every process without waiting.
    pub(crate) fn abandon(&self) -> Vec<Arc<Pool>> {
        self.abandon_events();
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        let mut draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = std::mem::take(&mut *pools)
            .into_values()
            .chain(draining.drain(..))
            .collect();
        for pool in &all {
            drop(pool.retire(Ending::Now));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unknown_function_is_a_function_error() {
        let (budget, limits) = (Budget::new(0), Limits::default());
        let held = budget.share().take_anyway(0);
        let functions = Functions::new(limits, Clock::real(), budget, Observer::silent());
        let outcome = functions
            .invoke("arn:aws:lambda:r:a:function:nope", Vec::new(), "", held)
            .await;
        assert!(
            matches!(outcome, Outcome::Failed(failure) if failure.error_type == "ResourceNotFoundException")
        );
    }
}
