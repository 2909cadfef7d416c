//! The stage: its name and the request limits of its routes.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};

use super::names::StageName;

/// The request limits of each route. API Gateway counts requests in a token bucket
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Requests a second, sustained.
    pub rate: Count,
    /// Requests in one burst.
    pub burst: Count,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            rate: Count(500),
            burst: Count(1_000),
        }
    }
}

impl fmt::Display for Throttle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, burst } = self;
        write!(out, "{} requests a second, {} at once", rate.0, burst.0)
    }
}

/// A positive number of requests. API Gateway accepts 0, and then refuses every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count(pub u32);

/// API Gateway keeps a burst as a 32-bit integer
/// (<https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html>).
pub(super) const MAX: u32 = i32::MAX as u32;

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Count;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "a whole number, 1 to {MAX}")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
                match u32::try_from(number) {
                    Ok(0) => Err(E::custom(
                        "0 would refuse every request; `throttle = false` leaves the account's limits alone",
                    )),
                    Ok(number) if number <= MAX => Ok(Count(number)),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }
        }
        from.deserialize_i64(Whole)
    }
}

/// `throttle`: limits, or `false` for only the account's.
#[derive(Debug)]
pub(super) struct Throttling(pub(super) Option<Throttle>);

impl Default for Throttling {
    fn default() -> Self {
        Self(Some(Throttle::default()))
    }
}

impl<'de> Deserialize<'de> for Throttling {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct LimitsOrFalse;
        impl<'de> Visitor<'de> for LimitsOrFalse {
            type Value = Throttling;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("limits such as `{ rate = 500, burst = 1000 }`, or `false`")
            }
            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<Throttling, E> {
                match is_on {
                    false => Ok(Throttling(None)),
                    true => Err(E::invalid_value(de::Unexpected::Bool(true), &self)),
                }
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Throttling, M::Error> {
                let limits = Throttle::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Throttling(Some(limits)))
            }
        }
        from.deserialize_any(LimitsOrFalse)
    }
}

/// `stage = "v1"`, or a table `[stage]` with the name and more.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) name: StageName,
    pub(super) throttle: Throttling,
}

impl Stage {
    fn new(name: Option<StageName>, throttle: Option<Throttling>) -> Self {
        Self {
            name: name.unwrap_or_else(|| "v1".parse().expect("every default is valid")),
            throttle: throttle.unwrap_or_default(),
        }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            name: Option<StageName>,
            throttle: Option<Throttling>,
        }
        struct NameOrTable;
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = Stage;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a stage name, or a table `[stage]`")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Stage, E> {
                let name = name.parse().map_err(E::custom)?;
                Ok(Stage::new(Some(name), None))
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Stage, M::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Stage::new(table.name, table.throttle))
            }
        }
        from.deserialize_any(NameOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        #[serde(default)]
        stage: Stage,
    }

    fn read(text: &str) -> (String, Option<(u32, u32)>) {
        let stage = toml::from_str::<File>(text).unwrap().stage;
        let limits = stage
            .throttle
            .0
            .map(|limits| (limits.rate.0, limits.burst.0));
        (stage.name.to_string(), limits)
    }

    #[test]
    fn a_name_alone_is_short_for_a_table_and_missing_keys_get_their_defaults() {
        let default = Some((500, 1_000));
        assert_eq!(read(""), ("v1".to_owned(), default));
        assert_eq!(read("stage = \"beta\""), ("beta".to_owned(), default));
        assert_eq!(read("[stage]"), ("v1".to_owned(), default));
        assert_eq!(
            read("[stage]\nname = \"beta\"\nthrottle = { rate = 5, burst = 2147483647 }"),
            ("beta".to_owned(), Some((5, 2_147_483_647)))
        );
        assert_eq!(
            read("stage = { throttle = false }"),
            ("v1".to_owned(), None)
        );
        assert_eq!(
            read("[stage.throttle]\nrate = 1\nburst = 1"),
            ("v1".to_owned(), Some((1, 1)))
        );
    }

    #[test]
    fn limits_that_api_gateway_would_refuse_or_that_refuse_everything_are_errors() {
        for (text, said) in [
            ("{ rate = 0, burst = 1 }", "0 would refuse every request"),
            ("{ rate = 1, burst = 0 }", "0 would refuse every request"),
            (
                "{ rate = -1, burst = 1 }",
                "expected a whole number, 1 to 2147483647",
            ),
            (
                "{ rate = 1, burst = 2147483648 }",
                "expected a whole number, 1 to 2147483647",
            ),
            (
                "{ rate = 0.5, burst = 1 }",
                "expected a whole number, 1 to 2147483647",
            ),
            (
                "{ rate = \"9\", burst = 1 }",
                "expected a whole number, 1 to 2147483647",
            ),
            ("{ rate = 9 }", "missing field `burst`"),
            ("{ burst = 9 }", "missing field `rate`"),
            (
                "{ rate = 9, burst = 9, burts = 9 }",
                "unknown field `burts`",
            ),
            (
                "true",
                "expected limits such as `{ rate = 500, burst = 1000 }`, or `false`",
            ),
            (
                "500",
                "expected limits such as `{ rate = 500, burst = 1000 }`, or `false`",
            ),
        ] {
            let refused = toml::from_str::<File>(&format!("[stage]\nthrottle = {text}\n"));
            let message = refused.unwrap_err().message().to_owned();
            assert!(message.contains(said), "{text}: {message}");
        }
        for (text, said) in [
            ("stage = 1", "expected a stage name, or a table `[stage]`"),
            ("[stage]\nname = \"a/b\"", "is not a stage name"),
            ("[stage]\nnames = \"a\"", "unknown field `names`"),
        ] {
            let refused = toml::from_str::<File>(text).unwrap_err();
            assert!(
                refused.message().contains(said),
                "{text}: {}",
                refused.message()
            );
        }
    }
}
