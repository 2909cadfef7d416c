//! What becomes of a message: the routes of a chat, checked.

use std::path::PathBuf;

use super::names::{MemberName, RouteKey};
use super::permission::Grant;
use super::secret::SecretHeader;
use super::url::BackendUrl;

/// The most text that a message can have, in bytes: what API Gateway takes as one message
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
pub(crate) const MOST_TEXT: u32 = 131_072;

/// The most text that a room's message has unless the config says otherwise, in bytes: one frame of API Gateway's.
const ROOM_TEXT: u32 = 32_768;

/// A route that messages select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// `$default` or a custom key.
    pub(crate) key: RouteKey,
    pub(crate) purpose: Purpose,
}

/// What is done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It goes to the person whom the sender named when connecting.
    Friend(TextRule),
    /// It goes to everybody in the sender's room.
    Room {
        include_sender: bool,
        rule: TextRule,
    },
    /// It goes to a backend of the user's.
    Http {
        backend: Backend,
        /// The member that the backend gets as `message`.
        text: Option<MemberName>,
    },
    /// It goes to a function of the user's.
    Handler(CustomHandler),
}

/// Where a message's text is, and how long it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextRule {
    /// The JSON member that carries the text; `None`: the whole frame is the text.
    pub(crate) member: Option<MemberName>,
    /// In bytes.
    pub(crate) most: u32,
}

impl TextRule {
    /// What holds for a route to a friend that says nothing about texts.
    pub(crate) fn of_friend() -> Self {
        Self {
            member: None,
            most: MOST_TEXT,
        }
    }

    /// What holds for a route to a room that says nothing about texts.
    pub(crate) fn of_room() -> Self {
        Self {
            member: None,
            most: ROOM_TEXT,
        }
    }
}

/// A function that the user has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomHandler {
    /// The folder of its crate.
    pub(crate) folder: PathBuf,
    /// What it returns goes to the sender.
    pub(crate) reply: bool,
    /// What it may do beside writing its log.
    pub(crate) grants: Vec<Grant>,
}

/// Where a backend of the user's gets requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) url: BackendUrl,
    /// What proves to it that they come from this stack.
    pub(crate) secret: Option<SecretHeader>,
}

/// A backend of the user's that is told who comes and goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lifecycle {
    pub(crate) connect: Backend,
    pub(crate) disconnect: Backend,
}
