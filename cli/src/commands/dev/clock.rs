//! `--clock-speed`: what may be asked for, and what it means.

use std::num::NonZeroU32;

/// Beyond a thousand an idle connection would not live long enough to be used.
const FASTEST_CLOCK: u32 = 1_000;

/// Reads how many times faster limits are to pass.
pub(super) fn clock_speed(text: &str) -> Result<NonZeroU32, String> {
    text.parse()
        .ok()
        .filter(|speed: &NonZeroU32| speed.get() <= FASTEST_CLOCK)
        .ok_or_else(|| format!("it must be a whole number from 1 to {FASTEST_CLOCK}"))
}

/// What a faster clock does to connections; nothing for the usual one.
pub(super) fn clock_hint(speed: NonZeroU32) -> Option<String> {
    let seconds = |limit: u32| f64::from(limit) / f64::from(speed.get());
    (speed > NonZeroU32::MIN).then(|| {
        format!(
            "the clock runs {speed} times faster: idle connections are closed after {} s, all after {} s; functions have their usual time",
            seconds(600),
            seconds(7_200)
        )
    })
}
