//! The clock for AWS's own limits. It can run faster than real time, or be moved by hand.
//!
//! It measures how long a connection may be idle or open, the pauses before an asynchronous invocation is retried, the
//! age of such invocations, and throttling. Waits for user code (integrations, authorizers) use real time even when the
//! clock runs faster, so that no function is cut short; only a clock that is moved by hand decides these too. Always
//! real: a function's own timeout, the deadline in its event, every time in an event, and the expiry of table items,
//! which functions compute with their own clock.
//!
//! The clock continues while the machine sleeps, as AWS's would. Timers do not, because they stop with the processor.
//! So the gateway follows `Clock::ticks`, which detects that the machine has slept and wakes every wait whose time has
//! passed meanwhile.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::moments as wall;

/// The interval of a real clock's ticks.
const TICK: Duration = Duration::from_secs(1);

/// Two clocks that are read one after the other differ by less than this, unless the machine slept.
const SLEPT: Duration = Duration::from_millis(200);

/// The clock that continues in sleep. `CLOCK_MONOTONIC` stops in sleep on Linux (clock_gettime(2),
/// <https://man7.org/linux/man-pages/man2/clock_gettime.2.html>), but not on macOS.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// A clock that starts at zero. Clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    Running {
        /// On the clock that continues in sleep.
        began: Duration,
        speed: NonZeroU32,
        /// Notified when the machine has slept.
        woken: Arc<watch::Sender<()>>,
    },
    Manual(watch::Receiver<ManualTime>),
}

/// The times of a clock that is moved by hand.
#[derive(Debug, Clone, Copy, Default)]
struct ManualTime {
    elapsed: Duration,
    /// The difference between the wall clock and the real one.
    wall_millis: i64,
}

impl Clock {
    /// Shows real time.
    pub fn real() -> Self {
        Self::faster(NonZeroU32::MIN)
    }

    /// Runs `speed` times faster than real time.
    pub fn faster(speed: NonZeroU32) -> Self {
        Self(Source::Running {
            began: since_boot(),
            speed,
            woken: Arc::default(),
        })
    }

    /// The time since its start.
    pub(crate) fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::Running { began, speed, .. } => {
                since_boot().saturating_sub(*began) * speed.get()
            }
            Source::Manual(time) => time.borrow().elapsed,
        }
    }

    /// The wall clock's time, in milliseconds since 1970. It can be set forward and back, and ignores `speed`.
    pub(crate) fn wall_millis(&self) -> i64 {
        let real = wall::now_millis();
        match &self.0 {
            Source::Running { .. } => real,
            Source::Manual(time) => real + time.borrow().wall_millis,
        }
    }

    /// Waits until the clock reaches `moment`.
    pub(crate) async fn until(&self, moment: Duration) {
        match &self.0 {
            Source::Running { speed, woken, .. } => {
                let mut woken = woken.subscribe();
                loop {
                    let left = moment.saturating_sub(self.elapsed());
                    if left.is_zero() {
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(left / speed.get()) => {}
                        // The sender lives as long as the clock.
                        _ = woken.changed() => {}
                    }
                }
            }
            Source::Manual(time) => reached(time, moment).await,
        }
    }

    /// Starts a sequence of ticks.
    pub(crate) fn ticks(&self) -> Ticks {
        Ticks {
            clock: self.clone(),
            began: (since_boot(), Instant::now()),
        }
    }

    /// Waits for `work`, which is user code, for at most `timeout` of real time; `None` after the timeout.
    pub(crate) async fn timeout<T>(
        &self,
        timeout: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        match &self.0 {
            Source::Running { .. } => tokio::time::timeout(timeout, work).await.ok(),
            Source::Manual(time) => {
                let end = self.elapsed() + timeout;
                tokio::select! {
                    biased;
                    done = work => Some(done),
                    () = reached(time, end) => None,
                }
            }
        }
    }
}

/// The ticks of a [`Clock`].
#[derive(Debug)]
pub(crate) struct Ticks {
    clock: Clock,
    /// One moment, on the clock that continues in sleep and on the timers' clock.
    began: (Duration, Instant),
}

impl Ticks {
    /// Waits for the next tick: a second, or a move by hand.
    pub(crate) async fn next(&mut self) {
        match &mut self.clock.0 {
            Source::Running { woken, .. } => {
                tokio::time::sleep(TICK).await;
                let now = (since_boot(), Instant::now());
                let passed = now.0.saturating_sub(self.began.0);
                if passed > now.1 - self.began.1 + SLEPT {
                    woken.send_replace(());
                }
                self.began = now;
            }
            Source::Manual(time) => {
                if time.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

/// The time of the clock that continues in sleep.
fn since_boot() -> Duration {
    let now = clock_gettime(SINCE_BOOT);
    // It begins at zero and is never set.
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

async fn reached(time: &watch::Receiver<ManualTime>, moment: Duration) {
    let mut time = time.clone();
    if time.wait_for(|now| now.elapsed >= moment).await.is_err() {
        // The `ManualClock` was dropped, so the time stays as it is.
        std::future::pending::<()>().await;
    }
}

/// Moves a [`Clock`], whose time stays as it is between two moves.
#[derive(Debug, Default)]
pub struct ManualClock(watch::Sender<ManualTime>);

impl ManualClock {
    /// The clock that it moves.
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(self.0.subscribe()))
    }

    /// Moves the clock forward. Every wait up to the new time ends, in no particular order.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| now.elapsed += by);
    }

    /// Sets the wall clock forward or back against the real one. The clock of the limits does not move.
    pub fn set_wall_clock(&self, by_seconds: i64) {
        self.0
            .send_modify(|now| now.wall_millis += by_seconds * 1_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_clock_by_hand_moves_only_by_hand() {
        let manual = ManualClock::default();
        let clock = manual.clock();
        assert_eq!(clock.elapsed(), Duration::ZERO);
        manual.advance(3 * SECOND);
        assert_eq!(clock.elapsed(), 3 * SECOND);
        clock.until(3 * SECOND).await;
        let waiting = tokio::spawn(async move { clock.until(5 * SECOND).await });
        manual.advance(SECOND);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        manual.advance(SECOND);
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_clock_by_hand_decides_timeouts_of_user_code() {
        let manual = ManualClock::default();
        let clock = manual.clock();
        assert_eq!(clock.timeout(SECOND, async { 1 }).await, Some(1));
        let (asked, moved) =
            tokio::join!(clock.timeout(SECOND, std::future::pending::<()>()), async {
                manual.advance(SECOND)
            });
        assert_eq!((asked, moved), (None, ()));
    }

    #[tokio::test]
    async fn a_faster_clock_shortens_waits_but_no_timeouts_of_user_code() {
        let clock = Clock::faster(NonZeroU32::new(1_000_000).unwrap());
        // Ten hours, which are 36 ms.
        clock.until(36_000 * SECOND).await;
        assert!(clock.elapsed() >= 36_000 * SECOND);
        let (began, timeout) = (Instant::now(), Duration::from_millis(20));
        clock.timeout(timeout, std::future::pending::<()>()).await;
        assert!(began.elapsed() >= timeout);
    }

    #[tokio::test]
    async fn a_tick_after_sleep_ends_overdue_waits() {
        let clock = Clock::real();
        let Source::Running { woken, .. } = &clock.0 else {
            panic!("it runs");
        };
        let mut woken = woken.subscribe();
        let mut ticks = clock.ticks();
        ticks.next().await;
        assert!(!woken.has_changed().unwrap());
        // As if the one clock had run for an hour while the other one stopped.
        ticks.began.0 = ticks.began.0.saturating_sub(3_600 * SECOND);
        ticks.next().await;
        woken.changed().await.unwrap();
    }
}
