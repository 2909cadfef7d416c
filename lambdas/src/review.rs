//! What comes between a message and its delivery: the rule of its route, and the user's function that reviews it.
//!
//! The function may allow the message, change it or refuse it. Where its answer does not come in time, cannot be read or
//! breaks the limits of messages, the route's fallback decides, and the log has the reason.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::time::Duration;

use chat_protocol::envelope::{Envelope, MAX_ATTRIBUTES, MAX_ATTRIBUTES_BYTES, Message};
pub use chat_protocol::review::{Fallback, Question, Reviewer, Sender, Verdict};
use chat_protocol::review::{MAX_REASON_BYTES, REFUSED};
use serde_json::{Map, Value, json};

use crate::envelope::{Outgoing, Refused, max_post_bytes};
use crate::event::SocketEvent;
use crate::log::{Log, reasons};
use crate::protocol::FrameError;
use crate::routes::{Routes, Rule};

/// What a handler does with a message before it looks for receivers.
pub trait Rules {
    /// The rule of the route with `key`.
    fn rule(&self, key: Option<&str>) -> &Rule;

    /// The message as it may be delivered.
    ///
    /// # Errors
    /// [`Refused`] with the reason for the sender.
    fn reviewed<'frame>(
        &self,
        outgoing: Outgoing<'frame>,
        event: &SocketEvent,
        log: &Log,
    ) -> impl Future<Output = Result<Outgoing<'frame>, Refused>>;
}

/// Routes alone review nothing.
impl Rules for Routes {
    fn rule(&self, key: Option<&str>) -> &Rule {
        Self::rule(self, key)
    }

    async fn reviewed<'frame>(
        &self,
        outgoing: Outgoing<'frame>,
        _event: &SocketEvent,
        _log: &Log,
    ) -> Result<Outgoing<'frame>, Refused> {
        Ok(outgoing)
    }
}

/// The functions of a stack's owner that review messages: a synchronous `Invoke`.
pub trait Reviewers {
    /// Returns what `function` returns for `question`.
    ///
    /// # Errors
    /// [`ReviewError`]
    fn ask(
        &self,
        function: &str,
        question: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, ReviewError>> + Send;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// Lambda did not run the function, or its response did not arrive.
    #[error("the review function was not invoked")]
    NotInvoked {
        /// The cause that Lambda or the connection to it reported.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The function failed. Its own words may quote the message, so only the kind is kept.
    #[error("the review function failed with {kind}")]
    Failed {
        /// The `errorType`.
        kind: String,
    },
    /// Without an envelope a message has neither an id nor a sender.
    #[error("the route has no envelopes, so its messages cannot be reviewed")]
    NoEnvelope,
    /// It took longer than the route allows.
    #[error("the review function did not answer within {after:?}")]
    TooSlow {
        /// The route's timeout.
        after: Duration,
    },
    /// Its answer is no verdict.
    #[error("the review function's answer is no verdict")]
    Unreadable,
    /// Its verdict breaks a limit of messages.
    #[error("the review function's change was not used: {0}")]
    Unusable(Cow<'static, str>),
}

/// The largest answer that is read, in bytes: more than the longest text has as JSON, in which a character of one byte may take
/// six.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Routes whose messages are reviewed.
#[derive(Debug, Clone)]
pub struct Reviewed<R> {
    routes: Routes,
    by_key: HashMap<String, Reviewer>,
    /// `None` where no route asks for it.
    reviewers: Option<R>,
}

impl<R: Reviewers> Reviewed<R> {
    /// `routes`, of which those in `by_key` are reviewed by functions of `reviewers`.
    #[must_use]
    pub fn new(routes: Routes, by_key: HashMap<String, Reviewer>, reviewers: R) -> Self {
        Self {
            routes,
            by_key,
            reviewers: Some(reviewers),
        }
    }

    /// `routes` whose messages are not reviewed.
    #[must_use]
    pub fn without_reviews(routes: Routes) -> Self {
        Self {
            routes,
            by_key: HashMap::new(),
            reviewers: None,
        }
    }
}

impl<R: Reviewers> Rules for Reviewed<R> {
    fn rule(&self, key: Option<&str>) -> &Rule {
        self.routes.rule(key)
    }

    async fn reviewed<'frame>(
        &self,
        outgoing: Outgoing<'frame>,
        event: &SocketEvent,
        log: &Log,
    ) -> Result<Outgoing<'frame>, Refused> {
        let key = event.route();
        let reviewer = key.and_then(|key| self.by_key.get(key));
        let (Some(reviewer), Some(reviewers)) = (reviewer, &self.reviewers) else {
            return Ok(outgoing);
        };
        let judged = match serde_json::from_str(&outgoing.post) {
            Ok(Envelope::Message(message)) => {
                let verdict = answer(reviewers, reviewer, &message, event).await;
                verdict.and_then(|verdict| judge(verdict, message, self.rule(key)))
            }
            // The config asks for envelopes. Where a function's variables say otherwise, no message may pass.
            _ => Err(ReviewError::NoEnvelope),
        };
        match judged {
            Ok(Judged::AsItIs) => Ok(outgoing),
            Ok(Judged::Changed(post)) => Ok(outgoing.changed_to(post)),
            Ok(Judged::Refused(reason)) => Err(outgoing.refused(FrameError::Refused { reason })),
            Err(error) => {
                let fields = [
                    ("reason", json!(reasons(&error))),
                    ("fallback", json!(reviewer.fallback)),
                ];
                log.error("message not reviewed", fields);
                match reviewer.fallback {
                    Fallback::Allow => Ok(outgoing),
                    Fallback::Refuse => Err(outgoing.refused(FrameError::Refused {
                        reason: NOT_REVIEWED.to_owned(),
                    })),
                }
            }
        }
    }
}

/// The reason for the sender of a message that could not be reviewed.
pub const NOT_REVIEWED: &str = "the message could not be reviewed, so it was not sent; try again";

async fn answer(
    reviewers: &impl Reviewers,
    reviewer: &Reviewer,
    message: &Message<'_>,
    event: &SocketEvent,
) -> Result<Verdict, ReviewError> {
    let proof = event.proof();
    let question: Question<'_, Map<String, Value>> = Question {
        message: message.clone(),
        sender: Sender {
            connection_id: event
                .message()
                .map(|(connection, _)| connection.to_string())
                .unwrap_or_default(),
            can: proof.as_ref().and_then(|proof| proof.can.clone()),
            claims: proof.map(|proof| proof.claims).unwrap_or_default(),
        },
    };
    let question = serde_json::to_vec(&question).expect("texts and claims always serialise");
    let after = Duration::from_millis(reviewer.timeout_ms.into());
    let asked = reviewers.ask(&reviewer.function, question);
    let answer = tokio::time::timeout(after, asked)
        .await
        .map_err(|_elapsed| ReviewError::TooSlow { after })??;
    if answer.len() > MAX_ANSWER_BYTES {
        return Err(ReviewError::Unusable(
            "the answer has more than 1 MB".into(),
        ));
    }
    serde_json::from_slice(&answer).map_err(|_| ReviewError::Unreadable)
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    AsItIs,
    /// The post with the changed message.
    Changed(String),
    /// The reason for the sender.
    Refused(String),
}

/// Applies `verdict` to `message` within the limits that hold for its sender, too.
fn judge(verdict: Verdict, mut message: Message<'_>, rule: &Rule) -> Result<Judged, ReviewError> {
    let (text, attributes) = match verdict {
        Verdict::Allow => return Ok(Judged::AsItIs),
        Verdict::Refuse { reason } => return Ok(Judged::Refused(bounded(reason))),
        Verdict::Change {
            text: None,
            attributes: None,
        } => return Err(ReviewError::Unreadable),
        Verdict::Change { text, attributes } => (text, attributes),
    };
    let text = text.unwrap_or_else(|| message.text.to_string());
    let attributes = attributes.unwrap_or_else(|| message.attributes.clone());
    if text == message.text && attributes == message.attributes {
        return Ok(Judged::AsItIs);
    }
    if text.len() > rule.max_text_bytes {
        return Err(ReviewError::Unusable(
            "the text is longer than the route allows".into(),
        ));
    }
    if !fit(&attributes) {
        let reason = format!(
            "a message has {MAX_ATTRIBUTES} attributes and {MAX_ATTRIBUTES_BYTES} bytes of them at most"
        );
        return Err(ReviewError::Unusable(reason.into()));
    }
    message.text = text.into();
    message.attributes = attributes;
    let post = serde_json::to_string(&Envelope::Message(message)).expect("texts always serialise");
    match post.len() > max_post_bytes(rule) {
        true => Err(ReviewError::Unusable(
            "the message is longer than a post may be".into(),
        )),
        false => Ok(Judged::Changed(post)),
    }
}

fn fit(attributes: &BTreeMap<String, String>) -> bool {
    let sizes = attributes
        .iter()
        .map(|(name, text)| name.len() + text.len());
    attributes.len() <= MAX_ATTRIBUTES && sizes.sum::<usize>() <= MAX_ATTRIBUTES_BYTES
}

/// A refusal counts whatever its reason is, so a long one is cut, and an empty one gets words.
fn bounded(mut reason: String) -> String {
    if reason.trim().is_empty() {
        return format!("{REFUSED} by the chat's review");
    }
    if reason.len() > MAX_REASON_BYTES {
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
    }
    reason
}
