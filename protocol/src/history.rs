//! Messages that are kept, on routes with `history`: how they are read later, and deleted.
//!
//! A message is written before its receivers are looked up. So a receiver whose connection was recorded before is found,
//! and one whose connection was recorded later finds the message when it asks afterwards.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::envelope::Message;
use crate::limit::{MAX_FRAME_BYTES, MAX_MESSAGE_BYTES};

/// The member of a request with a room. The only one that is accepted is the sender's own.
pub const ROOM: &str = "room";

/// The member of a request with the other person of a conversation between two.
pub const WITH: &str = "with";

/// The member of a request for older entries: those before this id, the newest of them.
pub const BEFORE: &str = "before";

/// The member of a request for newer entries: those after this id, the oldest of them.
pub const AFTER: &str = "after";

/// The member of a request with [`AFTER`]: `true` leaves the overlap of [`OVERLAP_SECONDS`] out, to go on from page to page.
pub const EXACT: &str = "exact";

/// The member of a request with the most entries of a page.
pub const LIMIT: &str = "limit";

/// The member of a request with the id of a message.
pub const ID: &str = "id";

/// The entries of a page if a request does not say how many.
pub const DEFAULT_ENTRIES: usize = 50;

/// The most entries of a page.
pub const MAX_ENTRIES: usize = 100;

/// How much older entries a request with [`AFTER`] includes, in seconds.
///
/// An id has the moment in which API Gateway received the message, and two functions may write their messages in another
/// order: each within its integration's timeout of 29 seconds
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
pub const OVERLAP_SECONDS: u64 = 60;

/// The bytes of a page beside its entries, at most: the names of its members, a room or name, and a `ref` of which each
/// byte is escaped.
const MAX_PAGE_FRAME_BYTES: usize = 1024;

/// The most bytes of the entries of a page, unless the first of them alone is larger. With the rest of the page it is what API
/// Gateway charges as one message.
pub const MAX_ENTRIES_BYTES: usize = MAX_FRAME_BYTES - MAX_PAGE_FRAME_BYTES;

/// The largest message in its envelope on a route with history, so that a page can have it.
pub const MAX_KEPT_BYTES: usize = MAX_MESSAGE_BYTES - MAX_PAGE_FRAME_BYTES;

/// The shortest time for which messages can be kept, in seconds: an hour.
pub const MIN_SECONDS: u32 = 60 * 60;

/// The longest time for which messages can be kept, in seconds: 365 days.
pub const MAX_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The `error` of the frame that answers a message that could not be written. It is not delivered to any receiver.
pub const NOT_STORED: &str = "NotStored";

/// The `error` of the frame that answers a request about a message that is not there, or no longer.
pub const NOT_FOUND: &str = "NotFound";

/// A frame of routes that answer `history` or `delete`. An error frame is none: it has no `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Frame<'a> {
    /// To the sender of a request for history.
    #[serde(borrow)]
    History(Page<'a>),
    /// To those who got the message, and to the other connections of the person who deleted it.
    #[serde(borrow)]
    Deleted(Deleted<'a>),
    /// To the sender of an order with a `ref`.
    #[serde(borrow)]
    Done(Done<'a>),
}

/// Some entries of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<'a> {
    /// The room, if it is one's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Cow<'a, str>>,
    /// The other person, if it is the history of a conversation between two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Cow<'a, str>>,
    /// Oldest first.
    #[serde(borrow)]
    pub entries: Vec<Entry<'a>>,
    /// Whether there are more in the direction that was asked for. [`BEFORE`] the first entry's id, or [`AFTER`] the last
    /// one's with [`EXACT`] leads to them.
    pub more: bool,
    /// The `ref` of the request.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Cow<'a, str>>,
}

/// An entry of a page, as the receivers got it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Entry<'a> {
    /// A message.
    #[serde(borrow)]
    Message(Message<'a>),
    /// The deletion of an earlier one, whose text is gone.
    #[serde(borrow)]
    Deleted(Deleted<'a>),
}

impl Entry<'_> {
    /// The entry's own id, by which entries are sorted.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Message(message) => &message.id,
            Self::Deleted(deleted) => &deleted.id,
        }
    }
}

/// The deletion of a message. Readers ignore members that they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted<'a> {
    /// A ULID of its own.
    pub id: Cow<'a, str>,
    /// The id of the message that was deleted.
    pub of: Cow<'a, str>,
    /// The name of the person who deleted it.
    pub by: Cow<'a, str>,
    /// The room, if the message went to a room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Cow<'a, str>>,
    /// The receiver of the message, if it went to a friend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Cow<'a, str>>,
    /// The sender of the message, if it had a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Cow<'a, str>>,
    /// When API Gateway received the order: RFC 3339 in UTC, with milliseconds.
    pub at: Cow<'a, str>,
}

/// The receipt for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done<'a> {
    /// The `ref` of the order.
    #[serde(rename = "ref")]
    pub reference: Cow<'a, str>,
    /// The id of the entry that the order has made.
    pub id: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted() -> Deleted<'static> {
        Deleted {
            id: "01K".into(),
            of: "01J".into(),
            by: "Mo".into(),
            room: Some("kitchen".into()),
            to: None,
            from: Some("Ann".into()),
            at: "2026-01-01T00:00:00.000Z".into(),
        }
    }

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
            attributes: std::collections::BTreeMap::new(),
        };
        let page = Page {
            room: Some("kitchen".into()),
            with: None,
            entries: vec![Entry::Message(message), Entry::Deleted(deleted())],
            more: true,
            reference: Some("r1".into()),
        };
        let of_two = Page {
            room: None,
            with: Some("Bob".into()),
            entries: vec![],
            more: false,
            reference: None,
        };
        let done = Done {
            reference: "r1".into(),
            id: "01K".into(),
        };
        let gone = r#"{"type":"deleted","id":"01K","of":"01J","by":"Mo","room":"kitchen","from":"Ann","at":"2026-01-01T00:00:00.000Z"}"#;
        for (frame, json) in [
            (Frame::Deleted(deleted()), gone.to_owned()),
            (
                Frame::History(page),
                format!(
                    r#"{{"type":"history","room":"kitchen","entries":[{{"type":"message","id":"01J","route":"say","from":"Ann","room":"kitchen","text":"hi","at":"2026-01-01T00:00:00.000Z"}},{gone}],"more":true,"ref":"r1"}}"#
                ),
            ),
            (
                Frame::History(of_two),
                r#"{"type":"history","with":"Bob","entries":[],"more":false}"#.to_owned(),
            ),
            (
                Frame::Done(done),
                r#"{"type":"done","ref":"r1","id":"01K"}"#.to_owned(),
            ),
        ] {
            assert_eq!(serde_json::to_string(&frame).unwrap(), json);
            assert_eq!(serde_json::from_str::<Frame<'_>>(&json).unwrap(), frame);
        }
    }

    #[test]
    fn a_page_without_its_entries_stays_below_its_limit() {
        let name = "x".repeat(crate::name::MAX_CHARACTERS);
        // A control character takes six bytes as JSON.
        let reference = "\u{1}".repeat(crate::envelope::MAX_REFERENCE_BYTES);
        let page = Frame::History(Page {
            room: Some(name.clone().into()),
            with: Some(name.into()),
            entries: vec![],
            more: false,
            reference: Some(reference.into()),
        });
        assert!(serde_json::to_string(&page).unwrap().len() <= MAX_PAGE_FRAME_BYTES);
    }
}
