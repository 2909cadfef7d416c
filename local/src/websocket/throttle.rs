//! Token buckets that limit requests and new connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::http::error::HttpError;
use crate::observer::Observer;
use crate::options::Limits;
use crate::stack::Throttle;

/// A bucket that starts full and is refilled over time.
#[derive(Debug)]
pub(crate) struct Bucket {
    throttle: Throttle,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    /// On the stack's clock.
    filled_at: Duration,
}

impl Bucket {
    pub(crate) fn new(throttle: Throttle) -> Self {
        Self {
            throttle,
            state: Mutex::new(State {
                tokens: f64::from(throttle.burst),
                filled_at: Duration::ZERO,
            }),
        }
    }

    /// Takes a token if there is one.
    pub(crate) fn take(&self, now: Duration) -> bool {
        if self.throttle.blocks_everything() {
            return false;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_sub(state.filled_at).as_secs_f64();
        state.tokens =
            (state.tokens + passed * self.throttle.rate).min(f64::from(self.throttle.burst));
        state.filled_at = state.filled_at.max(now);
        let there_is_one = state.tokens >= 1.0;
        if there_is_one {
            state.tokens -= 1.0;
        }
        there_is_one
    }
}

/// The limit of one route in a stage's settings.
#[derive(Debug)]
pub(crate) struct RouteLimit {
    bucket: Bucket,
    /// The route's name in a warning.
    route: String,
    /// Whether the warning was given. It is given once, not with every request.
    has_warned: AtomicBool,
}

impl RouteLimit {
    pub(crate) fn new(throttle: Throttle, stage: &str, key: &str) -> Self {
        Self {
            bucket: Bucket::new(throttle),
            route: format!("route `{key}` of stage `{stage}`"),
            // A limit that refuses every request is reported when the stack starts.
            has_warned: AtomicBool::new(throttle.blocks_everything()),
        }
    }

    fn admits(&self, clock: &Clock, observer: &Observer) -> bool {
        let admitted = self.bucket.take(clock.elapsed());
        if !admitted && !self.has_warned.swap(true, Ordering::Relaxed) {
            let Throttle { rate, burst } = self.bucket.throttle;
            observer.warn(format!(
                "{} exceeds the limits of the stage's settings, {rate} a second and {burst} at once, so some are refused with 429; `DefaultRouteSettings` and `RouteSettings` set the limits",
                self.route
            ));
        }
        admitted
    }
}

/// The limits that all requests of the account share.
#[derive(Debug)]
pub(crate) struct Account {
    requests: Bucket,
    new_connections: Bucket,
    limits: (Throttle, Throttle),
    clock: Clock,
    observer: Observer,
    /// Whether the warning was given. It is given once, not with every request.
    has_warned: AtomicBool,
}

impl Account {
    pub(crate) fn new(limits: &Limits, clock: &Clock, observer: &Observer) -> Self {
        Self {
            requests: Bucket::new(limits.requests),
            new_connections: Bucket::new(limits.new_connections),
            limits: (limits.requests, limits.new_connections),
            clock: clock.clone(),
            observer: observer.clone(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// Whether a call of the @connections API is within the limits.
    pub(crate) fn admits_call(&self) -> bool {
        self.requests.take(self.clock.elapsed()) || self.refuses("requests", self.limits.0)
    }

    /// Whether a message is within the limits; `route` is its route's limit, if it has one.
    pub(crate) fn admits_message(&self, route: Option<&RouteLimit>) -> bool {
        route.is_none_or(|limit| limit.admits(&self.clock, &self.observer)) && self.admits_call()
    }

    /// Whether a handshake is within the limits; `connect` is the limit of `$connect`, if it has one.
    pub(crate) fn admits_handshake(&self, connect: Option<&RouteLimit>) -> bool {
        self.admits_message(connect)
            && (self.new_connections.take(self.clock.elapsed())
                || self.refuses("new connections", self.limits.1))
    }

    fn refuses(&self, what: &str, limit: Throttle) -> bool {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            self.observer.warn(format!(
                "more {what} than an AWS account's default limit, {} a second and {} at once, so some are refused; AWS can raise the limit on request",
                limit.rate, limit.burst
            ));
        }
        false
    }
}

/// The response to a handshake beyond the limits.
pub(crate) fn too_many_requests() -> HttpError {
    HttpError::gateway(429, "TooManyRequestsException", MESSAGE)
}

/// AWS does not document the response to a throttled message; this is the message of its other APIs.
pub(crate) const MESSAGE: &str = "Too Many Requests";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_the_burst_through_at_once_and_then_the_rate() {
        let bucket = Bucket::new(Throttle {
            rate: 2.0,
            burst: 3,
        });
        let taken = |at: u64| {
            let now = Duration::from_millis(at);
            (0..10).filter(|_| bucket.take(now)).count()
        };
        assert_eq!(taken(1_000), 3);
        assert_eq!(taken(1_499), 0);
        assert_eq!(taken(1_500), 1);
        assert_eq!(taken(2_500), 2);
        // It never holds more than the burst.
        assert_eq!(taken(60_000), 3);
        // A clock that is read out of order refills nothing twice.
        assert_eq!(taken(59_000), 0);
        assert_eq!(taken(60_500), 1);
    }

    #[test]
    fn a_limit_of_zero_refuses_every_request() {
        for (rate, burst) in [(0.0, 5), (5.0, 0)] {
            let bucket = Bucket::new(Throttle { rate, burst });
            assert!(!bucket.take(Duration::from_secs(100)));
        }
    }
}
