//! Parses a token's claims strictly: each claim once, each of its own type.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::InvalidToken;

/// The claims of an accepted token.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// The holder's name: the value of the rules' name claim.
    pub name: String,
    /// When it expires, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// The only friends that its holder may write to; `None` allows any.
    pub to: Option<Vec<String>>,
    /// The only rooms that its holder may enter; `None` allows any.
    pub rooms: Option<Vec<String>>,
    /// The holder's permissions; `None` if the token has no such claim.
    pub can: Option<Vec<String>>,
    /// Every claim.
    pub all: Map<String, Value>,
}

impl Claims {
    pub(crate) fn new(
        all: Unique,
        name_claim: &str,
        expires_at: u64,
    ) -> Result<Self, InvalidToken> {
        let all = all.0;
        let name = all
            .get(name_claim)
            .ok_or_else(|| InvalidToken::Missing(name_claim.to_owned()))?;
        let Value::String(name) = name else {
            return Err(InvalidToken::Kind(name_claim.to_owned(), "a string"));
        };
        Ok(Self {
            name: name.clone(),
            expires_at,
            to: texts(&all, "to")?,
            rooms: texts(&all, "room")?,
            can: texts(&all, "can")?,
            all,
        })
    }
}

/// A claim that is a string or a list of strings; an empty list allows nothing.
pub(crate) fn texts(
    all: &Map<String, Value>,
    claim: &str,
) -> Result<Option<Vec<String>>, InvalidToken> {
    let wrong = || InvalidToken::Kind(claim.to_owned(), "a string or a list of strings");
    Ok(match all.get(claim) {
        None => None,
        Some(Value::String(one)) => Some(vec![one.clone()]),
        Some(Value::Array(several)) => {
            let texts = several.iter().map(|it| it.as_str().map(str::to_owned));
            Some(texts.collect::<Option<_>>().ok_or_else(wrong)?)
        }
        Some(_) => return Err(wrong()),
    })
}

/// A time in seconds since the Unix epoch (RFC 7519, NumericDate): a number, possibly with a fraction.
pub(crate) fn time(all: &Map<String, Value>, claim: &str) -> Result<Option<u64>, InvalidToken> {
    let Some(value) = all.get(claim) else {
        return Ok(None);
    };
    if let Some(seconds) = value.as_u64() {
        return Ok(Some(seconds));
    }
    // 2^53, up to which every whole number has an exact floating-point form.
    const MAX: f64 = 9_007_199_254_740_992.0;
    match value.as_f64() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 2^53, and a fraction of a second does not matter"
        )]
        Some(seconds) if (0.0..=MAX).contains(&seconds) => Ok(Some(seconds as u64)),
        _ => Err(InvalidToken::Kind(claim.to_owned(), "a time in seconds")),
    }
}

/// A JSON object without duplicate names at any depth. Parsers disagree about which of two counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unique(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Once.deserialize(deserializer)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(D::Error::custom("they are not a JSON object")),
        }
    }
}

/// Reads a JSON object in which no name stands twice, at any depth, so that nothing of it gets lost when it is written again.
///
/// # Errors
/// It is something else.
pub fn object(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str::<Unique>(text).map(|object| object.0)
}

struct Once;

impl<'de> DeserializeSeed<'de> for Once {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without duplicate names")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(Once)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Once)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("an object has a duplicate name"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_duplicate_name_is_refused_at_any_depth() {
        for text in [
            r#"{"sub":"Tom","sub":"Eve"}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
            r#"{"sub":"Tom","\u0073ub":"Eve"}"#,
        ] {
            serde_json::from_str::<Unique>(text).unwrap_err();
        }
        let unique: Unique = serde_json::from_str(r#"{"a":[{"b":null}],"b":-1.5}"#).unwrap();
        assert_eq!(
            Value::Object(unique.0),
            json!({"a": [{"b": null}], "b": -1.5})
        );
        serde_json::from_str::<Unique>("[]").unwrap_err();
    }

    #[test]
    fn a_time_is_a_number_that_is_not_negative() {
        let read = |value: Value| {
            let Value::Object(all) = json!({ "exp": value }) else {
                unreachable!()
            };
            time(&all, "exp")
        };
        assert_eq!(read(json!(1_800_000_000)), Ok(Some(1_800_000_000)));
        assert_eq!(read(json!(1_800_000_000.9)), Ok(Some(1_800_000_000)));
        for wrong in [
            json!("1800000000"),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(null),
            json!([1_800_000_000]),
            json!(true),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(time(&Map::new(), "exp"), Ok(None));
    }
}
