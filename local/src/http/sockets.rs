//! Limits the open sockets of a listener, and selects one to close when the limit is reached.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The sockets of one listener.
///
/// When all places are taken, the socket that has waited longest for a request is closed in favour of the newcomer, so
/// that silent sockets, however many, exclude no client. While all of them are working, newcomers wait to be accepted.
#[derive(Debug)]
pub(crate) struct Sockets {
    most: usize,
    state: Mutex<State>,
    /// Notified when a place is free, or when a socket waits that could be closed.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    next: u64,
    /// The sockets that wait for a request, the longest-waiting first.
    waiting: BTreeMap<u64, Arc<CloseRequest>>,
    /// The number of sockets that were asked to close and are still open.
    leaving: usize,
}

/// Asks a socket to close.
#[derive(Debug, Default)]
struct CloseRequest {
    asked: AtomicBool,
    notify: Notify,
}

/// One socket's place, freed when dropped.
#[derive(Debug)]
pub(crate) struct SocketSlot {
    sockets: Arc<Sockets>,
    /// Its number among the waiting sockets.
    number: Mutex<Option<u64>>,
    leave: Arc<CloseRequest>,
}

impl Sockets {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most: most.max(1),
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Takes a place for a socket that waits for its first request.
    pub(crate) async fn slot(self: &Arc<Self>) -> SocketSlot {
        loop {
            {
                let mut state = self.state();
                if state.open < self.most {
                    state.open += 1;
                    drop(state);
                    let slot = SocketSlot {
                        sockets: Arc::clone(self),
                        number: Mutex::default(),
                        leave: Arc::default(),
                    };
                    slot.waits();
                    return slot;
                }
                // One at a time, so that no more sockets are closed than newcomers come.
                if state.leaving == 0
                    && let Some((_, oldest)) = state.waiting.pop_first()
                {
                    state.leaving += 1;
                    oldest.asked.store(true, Ordering::Relaxed);
                    oldest.notify.notify_one();
                }
            }
            self.changed.notified().await;
        }
    }

    pub(crate) fn open(&self) -> usize {
        self.state().open
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl SocketSlot {
    /// Marks the socket as waiting for a request, so that it may be closed.
    pub(crate) fn waits(&self) {
        let mut number = lock(&self.number);
        let mut state = self.sockets.state();
        if self.leave.asked.load(Ordering::Relaxed) {
            return;
        }
        let next = state.next;
        state.next += 1;
        if let Some(before) = number.replace(next) {
            state.waiting.remove(&before);
        }
        state.waiting.insert(next, Arc::clone(&self.leave));
        if state.open >= self.sockets.most {
            self.sockets.changed.notify_one();
        }
    }

    /// Marks the socket as working on a request, so that it must not be closed.
    pub(crate) fn works(&self) {
        let Some(number) = lock(&self.number).take() else {
            return;
        };
        let mut state = self.sockets.state();
        state.waiting.remove(&number);
        if self.leave.asked.swap(false, Ordering::Relaxed) {
            // It cannot close at once, so another one will have to.
            state.leaving -= 1;
            self.sockets.changed.notify_one();
        }
    }

    /// Waits until another socket needs the place.
    pub(crate) async fn needed(&self) {
        self.leave.notify.notified().await;
    }
}

impl Drop for SocketSlot {
    fn drop(&mut self) {
        self.works();
        self.sockets.state().open -= 1;
        self.sockets.changed.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_needed(slot: &SocketSlot) -> bool {
        tokio::time::timeout(Duration::ZERO, slot.needed())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn the_socket_that_waits_longest_gives_way_and_one_that_works_does_not() {
        let sockets = Sockets::new(3);
        let (works, first, second) = (
            sockets.slot().await,
            sockets.slot().await,
            sockets.slot().await,
        );
        works.works();
        // The first received a request meanwhile.
        first.works();
        first.waits();
        let newcomer = tokio::spawn({
            let sockets = Arc::clone(&sockets);
            async move { sockets.slot().await }
        });
        second.needed().await;
        assert!(!is_needed(&first).await && !is_needed(&works).await);
        drop(second);
        let newcomer = newcomer.await.unwrap();
        assert_eq!(sockets.open(), 3);
        drop((works, first, newcomer));
        assert_eq!(sockets.open(), 0);
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_all_sockets_work_until_one_is_done() {
        let sockets = Sockets::new(1);
        let only = sockets.slot().await;
        only.works();
        let newcomer = tokio::spawn({
            let sockets = Arc::clone(&sockets);
            async move { sockets.slot().await }
        });
        tokio::task::yield_now().await;
        assert!(!newcomer.is_finished());
        only.waits();
        only.needed().await;
        drop(only);
        drop(newcomer.await.unwrap());
    }
}
