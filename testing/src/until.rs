//! Waiting for what must happen. No test waits for a time: it waits for a condition, and fails at a limit.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Between two looks at a condition: looking without a pause takes the processor from what is waited for.
pub(crate) const PAUSE: Duration = Duration::from_millis(5);

/// Waits for something that is bound to happen.
///
/// # Panics
/// It does not happen within [`TIMEOUT`].
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(TIMEOUT, future).await;
    ended.expect("it should have happened by now")
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// There is none within [`TIMEOUT`].
pub async fn until<T>(mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    within(async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await
}

/// Waits until `condition` holds. [`crate::blocking::eventually`] is the same for tests that are no tasks.
///
/// # Panics
/// It does not hold within [`TIMEOUT`].
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let held = try_until(TIMEOUT, async || condition().await.then_some(()).ok_or(()));
    assert!(
        held.await.is_ok(),
        "it did not happen within {TIMEOUT:?}: {what}"
    );
}

/// Tries again and again until an attempt succeeds. [`crate::blocking::try_until`] is the same for tests that are no tasks.
///
/// # Errors
/// The last attempt's, where none succeeds within `limit`.
pub async fn try_until<T, E>(
    limit: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    let deadline = Instant::now() + limit;
    loop {
        match attempt().await {
            Err(_) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            last => return last,
        }
    }
}
