//! Runs work that takes too long for the gateway's thread, on which every connection depends.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Threads besides the gateway's, as many at a time as there are processors.
#[derive(Debug)]
pub(crate) struct WorkerThreads(Arc<Semaphore>);

impl Default for WorkerThreads {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors)))
    }
}

impl WorkerThreads {
    /// Runs `work` as soon as a thread is free. Once begun, work runs to its end, even if its result is no longer
    /// needed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let place = Arc::clone(&self.0).acquire_owned().await;
        blocking(move || {
            let done = work();
            drop(place);
            done
        })
        .await
    }
}

/// Runs `work`, which blocks, on a thread for such work. A panic in it goes on here.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
