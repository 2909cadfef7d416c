//! Notices to clients, and the parsing of frames.

use std::borrow::Cow;

use serde::Serialize;

pub use chat_protocol::FRIEND_NOT_REACHABLE;
use chat_protocol::auth::{MODERATE, NOT_ALLOWED, TOKEN_EXPIRED};
use chat_protocol::cost::INLINE_RECEIVERS;
use chat_protocol::history::{NOT_FOUND, NOT_STORED};
use chat_protocol::limit::TOO_MANY_MESSAGES;
use chat_protocol::review::REFUSED;

use crate::members;
use crate::routes::Rule;

/// Extracts the message from `frame` by the rule of its route, character by character as the sender wrote it.
///
/// Of several fields with the right name the last one counts, as in a browser.
///
/// # Errors
/// [`FrameError`]. The connection stays open, and the sender gets a notice.
pub fn text_of<'frame>(frame: &'frame str, rule: &Rule) -> Result<Cow<'frame, str>, FrameError> {
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

/// Why a frame is not passed on. It quotes nothing of the frame, so that it may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is not JSON.
    #[error(
        "the frame is not JSON (line {line}, column {column}); send an object that has your message as the string `{field}`"
    )]
    BadJson {
        /// The place where it stops being JSON, counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// The field for the message.
        field: String,
    },
    /// The frame is a request, and no JSON object.
    #[error(
        "the frame is not a JSON object (line {line}, column {column}); send an object with the members that you ask by"
    )]
    NotAnObject {
        /// The place where it stops being one, counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// The frame is JSON but has no message.
    #[error(
        "the frame has no string `{field}`; send an object that has your message as the string `{field}`"
    )]
    MissingText {
        /// The field for the message.
        field: String,
    },
    /// The message is longer than the route allows.
    #[error("the message has {bytes} bytes, {allowed} at most; send a shorter one")]
    TextTooLarge {
        /// Its length in UTF-8.
        bytes: usize,
        /// The largest length.
        allowed: usize,
    },
    /// The message is longer than a post may be, in its envelope.
    #[error("the message has {bytes} bytes in its envelope, {allowed} at most; send a shorter one")]
    EnvelopeTooLarge {
        /// The length of the envelope in UTF-8.
        bytes: usize,
        /// The largest length.
        allowed: usize,
    },
    /// A member of the frame beside the message cannot be used.
    #[error("`{member}` of the frame cannot be used: {reason}")]
    BadMember {
        /// The member.
        member: &'static str,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// The room has more connections than a request about it covers.
    #[error(
        "the room has more than {INLINE_RECEIVERS} connections, so who is in it is not looked up"
    )]
    RoomTooLarge,
    /// No device of the friend accepted the message, on a route with envelopes.
    #[error("{FRIEND_NOT_REACHABLE}")]
    FriendNotReachable,
    /// The route's review refused the message, or there was none and the route asks for one. The one error whose words are
    /// the user's: it is not logged.
    #[error("{reason}")]
    Refused {
        /// For the sender.
        reason: String,
    },
    /// The message could not be written, on a route that keeps messages.
    #[error("the message could not be stored, so it was not delivered; send it again")]
    NotStored,
    /// A request is about a message that is not there, or no longer.
    #[error("there is no message with this `id`, or no longer")]
    NotFound,
    /// A request is about a conversation that its sender may not read.
    #[error(
        "this connection can read its own room, and the conversations of its own name that its token allows; ask for one of those"
    )]
    NotReadable,
    /// A message is another sender's, and the token has no right to delete it.
    #[error(
        "the message is not yours; only its sender, and a token with the right {MODERATE}, can delete it"
    )]
    NotYours,
    /// The token that the connection was opened with has expired. The connection is closed.
    #[error("the token of this connection has expired; connect again with a new one")]
    TokenExpired,
    /// The connection has sent as many messages in this second as `messages-per-second` allows.
    #[error("more than {most} {} a second; wait a second, then send it again", if *.most == 1 { "message" } else { "messages" })]
    TooManyMessages {
        /// How many are allowed.
        most: u32,
    },
    /// The token lists rights, and not this one.
    #[error("the token of this connection does not allow to {right}; connect with one that does")]
    NotAllowed {
        /// What the frame asks for.
        right: &'static str,
    },
}

impl FrameError {
    /// The code by which clients distinguish errors; part of the interface.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadJson { .. } | Self::NotAnObject { .. } => "BadJson",
            Self::MissingText { .. } => "MissingText",
            Self::TextTooLarge { .. } | Self::EnvelopeTooLarge { .. } => "TextTooLarge",
            Self::BadMember { .. } => "BadMember",
            Self::RoomTooLarge => "RoomTooLarge",
            Self::FriendNotReachable => "FriendNotReachable",
            Self::Refused { .. } => REFUSED,
            Self::TokenExpired => TOKEN_EXPIRED,
            Self::TooManyMessages { .. } => TOO_MANY_MESSAGES,
            Self::NotStored => NOT_STORED,
            Self::NotFound => NOT_FOUND,
            Self::NotAllowed { .. } | Self::NotReadable | Self::NotYours => NOT_ALLOWED,
        }
    }

    /// The notice to the sender of a frame to `route`, with the frame's `ref` if it has one.
    #[must_use]
    pub fn frame(&self, route: Option<&str>, reference: Option<&str>) -> String {
        #[derive(Serialize)]
        struct Frame<'a> {
            error: &'static str,
            message: String,
            route: Option<&'a str>,
            #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
            reference: Option<&'a str>,
        }
        let frame = Frame {
            error: self.code(),
            message: self.to_string(),
            route,
            reference,
        };
        serde_json::to_string(&frame).expect("strings always serialise")
    }
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
