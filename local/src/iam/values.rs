//! Condition values that are not strings: numbers, times, addresses.

use std::cmp::Ordering;
use std::net::IpAddr;

use time::{Date, Month};

/// The order that an operator requires between two values: the request's against the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Order {
    fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found == Ordering::Equal,
            Self::Less => found == Ordering::Less,
            Self::AtMost => found != Ordering::Greater,
            Self::Greater => found == Ordering::Greater,
            Self::AtLeast => found != Ordering::Less,
        }
    }
}

/// A value that is not a number is in no order.
pub(super) fn numbers(order: Order, wanted: &str, found: &str) -> bool {
    compare(order, found.parse().ok(), wanted.parse().ok())
}

/// Times are ISO 8601, or seconds since 1970.
pub(super) fn moments(order: Order, wanted: &str, found: &str) -> bool {
    compare(order, moment(found), moment(wanted))
}

fn compare(order: Order, found: Option<f64>, wanted: Option<f64>) -> bool {
    let ordering = found
        .zip(wanted)
        .and_then(|(one, other)| one.partial_cmp(&other));
    ordering.is_some_and(|ordering| order.holds(ordering))
}

/// Whether the address `found` is in the block `wanted`, such as 203.0.113.0/24 or one address.
pub(super) fn addresses(wanted: &str, found: &str) -> bool {
    let (block, length) = match wanted.split_once('/') {
        Some((block, length)) => (block, length.parse::<u32>().ok()),
        None => (wanted, Some(128)),
    };
    let bits = |text: &str| match text.parse().ok()? {
        IpAddr::V4(address) => Some((u128::from(u32::from(address)) << 96, 32)),
        IpAddr::V6(address) => Some((u128::from(address), 128)),
    };
    let (Some((block, width)), Some((address, of_address)), Some(length)) =
        (bits(block), bits(found), length)
    else {
        return false;
    };
    let length = length.min(width);
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or_default();
    width == of_address && block & mask == address & mask
}

/// Parses `2026-11-29`, `2026-11-29T08:00Z`, `2026-11-29T08:00:00.5+01:00`, or seconds since 1970.
fn moment(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00Z"));
    let mut parts = date.splitn(3, '-');
    let mut part = || parts.next();
    let year = part()?.parse().ok()?;
    let month = part()?.parse::<u8>().ok()?;
    let day = part().map_or(Some(1), |day| day.parse().ok())?;
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let mut seconds = [3600.0, 60.0, 1.0].into_iter();
    let mut of_day = 0.0;
    for part in clock.split(':') {
        let part: f64 = part.parse().ok()?;
        of_day += part * seconds.next()?;
    }
    let offset = match zone {
        "" | "Z" => 0.0,
        zone => {
            let (sign, digits) = zone.split_at_checked(1)?;
            let (hours, minutes) = digits
                .split_once(':')
                .or_else(|| digits.split_at_checked(2))?;
            let (hours, minutes): (f64, f64) = (hours.parse().ok()?, minutes.parse().ok()?);
            let offset = hours * 3600.0 + minutes * 60.0;
            if sign == "-" { -offset } else { offset }
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "years of four digits fit")]
    let start = date.midnight().assume_utc().unix_timestamp() as f64;
    Some(start + of_day - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_moments_have_an_order() {
        assert!(numbers(Order::Less, "10", "9.5"));
        assert!(!numbers(Order::Less, "10", "10") && numbers(Order::AtMost, "10", "10"));
        assert!(!numbers(Order::Equal, "10", "ten") && !numbers(Order::Equal, "ten", "ten"));
        for (one, same) in [
            ("2026-11-29T08:00:00Z", "2026-11-29T09:00:00+01:00"),
            ("2026-11-29", "2026-11-29T00:00Z"),
            ("1970-01-01T00:01:00Z", "60"),
            ("1969-12-31T23:30:00-0030", "0"),
        ] {
            assert!(moments(Order::Equal, one, same), "{one} {same}");
        }
        assert!(moments(
            Order::Greater,
            "2026-11-29T08:00:00Z",
            "2026-11-29T08:00:00.250Z"
        ));
        assert!(moments(Order::Less, "2030-01-01", "2026-11-29T08:00:00Z"));
        for wrong in [
            "",
            "T",
            "2026-13-01",
            "2026-02-30",
            "2026-11-29Tx",
            "2026-11-29T1:2:3:4Z",
            "2026-11-29T00:00+é",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_lie_in_blocks() {
        for (block, address, expected) in [
            ("203.0.113.0/24", "203.0.113.7", true),
            ("203.0.113.0/24", "203.0.114.7", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "10.0.0.1", true),
            ("::/0", "10.0.0.1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("10.0.0.0/x", "10.0.0.0", false),
        ] {
            assert_eq!(addresses(block, address), expected, "{block} {address}");
        }
    }
}
