//! A number from which on there is an alarm, or `false`.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// The largest threshold: more in five minutes is beyond every quota.
pub(in crate::config) const MAX: u32 = 1_000_000_000;

/// From which number on there is an alarm, or `false` for no alarm; without the key, from `DEFAULT` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Threshold<const DEFAULT: u32>(pub(super) Option<u32>);

impl<const DEFAULT: u32> Default for Threshold<DEFAULT> {
    fn default() -> Self {
        Self(Some(DEFAULT))
    }
}

impl<'de, const DEFAULT: u32> Deserialize<'de> for Threshold<DEFAULT> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NumberOrFalse;
        impl Visitor<'_> for NumberOrFalse {
            type Value = Option<u32>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "a whole number, 1 to {MAX}, or `false`")
            }
            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<Option<u32>, E> {
                match is_on {
                    false => Ok(None),
                    true => Err(E::invalid_value(de::Unexpected::Bool(true), &self)),
                }
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<u32>, E> {
                match u32::try_from(number) {
                    Ok(0) => Err(E::custom(
                        "0 would be an alarm at all times; `false` is no alarm",
                    )),
                    Ok(number) if number <= MAX => Ok(Some(number)),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }
        }
        from.deserialize_any(NumberOrFalse).map(Self)
    }
}
