//! What a route answers itself, instead of passing messages on.

use serde::{Deserialize, Serialize};

use crate::auth::MODERATE;
use crate::handler::Handler;

/// A question that a route answers, or an order that it carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// Who is in the sender's room.
    Who,
    /// Ends the connections of a person in the sender's room.
    Kick,
    /// The messages of a conversation that are kept.
    History,
    /// Deletes a message that is kept.
    Delete,
}

impl Answers {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Who, Self::Kick, Self::History, Self::Delete];

    /// The config's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Who => "who",
            Self::Kick => "kick",
            Self::History => "history",
            Self::Delete => "delete",
        }
    }

    /// The handler of its routes.
    #[must_use]
    pub const fn handler(self) -> Handler {
        match self {
            Self::Who => Handler::Who,
            Self::Kick => Handler::Kick,
            Self::History => Handler::History,
            Self::Delete => Handler::Delete,
        }
    }

    /// The right that the sender's token must have. A stack without tokens cannot have routes that need one. To delete needs none,
    /// because a sender may delete its own messages; other people's need [`MODERATE`].
    #[must_use]
    pub const fn right(self) -> Option<&'static str> {
        match self {
            Self::Who | Self::History | Self::Delete => None,
            Self::Kick => Some(MODERATE),
        }
    }
}

/// How many people one answer to [`Answers::Who`] lists.
pub const MAX_PEOPLE: usize = 100;

/// The member of a frame with the name that is meant.
pub const NAME: &str = "name";

/// The member of a frame with the last name of the page before.
pub const AFTER: &str = "after";

/// The `error` of the frame to a person whose connection is ended.
pub const KICKED: &str = "Kicked";

/// A person in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// How many connections have it.
    pub devices: usize,
    /// When the first of them connected: RFC 3339 in UTC.
    pub since: String,
}

/// A frame that answers a request. An error frame is none: it has no `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum AnswerFrame {
    /// To [`Answers::Who`].
    Who {
        /// The sender's room.
        room: String,
        /// Some of those in it, sorted by name.
        people: Vec<Person>,
        /// The connections without a name.
        nameless: usize,
        /// The [`AFTER`] of the next page; `None` after the last one.
        next: Option<String>,
        /// The `ref` of the request.
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// To [`Answers::Kick`].
    Kicked {
        /// Who was meant.
        name: String,
        /// The connections that were ended.
        connections: usize,
        /// The `ref` of the request.
        #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_s_word_is_parsed_and_each_has_a_handler_of_its_own() {
        for answers in Answers::ALL {
            let word = serde_json::to_string(&answers).unwrap();
            assert_eq!(word, format!("{:?}", answers.word()));
            assert_eq!(answers.handler().name(), answers.word());
        }
    }

    #[test]
    fn the_members_on_the_wire_never_change() {
        let who = AnswerFrame::Who {
            room: "kitchen".into(),
            people: vec![Person {
                name: "Ann".into(),
                devices: 2,
                since: "2026-01-01T00:00:00.000Z".into(),
            }],
            nameless: 1,
            next: None,
            reference: Some("r1".into()),
        };
        let kicked = AnswerFrame::Kicked {
            name: "Bob".into(),
            connections: 1,
            reference: None,
        };
        for (answer, json) in [
            (
                who,
                r#"{"type":"who","room":"kitchen","people":[{"name":"Ann","devices":2,"since":"2026-01-01T00:00:00.000Z"}],"nameless":1,"next":null,"ref":"r1"}"#,
            ),
            (kicked, r#"{"type":"kicked","name":"Bob","connections":1}"#),
        ] {
            assert_eq!(serde_json::to_string(&answer).unwrap(), json);
            assert_eq!(serde_json::from_str::<AnswerFrame>(json).unwrap(), answer);
        }
    }
}
