//! Posts again what was refused only because too much was asked at once.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::delivery::{Delivery, DeliveryError, Posted};
use crate::session::ConnectionId;

/// How often a post is tried. All pauses together take some three seconds: a client that reads too slowly must not
/// hold a place longer than one that does not answer.
const ATTEMPTS: u32 = 8;

/// The longest first pause; each further one may be twice as long as the one before, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Posts `text`, and again after a pause while the answer is 429 and `until` has not come.
///
/// The pauses are random from nothing on ("full jitter"), so that many who were refused together do not come back
/// together (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
///
/// # Errors
/// [`DeliveryError`] of the last attempt.
pub(super) async fn post(
    delivery: &impl Delivery,
    connection: &ConnectionId,
    text: &str,
    until: Instant,
) -> Result<Posted, DeliveryError> {
    let mut attempt = 1;
    loop {
        let posted = delivery.post(connection, text).await;
        if !matches!(posted, Err(DeliveryError::Throttled)) || attempt == ATTEMPTS {
            return posted;
        }
        let pause = LONGEST_PAUSE
            .min(FIRST_PAUSE * 2_u32.pow(attempt - 1))
            .mul_f64(fastrand::f64());
        if Instant::now() + pause >= until {
            return posted;
        }
        sleep(pause).await;
        attempt += 1;
    }
}
