//! Formats times for events and responses.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const CLF: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
const ISO: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Milliseconds since 1970.
pub(crate) fn now_millis() -> i64 {
    let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}

/// `requestTime` of an event: Common Log Format in UTC, as `11/Nov/2024:11:35:24 +0000`.
pub(crate) fn common_log(epoch_millis: i64) -> String {
    at(epoch_millis).format(CLF).unwrap_or_default()
}

/// A time of the @connections API: `2024-11-11T11:35:24.123Z`.
pub(crate) fn iso(epoch_millis: i64) -> String {
    at(epoch_millis).format(ISO).unwrap_or_default()
}

fn at(epoch_millis: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(epoch_millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_aws_s_formats() {
        assert_eq!(common_log(1_731_324_924_123), "11/Nov/2024:11:35:24 +0000");
        assert_eq!(iso(1_731_324_924_123), "2024-11-11T11:35:24.123Z");
    }
}
