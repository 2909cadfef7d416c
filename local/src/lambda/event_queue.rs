//! The places of asynchronous invocations, for each function as many as its queue takes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::budget::{Budget, Reservation, Share, Stage};
use crate::options::Limits;

/// Accepted invocations that are neither done nor dropped.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    tasks: Mutex<JoinSet<()>>,
    held: Mutex<BTreeMap<String, Queue>>,
    /// The number of invocations that run, without those that wait for a retry.
    pub(super) trying: watch::Sender<usize>,
}

/// The queue of one function.
#[derive(Debug)]
struct Queue {
    events: usize,
    bytes: usize,
    share: Arc<Share>,
}

/// The queue of the function is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

impl EventQueue {
    /// Runs `task` in the background.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// The number of invocations that are neither done nor dropped.
    pub(super) fn unfinished(&self) -> usize {
        lock(&self.held).values().map(|held| held.events).sum()
    }

    /// Drops all invocations.
    pub(super) fn abandon(&self) {
        lock(&self.tasks).abort_all();
    }
}

/// A place in a function's queue, freed when dropped.
pub(super) struct QueueSlot {
    queues: Arc<EventQueue>,
    arn: String,
    pub(super) held: Reservation,
}

impl QueueSlot {
    pub(super) fn take(
        queues: &Arc<EventQueue>,
        (limits, budget): (&Limits, &Arc<Budget>),
        arn: &str,
        bytes: usize,
    ) -> Result<Self, QueueFull> {
        let mut held = lock(&queues.held);
        let queue = held
            .entry(arn.to_owned())
            .or_insert_with(|| Queue::new(budget));
        if queue.events >= limits.waiting_events
            || (queue.events > 0 && queue.bytes + bytes > limits.waiting_event_bytes)
        {
            return Err(QueueFull);
        }
        let taken = queue.share.take(bytes, Stage::Begin).ok_or(QueueFull)?;
        queue.events += 1;
        queue.bytes += bytes;
        Ok(Self {
            queues: Arc::clone(queues),
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
        let mut held = lock(&self.queues.held);
        if let Some(queue) = held.get_mut(&self.arn) {
            queue.events -= 1;
            queue.bytes -= self.held.bytes();
            if queue.events == 0 {
                held.remove(&self.arn);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
