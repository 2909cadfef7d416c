//! What becomes of a message: the routes of a chat, checked.

use std::path::PathBuf;

use chat_protocol::{Receivers, Rule};

use super::names::{MemberName, RouteKey};
use super::permission::Grant;
use super::secret::SecretHeader;
use super::url::BackendUrl;

/// A route that messages select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `$default` or a custom key.
    pub key: RouteKey,
    pub purpose: Purpose,
}

/// What is done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// It goes to other people, by a function of the chat's own.
    People { receivers: Receivers, rule: Rule },
    /// It goes to a backend of the user's.
    Http {
        backend: Backend,
        /// The member that the backend gets as `message`.
        text: Option<MemberName>,
    },
    /// It goes to a function of the user's.
    Handler(CustomHandler),
}

impl Purpose {
    /// What becomes of a message to `receivers` where a route says nothing else.
    pub fn of_people(receivers: Receivers) -> Self {
        let rule = receivers.rule();
        Self::People { receivers, rule }
    }

    /// The JSON field that carries the text, where the config says so.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::People { rule, .. } => rule.text.as_deref(),
            Self::Http { text, .. } => text.as_ref().map(AsRef::as_ref),
            Self::Handler(_) => None,
        }
    }
}

/// A function that the user has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomHandler {
    /// The folder of its crate.
    pub folder: PathBuf,
    /// What it returns goes to the sender.
    pub reply: bool,
    /// What it may do beside writing its log.
    pub grants: Vec<Grant>,
}

/// Where a backend of the user's gets requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    pub url: BackendUrl,
    /// What proves to it that they come from this stack.
    pub secret: Option<SecretHeader>,
}

/// A backend of the user's that is told who comes and goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    pub connect: Backend,
    pub disconnect: Backend,
}
