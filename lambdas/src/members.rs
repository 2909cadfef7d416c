//! Reads one member of a frame, and of the others only where they end.
//!
//! A frame is the client's: what is beside the member may be a number that no type holds, half a surrogate pair, or nested
//! however deep. None of it decides what the member says, or whether there is one.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::protocol::FrameError;

/// The member `name` of `frame`, character by character as the client wrote it; of several, the last one.
///
/// # Errors
/// The frame is not JSON, no object, or the member is no text.
pub(crate) fn text<'frame>(
    frame: &'frame str,
    name: &str,
) -> Result<Option<Cow<'frame, str>>, serde_json::Error> {
    Ok(read::<Text<'frame>>(frame, name)?.map(|text| text.0))
}

/// The member `name` of `frame`; of several, the last one. `null` counts as absent.
///
/// # Errors
/// [`FrameError::NotAnObject`]; [`FrameError::BadMember`] if no value holds it. It must not count as absent then.
pub(crate) fn value(frame: &str, name: &'static str) -> Result<Option<Value>, FrameError> {
    match read::<Value>(frame, name) {
        Ok(value) => Ok(value.filter(|value| !value.is_null())),
        Err(_) => Err(match read::<IgnoredAny>(frame, name) {
            Ok(_) => FrameError::BadMember {
                member: name,
                reason: "it cannot be read".into(),
            },
            Err(error) => FrameError::NotAnObject {
                line: error.line(),
                column: error.column(),
            },
        }),
    }
}

fn read<'frame, T: Deserialize<'frame>>(
    frame: &'frame str,
    name: &str,
) -> Result<Option<T>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(frame);
    let wanted = Wanted {
        name,
        value: PhantomData,
    };
    let found = reader.deserialize_map(wanted)?;
    reader.end()?;
    Ok(found)
}

struct Wanted<'a, T> {
    name: &'a str,
    value: PhantomData<T>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Wanted<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Text(name)) = members.next_key()? {
            if name == self.name {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn code(frame: &str) -> Result<Option<Value>, &'static str> {
        value(frame, "limit").map_err(|error| error.code())
    }

    #[test]
    fn what_is_beside_a_member_decides_nothing() {
        for beside in [
            "1e400",
            r#""\ud800""#,
            "-0",
            &format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
        ] {
            for frame in [
                format!(r#"{{"x":{beside},"limit":"5"}}"#),
                format!(r#"{{"limit":"4","limit":"5","x":{beside}}}"#),
            ] {
                assert_eq!(code(&frame), Ok(Some(json!("5"))), "{frame:.40}");
                assert_eq!(text(&frame, "limit").unwrap().as_deref(), Some("5"));
            }
        }
    }

    #[test]
    fn a_member_that_no_value_holds_is_not_absent() {
        let nested = format!("{}{}", "[".repeat(500), "]".repeat(500));
        for value in ["1e400", r#""\ud800""#, r#"{"a":"\udfff"}"#, &nested] {
            assert_eq!(code(&format!(r#"{{"limit":{value}}}"#)), Err("BadMember"));
        }
        for (frame, expected) in [
            (r#"{"limit":null}"#, Ok(None)),
            (r#"{"Limit":5}"#, Ok(None)),
            (r#"{"a":{"limit":5}}"#, Ok(None)),
            ("{}", Ok(None)),
            ("", Err("BadJson")),
            ("hi", Err("BadJson")),
            ("null", Err("BadJson")),
            (r#"["limit",5]"#, Err("BadJson")),
            (r#"{"limit":5"#, Err("BadJson")),
            (r#"{"limit":5} x"#, Err("BadJson")),
            (r#"{"limit":05}"#, Err("BadJson")),
        ] {
            assert_eq!(code(frame), expected, "{frame}");
        }
    }
}
