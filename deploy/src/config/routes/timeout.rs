//! A time in a route's table.

use chat_protocol::review::TIMEOUTS_MS;
use serde::Deserialize;

/// For how long a review is waited for: a whole number with `ms` or `s`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ReviewTimeout(pub(super) u32);

impl TryFrom<String> for ReviewTimeout {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (number, factor) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(number), _) => (number, 1),
            (None, Some(number)) => (number, 1_000),
            (None, None) => ("", 0),
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let millis = is_number.then(|| number.parse::<u32>().ok()).flatten();
        match millis.and_then(|millis| millis.checked_mul(factor)) {
            Some(millis) if TIMEOUTS_MS.contains(&millis) => Ok(Self(millis)),
            _ => Err(format!(
                "{text:?} is not a time for a review: \"{}ms\" to \"{}s\", for example \"500ms\" or \"2s\"",
                TIMEOUTS_MS.start(),
                TIMEOUTS_MS.end() / 1_000
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_whole_number_with_its_unit() {
        let read = |text: &str| ReviewTimeout::try_from(text.to_owned()).map(|it| it.0);
        assert_eq!(read("100ms"), Ok(100));
        assert_eq!(read("2s"), Ok(2_000));
        assert_eq!(read("10000ms"), Ok(10_000));
        for text in [
            "",
            "s",
            "ms",
            "2",
            "2 s",
            "+2s",
            "1.5s",
            "99ms",
            "11s",
            "0s",
            "2m",
            "-1s",
            "4294968s",
            "99999999999s",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("\"100ms\" to \"10s\""), "{text}: {error}");
        }
    }
}
