//! What a route's review function is asked about a message, and what it answers.
//!
//! The roles are those of Amazon IVS Chat's message review handler
//! (<https://docs.aws.amazon.com/ivs/latest/ChatUserGuide/chat-message-review-handler.html>).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::envelope::Message;

/// The error code of the frame to the sender of a message that was refused.
pub const REFUSED: &str = "Refused";

/// The longest reason that reaches a sender, in bytes of UTF-8. A longer one is cut, because the refusal counts whatever its
/// reason is.
pub const MAX_REASON_BYTES: usize = 1_024;

/// The default of `review-timeout`, in milliseconds: time for a function that starts anew.
pub const TIMEOUT_MS: u32 = 2_000;

/// The shortest and the longest `review-timeout`, in milliseconds. The sender waits for it, and API Gateway for no longer than 29 s
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>).
pub const TIMEOUTS_MS: std::ops::RangeInclusive<u32> = 100..=10_000;

/// What happens to a message that could not be reviewed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// It is delivered as it was sent.
    Allow,
    /// It is refused. The default: a rule that a failure or a flood switches off is none.
    #[default]
    Refuse,
}

impl Fallback {
    /// Every fallback.
    pub const ALL: [Self; 2] = [Self::Allow, Self::Refuse];

    /// The config's word, and the one in a function's environment.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
        }
    }
}

/// The review of one route's messages. Those of a function's routes are in its environment, as JSON by route key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reviewer {
    /// The function's name or ARN.
    pub function: String,
    /// What happens without an answer.
    #[serde(default)]
    pub fallback: Fallback,
    /// For how long an answer is waited for, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u32,
}

const fn timeout_ms() -> u32 {
    TIMEOUT_MS
}

/// What the function is asked, as its event. `C` is an object of claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question<'a, C> {
    /// The message, as it would be delivered.
    pub message: Message<'a>,
    /// Its sender, beside the name in the message.
    pub sender: Sender<C>,
}

/// The sender of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sender<C> {
    /// API Gateway's id of the connection.
    pub connection_id: String,
    /// The rights that its token lists; absent where it lists none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can: Option<Vec<String>>,
    /// Every claim of its token; empty where the chat asks for none.
    pub claims: C,
}

/// The function's answer: its whole return value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// The message is delivered as it is.
    Allow,
    /// The message is delivered with these parts instead; what is absent stays. One of them must be there.
    Change {
        /// The text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// All attributes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<BTreeMap<String, String>>,
    },
    /// The message is not delivered.
    Refuse {
        /// For its sender.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_question_and_answers_never_change() {
        let question = Question {
            message: Message {
                id: "01J".into(),
                route: "say".into(),
                from: Some("Ann".into()),
                room: Some("kitchen".into()),
                to: None,
                text: "hi".into(),
                at: "2026-01-01T00:00:00.000Z".into(),
                attributes: BTreeMap::new(),
            },
            sender: Sender {
                connection_id: "c=".into(),
                can: Some(vec!["send".into()]),
                claims: BTreeMap::from([("sub".to_owned(), "Ann".to_owned())]),
            },
        };
        let json = r#"{"message":{"id":"01J","route":"say","from":"Ann","room":"kitchen","text":"hi","at":"2026-01-01T00:00:00.000Z"},"sender":{"connectionId":"c=","can":["send"],"claims":{"sub":"Ann"}}}"#;
        assert_eq!(serde_json::to_string(&question).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<Question<'_, _>>(json).unwrap(),
            question
        );
        let change = |text: Option<&str>, attributes| Verdict::Change {
            text: text.map(str::to_owned),
            attributes,
        };
        for (verdict, json) in [
            (Verdict::Allow, r#"{"verdict":"allow"}"#),
            (
                change(Some("***"), None),
                r#"{"verdict":"change","text":"***"}"#,
            ),
            (
                change(None, Some(BTreeMap::new())),
                r#"{"verdict":"change","attributes":{}}"#,
            ),
            (
                Verdict::Refuse {
                    reason: "no".into(),
                },
                r#"{"verdict":"refuse","reason":"no"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&verdict).unwrap(), json);
            assert_eq!(serde_json::from_str::<Verdict>(json).unwrap(), verdict);
        }
    }

    #[test]
    fn what_is_no_verdict_is_not_read_as_one() {
        for answer in [
            "null",
            "{}",
            r#""allow""#,
            r#"{"verdict":"Allow"}"#,
            r#"{"verdict":"refuse"}"#,
            r#"{"verdict":"change","text":7}"#,
            r#"{"verdict":"change","attributes":{"a":["b"]}}"#,
            r#"{"statusCode":200}"#,
        ] {
            assert!(serde_json::from_str::<Verdict>(answer).is_err(), "{answer}");
        }
    }

    #[test]
    fn a_reviewer_refuses_without_an_answer_unless_it_says_otherwise() {
        let least = serde_json::from_str::<Reviewer>(r#"{"function":"f"}"#).unwrap();
        let all = r#"{"function":"f","fallback":"refuse","timeoutMs":2000}"#;
        assert_eq!(serde_json::to_string(&least).unwrap(), all);
        assert!(TIMEOUTS_MS.contains(&TIMEOUT_MS));
        for fallback in Fallback::ALL {
            let word = serde_json::to_string(&fallback).unwrap();
            assert_eq!(word, format!("{:?}", fallback.word()));
        }
    }
}
