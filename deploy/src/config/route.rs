//! The routes of a chat, checked: what happens to each message.

use std::path::PathBuf;

use chat_protocol::review::Fallback;
use chat_protocol::{Answers, Receivers, Rule};

use super::function::FunctionSettings;
use super::names::{FieldName, RouteKey};
use super::permission::Grant;
use super::secret::SecretHeader;
use super::url::BackendUrl;

/// A route that messages select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `$default` or a custom key.
    pub key: RouteKey,
    /// What happens to its messages.
    pub purpose: Purpose,
    /// The function that reviews them first. Only messages to people have one.
    pub review: Option<Review>,
}

/// What happens to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Users receive them, from one of our own functions.
    #[expect(missing_docs, reason = "the sentence names the fields")]
    People { receivers: Receivers, rule: Rule },
    /// It goes to the user's backend.
    Http {
        /// Where the POST goes.
        backend: Backend,
        /// The JSON field that the backend receives as `message`.
        text: Option<FieldName>,
    },
    /// It goes to the user's function.
    Handler(CustomHandler),
    /// It is a request, and one of the chat's own functions answers it.
    Answers(Answers),
}

impl Purpose {
    /// The default for messages to `receivers`.
    pub(crate) fn for_people(receivers: Receivers) -> Self {
        let rule = receivers.rule();
        Self::People { receivers, rule }
    }

    /// The rule of a route to people.
    pub fn rule(&self) -> Option<&Rule> {
        match self {
            Self::People { rule, .. } => Some(rule),
            Self::Http { .. } | Self::Handler(_) | Self::Answers(_) => None,
        }
    }

    /// The JSON field that carries the message, if the config names one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::People { rule, .. } => rule.text.as_deref(),
            Self::Http { text, .. } => text.as_ref().map(AsRef::as_ref),
            Self::Handler(_) | Self::Answers(_) => None,
        }
    }
}

/// A function that the user has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomHandler {
    /// The folder of its crate.
    pub folder: PathBuf,
    /// The crate's binary that it is; with `None`, it is the only one.
    pub binary: Option<String>,
    /// Its variables, its secrets, and how Lambda runs it.
    pub settings: FunctionSettings,
    /// Whether its return value goes to the sender.
    pub reply: bool,
    /// What it may do besides writing its log.
    pub grants: Vec<Grant>,
}

/// A function that the user has written, which reviews messages before they are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The folder of its crate as the config names it, with the binary if it names one: one function for all routes with the
    /// same.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// The crate's binary that it is; with `None`, it is the only one.
    pub binary: Option<String>,
    /// Its variables, its secrets, and how Lambda runs it, as all of its routes have it.
    pub settings: FunctionSettings,
    /// What this route lets it do besides writing its log.
    pub grants: Vec<Grant>,
    /// What happens to messages that it did not review.
    pub fallback: Fallback,
    /// For how long it is waited for, in milliseconds.
    pub timeout_ms: u32,
}

/// The address that receives requests for the user's backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Its address.
    pub url: BackendUrl,
    /// The header that proves to the backend that a request comes from this stack.
    pub secret: Option<SecretHeader>,
}

/// The user's backend for `$connect` and `$disconnect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// Receives handshakes, and answers with a status.
    pub connect: Backend,
    /// Receives the ends of connections.
    pub disconnect: Backend,
}
