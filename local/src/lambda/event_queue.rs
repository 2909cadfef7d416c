//! Asynchronous invocations: accepted at once, run in the background, retried as Lambda does.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>. Each is a separate task, so
//! they run concurrently, up to the function's processes. They run in the order of their arrival only as long as none
//! fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::budget::{Budget, Reservation, Share, Stage};

use super::Functions;
use super::job::{Event, Failure, Invocation, Outcome};

/// The pauses between the first and the second attempt, and between the second and the third.
const PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// Accepted invocations that are neither done nor dropped.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    tasks: Mutex<JoinSet<()>>,
    held: Mutex<BTreeMap<String, Queue>>,
    /// The number of invocations that run, without those that wait for a retry.
    trying: watch::Sender<usize>,
}

/// The queue of one function.
#[derive(Debug)]
struct Queue {
    events: usize,
    bytes: usize,
    share: Arc<Share>,
}

/// One asynchronous invocation.
#[derive(Debug)]
struct QueuedEvent {
    arn: String,
    request_id: String,
    payload: Bytes,
    trace: String,
}

/// The queue of the function is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

impl Functions {
    /// Accepts an asynchronous invocation and returns its request id. The outcome is only visible in the function's
    /// log.
    pub(crate) fn accept(
        self: &Arc<Self>,
        arn: &str,
        payload: Bytes,
        trace: &str,
    ) -> Result<String, QueueFull> {
        let slot = QueueSlot::take(self, arn, payload.len())?;
        let request_id = crate::ids::invocation_id();
        let event = QueuedEvent {
            arn: arn.to_owned(),
            request_id: request_id.clone(),
            payload,
            trace: trace.to_owned(),
        };
        let mut tasks = lock(&self.events.tasks);
        while tasks.try_join_next().is_some() {}
        let functions = Arc::clone(self);
        tasks.spawn(async move {
            functions.run_event(event, slot.held.share()).await;
            drop(slot);
        });
        Ok(request_id)
    }

    /// Waits until no asynchronous invocation runs, for at most `timeout`. Then it drops the remaining ones and logs
    /// their number.
    pub(crate) async fn settle_events(&self, timeout: Duration) {
        let mut trying = self.events.trying.subscribe();
        let quiet = trying.wait_for(|trying| *trying == 0);
        // Invocations that still run end with their process.
        let _quiet = tokio::time::timeout(timeout, quiet).await;
        let lost: usize = lock(&self.events.held)
            .values()
            .map(|held| held.events)
            .sum();
        if lost > 0 {
            self.observer.warn(format!(
                "{lost} asynchronous invocations were unfinished when the stack stopped, and are lost; Lambda would have kept them"
            ));
        }
        self.abandon_events();
    }

    pub(super) fn abandon_events(&self) {
        lock(&self.events.tasks).abort_all();
    }

    /// `share` is the queue's, which already holds the event.
    async fn run_event(&self, event: QueuedEvent, share: &Arc<Share>) {
        let accepted = self.clock.elapsed();
        let mut tries = 0;
        while let Some(policy) = self.event_policy(&event.arn) {
            let outcome = {
                let _trying = Trying::begin(&self.events.trying);
                let again = Event {
                    request_id: event.request_id.clone(),
                    payload: event.payload.clone(),
                    trace: event.trace.clone(),
                    client_context: None,
                };
                let invocation = Invocation {
                    event: again,
                    held: share.take_anyway(0),
                };
                self.run(&event.arn, invocation).await
            };
            tries += 1;
            let Outcome::Failed(failure) = outcome else {
                return;
            };
            let pause = PAUSES
                .get(tries - 1)
                .filter(|_| tries <= policy.retries as usize && !failure.is_throttle());
            let Some(pause) = pause else {
                return self.tell_of_drop(&event, tries, &failure);
            };
            let next = self.clock.elapsed() + *pause;
            if next.saturating_sub(accepted) > policy.longest_age {
                return self.tell_of_drop(&event, tries, &failure);
            }
            self.platform_log(
                &event.arn,
                format!(
                    "RequestId: {} failed ({}); retrying in {} seconds",
                    event.request_id,
                    failure.error_type,
                    pause.as_secs()
                ),
            );
            self.clock.until(next).await;
            // The machine may have slept longer.
            if self.clock.elapsed().saturating_sub(accepted) > policy.longest_age {
                return self.tell_of_drop(&event, tries, &failure);
            }
        }
    }

    fn tell_of_drop(&self, event: &QueuedEvent, tries: usize, failure: &Failure) {
        let Failure {
            error_type,
            message,
        } = failure;
        let name = event.arn.rsplit(':').next().unwrap_or_default();
        let times = match tries {
            1 => "once",
            2 => "twice",
            _ => "3 times",
        };
        self.observer.warn(format!(
            "an asynchronous invocation of `{name}` failed {times} and is dropped: {error_type}: {message}"
        ));
    }
}

/// A place in a function's queue, freed when dropped.
struct QueueSlot {
    functions: Arc<Functions>,
    arn: String,
    held: Reservation,
}

impl QueueSlot {
    fn take(functions: &Arc<Functions>, arn: &str, bytes: usize) -> Result<Self, QueueFull> {
        let limits = &functions.limits;
        let mut held = lock(&functions.events.held);
        let queue = held
            .entry(arn.to_owned())
            .or_insert_with(|| Queue::new(&functions.budget));
        if queue.events >= limits.waiting_events
            || (queue.events > 0 && queue.bytes + bytes > limits.waiting_event_bytes)
        {
            return Err(QueueFull);
        }
        let taken = queue.share.take(bytes, Stage::Begin).ok_or(QueueFull)?;
        queue.events += 1;
        queue.bytes += bytes;
        Ok(Self {
            functions: Arc::clone(functions),
            arn: arn.to_owned(),
            held: taken,
        })
    }
}

impl Queue {
    fn new(budget: &Arc<Budget>) -> Self {
        Self {
            events: 0,
            bytes: 0,
            share: budget.share(),
        }
    }
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        let mut held = lock(&self.functions.events.held);
        if let Some(queue) = held.get_mut(&self.arn) {
            queue.events -= 1;
            queue.bytes -= self.held.bytes();
            if queue.events == 0 {
                held.remove(&self.arn);
            }
        }
    }
}

struct Trying<'w>(&'w watch::Sender<usize>);

impl<'w> Trying<'w> {
    fn begin(trying: &'w watch::Sender<usize>) -> Self {
        trying.send_modify(|trying| *trying += 1);
        Self(trying)
    }
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|trying| *trying -= 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
