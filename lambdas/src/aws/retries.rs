//! What is tried again, when, and how often: as the SDKs of AWS do it in their standard mode
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>), with pauses short enough for a
//! conversation.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::failure::Failure;
use super::http::HttpError;

/// The attempts at one request, the first included.
pub(super) const ATTEMPTS: u32 = 3;

/// The longest pause before the second attempt; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest pause that a service may ask for.
const MAX_PAUSE: Duration = Duration::from_secs(20);

/// Codes by which services throttle.
const THROTTLING: [&str; 14] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Codes of what passes by itself.
const TRANSIENT: [&str; 3] = [
    "ReplicatedWriteConflictException",
    "RequestTimeout",
    "RequestTimeoutException",
];

/// Why an attempt is worth another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryReason {
    Throttled,
    Transient,
}

/// When a request is sent again although it may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Repetition {
    /// Whenever that may help: done twice, it is as done once, or what is lost is worse.
    #[default]
    Free,
    /// Unless it timed out, or a response that breaks off shows that it was taken or would be refused again. What is lost is
    /// worse than what is done twice, and a function may find its kept connections broken after a pause.
    UnlessTaken,
    /// Never. A response with the status 500 or above does not show that nothing was done
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
    Never,
}

impl Repetition {
    /// Whether another attempt may follow one that ended in `failure`.
    pub(super) fn may_follow(self, failure: &Failure) -> bool {
        match self {
            Self::Free => true,
            Self::UnlessTaken => match failure {
                Failure::TimedOut(_) => false,
                Failure::Http(HttpError::Broken {
                    status: Some(status),
                    ..
                }) => is_passing(status.as_u16()),
                _ => true,
            },
            Self::Never => {
                let is_fault = failure.status().is_some_and(|status| status >= 500);
                !failure.is_unanswered() && !is_fault
            }
        }
    }
}

/// Whether the attempt that ended in `failure` is worth another one; `None` if the next one would end in the same way.
pub(super) fn retry_reason(failure: &Failure) -> Option<RetryReason> {
    match failure {
        Failure::TimedOut(_) | Failure::Http(HttpError::NotConnected { .. }) => {
            Some(RetryReason::Transient)
        }
        Failure::Http(HttpError::Broken { status, source }) => {
            (status.is_some() || is_broken(&**source)).then_some(RetryReason::Transient)
        }
        Failure::Refused(error_response) => {
            let code = error_response.code.as_deref().unwrap_or_default();
            if THROTTLING.contains(&code) {
                Some(RetryReason::Throttled)
            } else {
                let is_transient = is_passing(error_response.status) || TRANSIENT.contains(&code);
                is_transient.then_some(RetryReason::Transient)
            }
        }
        Failure::Http(HttpError::TooLarge { .. })
        | Failure::Unreadable { .. }
        | Failure::Unsendable { .. } => None,
    }
}

/// Whether a response with this status tells of a fault that may pass.
const fn is_passing(status: u16) -> bool {
    matches!(status, 500 | 502..=504)
}

/// Whether a connection broke, or a server that ends it has not begun with the request, in contrast to a server that does
/// not speak HTTP.
fn is_broken(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let http = error.downcast_ref::<hyper::Error>();
        let http2 = error.downcast_ref::<h2::Error>();
        if error.is::<std::io::Error>()
            || http.is_some_and(|http| {
                http.is_closed() || http.is_canceled() || http.is_incomplete_message()
            })
            || http2.is_some_and(|http2| {
                http2.is_go_away() || http2.reason() == Some(h2::Reason::REFUSED_STREAM)
            })
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// The pause after attempt number `attempt`, of any length up to the longest: otherwise all clients that a service
/// has refused come back at once.
pub(super) fn pause(attempt: u32, failure: &Failure) -> Duration {
    match failure {
        Failure::Refused(error_response) if error_response.retry_after.is_some() => error_response
            .retry_after
            .unwrap_or_default()
            .min(MAX_PAUSE),
        _ => (PAUSE * 2_u32.pow(attempt - 1)).mul_f64(fastrand::f64()),
    }
}

/// What the attempts beyond the first of all requests to a service may cost.
///
/// Retries during an outage would triple the load. When nearly each request needs them, it is used up and requests have
/// one attempt, until some have succeeded.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 500;

    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    /// Takes what another attempt costs; `false` if there is too little left.
    pub(super) fn take(&self, retry_reason: RetryReason) -> bool {
        let cost = Self::cost(retry_reason);
        let take = |left: u32| left.checked_sub(cost);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Gives back the cost of the attempt that succeeded, or a little if it was the first.
    pub(super) fn succeeded(&self, last: Option<RetryReason>) {
        let back = last.map_or(1, Self::cost);
        let give = |left: u32| Some((left + back).min(Self::FULL));
        let _never_none = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
    }

    const fn cost(retry_reason: RetryReason) -> u32 {
        match retry_reason {
            RetryReason::Throttled => 5,
            RetryReason::Transient => 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::ErrorResponse;
    use super::*;

    fn refused(status: u16, code: &str) -> Failure {
        let code = (!code.is_empty()).then(|| code.to_owned());
        Failure::Refused(ErrorResponse {
            status,
            code,
            message: None,
            retry_after: None,
        })
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        for (status, code, expected) in [
            (400, "ThrottlingException", Some(RetryReason::Throttled)),
            (429, "LimitExceededException", Some(RetryReason::Throttled)),
            (400, "RequestTimeout", Some(RetryReason::Transient)),
            (500, "", Some(RetryReason::Transient)),
            (502, "Odd", Some(RetryReason::Transient)),
            (503, "", Some(RetryReason::Transient)),
            (504, "", Some(RetryReason::Transient)),
            (501, "", None),
            (429, "", None),
            (408, "", None),
            (400, "ConditionalCheckFailedException", None),
            (403, "AccessDeniedException", None),
        ] {
            assert_eq!(
                retry_reason(&refused(status, code)),
                expected,
                "{status} {code}"
            );
        }
    }

    #[test]
    fn what_may_have_arrived_is_sent_again_only_where_that_is_allowed() {
        let broken = |status| {
            Failure::Http(HttpError::Broken {
                status,
                source: "broken".into(),
            })
        };
        for (failure, unless_taken, never) in [
            (refused(400, "ThrottlingException"), true, true),
            (refused(429, "LimitExceededException"), true, true),
            (refused(500, ""), true, false),
            (refused(503, ""), true, false),
            (broken(None), true, false),
            (broken(Some(hyper::StatusCode::OK)), false, false),
            (broken(Some(hyper::StatusCode::NOT_FOUND)), false, false),
            (broken(Some(hyper::StatusCode::BAD_GATEWAY)), true, false),
            (Failure::TimedOut(Duration::ZERO), false, false),
        ] {
            assert!(Repetition::Free.may_follow(&failure), "{failure:?}");
            let allowed = [Repetition::UnlessTaken, Repetition::Never]
                .map(|repetition| repetition.may_follow(&failure));
            assert_eq!(allowed, [unless_taken, never], "{failure:?}");
        }
    }

    #[test]
    fn pauses_double_and_are_what_the_service_asks_for() {
        for _ in 0..100 {
            let broken = Failure::TimedOut(Duration::ZERO);
            assert!(pause(1, &broken) <= Duration::from_millis(100));
            assert!(pause(2, &broken) <= Duration::from_millis(200));
        }
        for (asked, expected) in [(7, 7), (90_000, 20_000)] {
            let asking = Failure::Refused(ErrorResponse {
                status: 503,
                code: None,
                message: None,
                retry_after: Some(Duration::from_millis(asked)),
            });
            assert_eq!(pause(1, &asking), Duration::from_millis(expected));
        }
    }

    #[test]
    fn a_long_outage_uses_the_budget_up_and_successes_refill_it() {
        let budget = Budget::new();
        let taken = (0..1_000).filter(|_| budget.take(RetryReason::Transient));
        assert_eq!(taken.count(), 50);
        assert!(!budget.take(RetryReason::Throttled));
        (0..5).for_each(|_| budget.succeeded(None));
        assert!(budget.take(RetryReason::Throttled) && !budget.take(RetryReason::Throttled));
        budget.succeeded(Some(RetryReason::Transient));
        assert!(budget.take(RetryReason::Transient));
        (0..1_000).for_each(|_| budget.succeeded(None));
        let taken = (0..1_000).filter(|_| budget.take(RetryReason::Throttled));
        assert_eq!(taken.count(), 100, "it is never more than full");
    }
}
