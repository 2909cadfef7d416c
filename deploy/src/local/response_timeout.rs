//! How long a command waits for the process of a local stack.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::limits;

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// The waits of one command for a process that does not respond.
///
/// However many they are, they end together, after [`limits::ANSWERING`]: so that an error states what the user has
/// waited. Each response begins the time anew.
#[derive(Debug, Default)]
pub(super) struct ResponseTimeout {
    /// Since when there was no response to what is waited for.
    since: Cell<Option<Instant>>,
}

impl ResponseTimeout {
    /// Counts the time in which the process did not respond to others.
    pub(super) fn count(&self, silent: Duration) {
        let limit = limits::ANSWERING.time();
        if self.since.get().is_none() {
            self.since
                .set(Instant::now().checked_sub(silent.min(limit)));
        }
    }

    /// Whether the process has not responded in all of the time.
    pub(super) fn is_over(&self) -> bool {
        let limit = limits::ANSWERING.time();
        self.since
            .get()
            .is_some_and(|since| since.elapsed() >= limit)
    }

    /// The outcome of `exchange` with the process; `None` if there is none in time.
    pub(super) async fn response<T>(&self, exchange: impl Future<Output = T>) -> Option<T> {
        let outcome = tokio::time::timeout_at(self.deadline(), exchange)
            .await
            .ok()?;
        self.since.set(None);
        Some(outcome)
    }

    /// What `look` finds, again and again; `None` if it finds nothing in time.
    ///
    /// What is found without waiting is no response of the process.
    pub(super) async fn until<T, E>(
        &self,
        mut look: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        let deadline = self.deadline();
        while Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            if let Some(found) = look()? {
                self.since.set(None);
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn deadline(&self) -> Instant {
        let since = self.since.get().unwrap_or_else(Instant::now);
        self.since.set(Some(since));
        since + limits::ANSWERING.time()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Looked = Result<Option<()>, std::convert::Infallible>;

    #[tokio::test(start_paused = true)]
    async fn waits_in_a_row_end_together_and_a_response_begins_anew() {
        let waiting = ResponseTimeout::default();
        let limit = limits::ANSWERING.time();
        let began = Instant::now();
        let silent = || std::future::pending::<()>();
        assert_eq!(waiting.response(silent()).await, None);
        assert!(waiting.is_over());
        assert_eq!(waiting.until(|| Looked::Ok(None)).await, Ok(None));
        assert_eq!(waiting.until(|| Looked::Ok(Some(()))).await, Ok(Some(())));
        assert_eq!(waiting.response(silent()).await, None);
        assert!(began.elapsed() < limit + 10 * LOOK, "{:?}", began.elapsed());
        assert_eq!(waiting.response(async { 7 }).await, Some(7));
        assert!(!waiting.is_over());
        assert_eq!(waiting.response(silent()).await, None);
        assert!(began.elapsed() >= 2 * limit);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_that_others_have_waited_through_counts() {
        let waiting = ResponseTimeout::default();
        let limit = limits::ANSWERING.time();
        tokio::time::advance(limit).await;
        waiting.count(limit / 2);
        let began = Instant::now();
        assert_eq!(waiting.until(|| Looked::Ok(None)).await, Ok(None));
        assert!(
            began.elapsed() < limit / 2 + 10 * LOOK,
            "{:?}",
            began.elapsed()
        );
        assert!(waiting.is_over());
    }
}
