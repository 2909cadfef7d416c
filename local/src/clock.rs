//! The clock that AWS's own limits are measured by. It can run faster than the wall's, or be moved by hand.
//!
//! What it measures: how long a connection may be idle or open, the pauses before an asynchronous invocation is tried
//! again and how old one may get, and throttling. What waits for somebody's code (integrations, authorizers) is
//! measured in real time even when the clock runs faster, so that no function is cut short; only a clock that is moved
//! by hand decides over that, too. Always real: a function's own timeout, the deadline that it is told, every time
//! in an event, and the expiry of table items, which functions compute by their own clock.

use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A clock that starts at zero. Clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    Running { began: Instant, speed: NonZeroU32 },
    ByHand(watch::Receiver<Duration>),
}

impl Clock {
    /// Shows real time.
    pub fn real() -> Self {
        Self::faster(NonZeroU32::MIN)
    }

    /// Runs `speed` times faster than real time.
    pub fn faster(speed: NonZeroU32) -> Self {
        Self(Source::Running {
            began: Instant::now(),
            speed,
        })
    }

    /// How far it has got.
    pub(crate) fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::Running { began, speed } => began.elapsed() * speed.get(),
            Source::ByHand(hand) => *hand.borrow(),
        }
    }

    /// Waits until it shows `moment`.
    pub(crate) async fn until(&self, moment: Duration) {
        match &self.0 {
            Source::Running { began, speed } => {
                tokio::time::sleep_until(*began + moment / speed.get()).await;
            }
            Source::ByHand(hand) => reached(hand, moment).await,
        }
    }

    /// Waits for `work`, which is somebody's code, for `patience` of real time. `None` when that was not enough.
    pub(crate) async fn patiently<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        match &self.0 {
            Source::Running { .. } => tokio::time::timeout(patience, work).await.ok(),
            Source::ByHand(hand) => {
                let end = self.elapsed() + patience;
                tokio::select! {
                    biased;
                    done = work => Some(done),
                    () = reached(hand, end) => None,
                }
            }
        }
    }
}

async fn reached(hand: &watch::Receiver<Duration>, moment: Duration) {
    let mut hand = hand.clone();
    if hand.wait_for(|now| *now >= moment).await.is_err() {
        // The hand is gone: the time stands still.
        std::future::pending::<()>().await;
    }
}

/// Moves a [`Clock`]; between two moves the time stands still.
#[derive(Debug, Default)]
pub struct Hand(watch::Sender<Duration>);

impl Hand {
    /// The clock that it moves.
    pub fn clock(&self) -> Clock {
        Clock(Source::ByHand(self.0.subscribe()))
    }

    /// Moves the clock on. Whoever waits for a moment up to then goes on, in no particular order.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now += by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_clock_by_hand_moves_only_by_hand() {
        let hand = Hand::default();
        let clock = hand.clock();
        assert_eq!(clock.elapsed(), Duration::ZERO);
        hand.advance(3 * SECOND);
        assert_eq!(clock.elapsed(), 3 * SECOND);
        clock.until(3 * SECOND).await;
        let waiting = tokio::spawn(async move { clock.until(5 * SECOND).await });
        hand.advance(SECOND);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        hand.advance(SECOND);
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_clock_by_hand_decides_over_patience() {
        let hand = Hand::default();
        let clock = hand.clock();
        assert_eq!(clock.patiently(SECOND, async { 1 }).await, Some(1));
        let (asked, moved) = tokio::join!(
            clock.patiently(SECOND, std::future::pending::<()>()),
            async { hand.advance(SECOND) }
        );
        assert_eq!((asked, moved), (None, ()));
    }

    #[tokio::test]
    async fn a_faster_clock_shortens_waits_but_no_patience() {
        let clock = Clock::faster(NonZeroU32::new(1_000_000).unwrap());
        // Ten hours, which are 36 ms.
        clock.until(36_000 * SECOND).await;
        assert!(clock.elapsed() >= 36_000 * SECOND);
        let (began, patience) = (Instant::now(), Duration::from_millis(20));
        clock
            .patiently(patience, std::future::pending::<()>())
            .await;
        assert!(began.elapsed() >= patience);
    }
}
