//! Reads the message of a frame by the rule of its route.

use std::borrow::Cow;

use crate::members;
use crate::protocol::FrameError;
use crate::routes::Rule;

/// Extracts the message from `frame` by the rule of its route, character by character as the sender wrote it.
///
/// Of several fields with the right name the last one counts, as in a browser.
///
/// # Errors
/// [`FrameError`]. The connection stays open, and the sender gets a notice.
pub(crate) fn text_of<'frame>(
    frame: &'frame str,
    rule: &Rule,
) -> Result<Cow<'frame, str>, FrameError> {
    let text = match &rule.text {
        None => Cow::Borrowed(frame),
        Some(field) => string_field(frame, field)?,
    };
    if text.len() > rule.max_text_bytes {
        return Err(FrameError::TextTooLarge {
            bytes: text.len(),
            allowed: rule.max_text_bytes,
        });
    }
    Ok(text)
}

/// Reads one field, copying only if necessary.
fn string_field<'frame>(frame: &'frame str, field: &str) -> Result<Cow<'frame, str>, FrameError> {
    let missing = || FrameError::MissingText {
        field: field.to_owned(),
    };
    match members::text(frame, field) {
        Ok(text) => text.ok_or_else(missing),
        // It is JSON, but not an object, or the field is not a string.
        Err(error) if error.is_data() => Err(missing()),
        Err(error) => Err(FrameError::BadJson {
            line: error.line(),
            column: error.column(),
            field: field.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{FrameError, text_of};
    use crate::routes::Rule;

    #[test]
    fn a_route_without_a_field_accepts_every_frame_unchanged() {
        for frame in ["", "hi", "{\"message\":", "null"] {
            assert_eq!(text_of(frame, &Rule::default()), Ok(Cow::Borrowed(frame)));
        }
    }

    #[test]
    fn the_field_s_message_is_extracted_character_by_character() {
        check(r#"{"action":"onMessage","message":"Hi"}"#, Ok("Hi"));
        check(
            " {\"message\" : \" a\\n\\u00e9\\ud83d\\ude00 \", \"n\": [1e400, {}]} ",
            Ok(" a\n\u{e9}\u{1F600} "),
        );
        check(r#"{"message":""}"#, Ok(""));
        check(
            r#"{"a":{"message":"inner"},"message":"first","message":"last"}"#,
            Ok("last"),
        );
    }

    #[test]
    fn a_plain_text_is_not_copied() {
        assert!(matches!(
            text_of(r#"{"message":"plain"}"#, &route(99)),
            Ok(Cow::Borrowed("plain"))
        ));
    }

    #[test]
    fn invalid_json_and_a_missing_message_are_distinguished() {
        for frame in [
            "",
            "hi",
            r#"{"message":"x""#,
            r#"{"message":"x"} y"#,
            r#"{"message":"\ud800"}"#,
        ] {
            check(frame, Err("BadJson"));
        }
        for frame in [
            "null",
            "7",
            r#"["message"]"#,
            "{}",
            r#"{"Message":"x"}"#,
            r#"{"message":null}"#,
            r#"{"message":{"a":1}}"#,
        ] {
            check(frame, Err("MissingText"));
        }
    }

    #[test]
    fn the_limit_counts_the_bytes_of_the_message_and_not_of_the_frame() {
        let frame = |text: &str| json!({"much": "x".repeat(1000), "message": text}).to_string();
        assert!(text_of(&frame("\u{e9}\u{e9}"), &route(4)).is_ok());
        let refusal = text_of(&frame("\u{e9}\u{e9}x"), &route(4)).unwrap_err();
        assert_eq!(
            refusal,
            FrameError::TextTooLarge {
                bytes: 5,
                allowed: 4
            }
        );
    }

    #[test]
    fn the_sender_receives_a_code_a_sentence_and_the_route() {
        let reported = |frame: &str| -> Value {
            let refusal = text_of(frame, &route(4)).unwrap_err();
            serde_json::from_str(&refusal.frame(Some("onMessage"), None)).unwrap()
        };
        assert_eq!(
            reported("oops"),
            json!({"error": "BadJson", "route": "onMessage", "message":
                "the frame is not JSON (line 1, column 1); send an object that has your message as the string `message`"})
        );
        assert_eq!(
            reported("{}"),
            json!({"error": "MissingText", "route": "onMessage", "message":
                "the frame has no string `message`; send an object that has your message as the string `message`"})
        );
        assert_eq!(
            reported(r#"{"message":"12345"}"#),
            json!({"error": "TextTooLarge", "route": "onMessage", "message":
                "the message has 5 bytes, 4 at most; send a shorter one"})
        );
    }

    #[test]
    fn deep_nesting_is_refused_and_not_a_crash() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        check(&deep, Err("BadJson"));
    }

    proptest! {
        #[test]
        fn any_message_survives_its_frame(text in any::<String>()) {
            let frame = json!({"action": "x", "message": text}).to_string();
            prop_assert_eq!(text_of(&frame, &route(usize::MAX)).unwrap(), text);
        }

        #[test]
        fn no_frame_makes_the_reader_panic_or_be_quoted(frame in any::<String>()) {
            if let Err(refusal) = text_of(&frame, &route(8)) {
                prop_assert!(refusal.to_string().len() < 160);
            }
        }
    }

    fn check(frame: &str, expected: Result<&str, &str>) {
        let read = text_of(frame, &route(99));
        let read = read.as_ref().map(AsRef::as_ref).map_err(FrameError::code);
        assert_eq!(read, expected, "{frame}");
    }

    fn route(max_text_bytes: usize) -> Rule {
        Rule {
            text: Some("message".to_owned()),
            max_text_bytes,
            ..Rule::default()
        }
    }
}
