//! The functions of a stack, by their ARNs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::oneshot;

use super::event_queue::EventQueue;
use super::function::Function;
use super::job::{Event, Failure, Invocation, Job, Outcome};
use super::pool::Ending;
use super::runnable::Runnable;
use crate::budget::{Budget, Reservation};
use crate::clock::Clock;
use crate::ids;
use crate::observer::Observer;
use crate::options::Limits;
use crate::stack::EventPolicy;
use crate::status::FunctionStatus;

/// All functions of a stack.
#[derive(Debug)]
pub(crate) struct Functions {
    by_arn: RwLock<BTreeMap<String, Arc<Function>>>,
    /// Replaced functions whose processes may still be working.
    draining: Mutex<Vec<Arc<Function>>>,
    pub(super) events: Arc<EventQueue>,
    pub(super) budget: Arc<Budget>,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) observer: Observer,
}

impl Functions {
    pub(crate) fn new(
        limits: Limits,
        clock: Clock,
        budget: Arc<Budget>,
        observer: Observer,
    ) -> Self {
        Self {
            by_arn: RwLock::default(),
            draining: Mutex::default(),
            events: Arc::default(),
            budget,
            limits,
            clock,
            observer,
        }
    }

    /// Makes exactly `wanted` callable. Unchanged functions keep their processes; changed and removed ones finish their
    /// running invocations. Invocations that wait for a changed function go to its new processes.
    pub(crate) fn replace(&self, wanted: Vec<Runnable>) {
        let mut functions = self.by_arn.write().unwrap_or_else(PoisonError::into_inner);
        let mut draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        draining.retain(|function| !function.has_ended());
        let mut before = std::mem::take(&mut *functions);
        for runnable in wanted {
            let arn = runnable.function.arn.clone();
            let function = match before.remove(&arn) {
                Some(old) if old.runs(&runnable) => old,
                old => {
                    let function =
                        Function::new(runnable, self.limits.clone(), self.observer.clone());
                    for job in old.iter().flat_map(|old| old.retire(Ending::Finished)) {
                        // A function that was just created accepts every job.
                        let _taken = function.submit(job);
                    }
                    draining.extend(old);
                    function
                }
            };
            functions.insert(arn, function);
        }
        for removed in before.into_values() {
            drop(removed.retire(Ending::Finished));
            draining.push(removed);
        }
    }

    /// Invokes a function with an event and waits until it ends. Dropping the future does not stop it, unless it has
    /// not begun.
    pub(crate) async fn invoke(
        &self,
        arn: &str,
        payload: Vec<u8>,
        trace: &str,
        held: Reservation,
    ) -> Outcome {
        let event = Event {
            request_id: ids::invocation_id(),
            payload: payload.into(),
            trace: trace.to_owned(),
            client_context: None,
        };
        self.run(arn, Invocation { event, held }).await
    }

    /// Like [`Functions::invoke`], with all inputs of an invocation.
    pub(super) async fn run(&self, arn: &str, invocation: Invocation) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let mut job = Job {
            invocation: Box::new(invocation),
            reply,
        };
        loop {
            let Some(function) = self.function(arn) else {
                return Outcome::Failed(Failure::new(
                    "ResourceNotFoundException",
                    format!("Function not found: {arn}"),
                ));
            };
            // It refuses the job if it was replaced since it was looked up.
            match function.submit(job) {
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

    /// The retry policy for asynchronous invocations of a function; `None` if there is no such function.
    pub(super) fn event_policy(&self, arn: &str) -> Option<EventPolicy> {
        Some(self.function(arn)?.runnable.function.events.clone())
    }

    /// Writes a line that belongs to no process to a function's log.
    pub(super) fn platform_log(&self, arn: &str, text: String) {
        if let Some(function) = self.function(arn) {
            function.platform_log(text);
        }
    }

    fn function(&self, arn: &str) -> Option<Arc<Function>> {
        let functions = self.by_arn.read().unwrap_or_else(PoisonError::into_inner);
        functions.get(arn).cloned()
    }

    /// The status of every function.
    pub(crate) fn status(&self) -> Vec<FunctionStatus> {
        self.by_arn
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .map(|function| function.status())
            .collect()
    }

    /// Ends every process, even at work, and waits until none is left.
    pub(crate) async fn stop(&self) {
        for function in self.abandon() {
            function.ended().await;
        }
    }

    /// Ends every process without waiting.
    pub(crate) fn abandon(&self) -> Vec<Arc<Function>> {
        self.events.abandon();
        let mut functions = self.by_arn.write().unwrap_or_else(PoisonError::into_inner);
        let mut draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = std::mem::take(&mut *functions)
            .into_values()
            .chain(draining.drain(..))
            .collect();
        for function in &all {
            drop(function.retire(Ending::Now));
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
