//! Notices to clients.

use std::borrow::Cow;

use serde::Serialize;

pub use chat_protocol::FRIEND_NOT_REACHABLE;
use chat_protocol::auth::{MODERATE, NOT_ALLOWED, TOKEN_EXPIRED};
use chat_protocol::cost::INLINE_RECEIVERS;
use chat_protocol::history::{NOT_FOUND, NOT_STORED};
use chat_protocol::limit::TOO_MANY_MESSAGES;
use chat_protocol::review::REFUSED;

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
        reason: Cow<'static, str>,
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
