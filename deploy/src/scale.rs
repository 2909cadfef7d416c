//! Times that tests make shorter.

use std::sync::OnceLock;
use std::time::Duration;

/// A part of one, by which every limit and every pause between two questions is multiplied, so that tests of silent
/// targets end soon.
const FACTOR: &str = "CHATCTL_TIME_FACTOR";

/// `time`, or a part of it where a test is in a hurry. Nothing gets longer than it is.
pub(crate) fn scaled(time: Duration) -> Duration {
    static WANTED: OnceLock<f64> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let wanted = std::env::var(FACTOR)
            .ok()
            .and_then(|factor| factor.parse().ok());
        wanted
            .filter(|factor| (0.001..=1.0).contains(factor))
            .unwrap_or(1.0)
    });
    time.mul_f64(*wanted)
}
