//! Frames of routes with `envelope = true`: a message with its sender, and the receipt for that sender.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The member of a frame by which its sender recognises the receipt, and an error.
pub const REFERENCE: &str = "ref";

/// The member of a frame with texts that are passed on beside the message.
pub const ATTRIBUTES: &str = "attributes";

/// The longest [`REFERENCE`], in bytes of UTF-8.
pub const MAX_REFERENCE_BYTES: usize = 128;

/// The most [`ATTRIBUTES`] of a message.
pub const MAX_ATTRIBUTES: usize = 16;

/// The most bytes of all [`ATTRIBUTES`] of a message: their names and texts in UTF-8.
pub const MAX_ATTRIBUTES_BYTES: usize = 4 * 1024;

/// A frame of such a route to a client. An error frame is none: it has no `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Envelope<'a> {
    /// To a receiver.
    #[serde(borrow)]
    Message(Message<'a>),
    /// To the sender of a frame that has a [`REFERENCE`].
    #[serde(borrow)]
    Sent(Sent<'a>),
}

/// A message with its sender. Readers ignore members that they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message<'a> {
    /// A ULID, the same on every device: later messages have larger ones, from the millisecond in which API Gateway
    /// received them (<https://github.com/ulid/spec>).
    pub id: Cow<'a, str>,
    /// The route that it was sent to.
    pub route: Cow<'a, str>,
    /// The sender. Absent if it connected without a name, which rooms allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Cow<'a, str>>,
    /// The room, if it went to a room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Cow<'a, str>>,
    /// The receiver, if it went to a friend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Cow<'a, str>>,
    /// The message.
    pub text: Cow<'a, str>,
    /// When API Gateway received it: RFC 3339 in UTC, with milliseconds.
    pub at: Cow<'a, str>,
    /// What the sender added.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// The receipt for a message. Connections that accepted it may still not have read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent<'a> {
    /// The [`REFERENCE`] of the frame.
    #[serde(rename = "ref")]
    pub reference: Cow<'a, str>,
    /// The message's id.
    pub id: Cow<'a, str>,
    /// How many connections accepted it, the sender's own copy not counted. `None` for a room that is so large that several
    /// functions serve it.
    pub delivered: Option<usize>,
    /// Whether it can be read later, because its route has `history`.
    pub stored: bool,
    /// Whether a [review](crate::review) has changed it before it was delivered.
    #[serde(default, skip_serializing_if = "is_false")]
    pub changed: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_on_the_wire_never_change() {
        let message = Message {
            id: "01J".into(),
            route: "say".into(),
            from: Some("Ann".into()),
            room: Some("kitchen".into()),
            to: None,
            text: "hi".into(),
            at: "2026-01-01T00:00:00.000Z".into(),
            attributes: BTreeMap::from([("color".into(), "red".into())]),
        };
        check(
            &Envelope::Message(message),
            r#"{"type":"message","id":"01J","route":"say","from":"Ann","room":"kitchen","text":"hi","at":"2026-01-01T00:00:00.000Z","attributes":{"color":"red"}}"#,
        );
        let sent = Sent {
            reference: "r1".into(),
            id: "01J".into(),
            delivered: Some(2),
            stored: false,
            changed: false,
        };
        check(
            &Envelope::Sent(sent.clone()),
            r#"{"type":"sent","ref":"r1","id":"01J","delivered":2,"stored":false}"#,
        );
        let changed = Sent {
            changed: true,
            ..sent
        };
        check(
            &Envelope::Sent(changed),
            r#"{"type":"sent","ref":"r1","id":"01J","delivered":2,"stored":false,"changed":true}"#,
        );
    }

    #[test]
    fn without_name_and_attributes_a_message_has_neither_and_unknown_members_are_ignored() {
        let text = r#"{"type":"message","id":"01J","route":"$default","to":"Bob","text":"hi","at":"x","later":[1]}"#;
        let Envelope::Message(message) = serde_json::from_str(text).unwrap() else {
            panic!("it is a message");
        };
        assert_eq!(
            (message.from.as_ref(), message.to.as_deref()),
            (None, Some("Bob"))
        );
        let written = serde_json::to_string(&Envelope::Message(message)).unwrap();
        assert_eq!(written, text.replace(r#","later":[1]"#, ""));
    }

    #[test]
    fn an_error_frame_is_no_envelope() {
        let error = r#"{"error":"BadJson","message":"…","route":"say"}"#;
        assert!(serde_json::from_str::<Envelope<'_>>(error).is_err());
    }

    fn check(envelope: &Envelope<'_>, json: &str) {
        assert_eq!(serde_json::to_string(envelope).unwrap(), json);
        assert_eq!(
            &serde_json::from_str::<Envelope<'_>>(json).unwrap(),
            envelope
        );
    }
}
