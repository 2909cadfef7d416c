//! What a route posts for one frame: the message as it is, or in an envelope with its sender.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chat_protocol::envelope::{
    ATTRIBUTES, Envelope, MAX_ATTRIBUTES, MAX_ATTRIBUTES_BYTES, MAX_REFERENCE_BYTES, Message,
    REFERENCE, Sent,
};
use chat_protocol::history::MAX_KEPT_BYTES;
use chat_protocol::limit::MAX_MESSAGE_BYTES;
use chat_protocol::{Field, Receivers};
use serde_json::Value;
use ulid::Ulid;

use crate::event::SocketEvent;
use crate::history::Line;
use crate::log::rfc3339_of;
use crate::members;
use crate::protocol::{FRIEND_NOT_REACHABLE, FrameError};
use crate::routes::Rule;
use crate::session::Session;
use crate::texts::text_of;

/// What is posted for one frame.
#[derive(Debug)]
pub struct Outgoing<'frame> {
    /// The post for each receiver.
    pub post: Cow<'frame, str>,
    /// `None` on a route without envelopes.
    marked: Option<Marked>,
    is_stored: bool,
}

/// How the sender recognises a message, and how everybody does.
#[derive(Debug)]
struct Marked {
    id: String,
    reference: Option<String>,
    changed: bool,
}

/// Why a frame is not passed on, and how its sender recognises it.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason.
    pub error: FrameError,
    /// The `ref` of the frame.
    pub reference: Option<String>,
}

impl Refused {
    /// The notice to the sender of a frame to `route`.
    #[must_use]
    pub fn frame(&self, route: Option<&str>) -> String {
        self.error.frame(route, self.reference.as_deref())
    }
}

impl<'frame> Outgoing<'frame> {
    /// What a route with `rule` posts for `frame`, which the owner of `session` sent to `receivers` at `now`, in seconds
    /// since the epoch. The time in an envelope is API Gateway's own, if the event has one.
    ///
    /// # Errors
    /// [`Refused`]. The connection stays open, and the sender gets a notice.
    pub fn new(
        event: &SocketEvent,
        frame: &'frame str,
        (rule, receivers): (&Rule, Receivers),
        session: &Session,
        now: u64,
    ) -> Result<Self, Refused> {
        if !rule.envelope {
            let post = text_of(frame, rule).map_err(|error| Refused {
                error,
                reference: None,
            })?;
            return Ok(Self {
                post,
                marked: None,
                is_stored: false,
            });
        }
        let reference = reference_of(frame, rule);
        let refused = |error| Refused {
            error,
            reference: reference.clone().ok().flatten(),
        };
        let text = text_of(frame, rule).map_err(refused)?;
        let attributes = attributes_of(frame, rule).map_err(refused)?;
        let reference = reference.clone().map_err(refused)?;

        let moment = event.received_at_ms().unwrap_or(now.saturating_mul(1000));
        let id = Ulid::from_parts(moment, fastrand::u128(..)).to_string();
        let name = |name: &'_ crate::session::Name| Cow::Owned(name.to_string());
        let message = Envelope::Message(Message {
            id: Cow::Borrowed(&id),
            route: event.route().unwrap_or_default().into(),
            from: session.name.as_ref().map(name),
            room: receivers
                .reach_a_room()
                .then(|| session.room.to_string().into()),
            to: session
                .friend
                .as_ref()
                .filter(|_| receivers.depend_on(Field::To))
                .map(name),
            text,
            at: rfc3339_of(moment).into(),
            attributes,
        });
        let post = serde_json::to_string(&message).expect("texts always serialise");
        let allowed = max_post_bytes(rule);
        if post.len() > allowed {
            return Err(Refused {
                error: FrameError::EnvelopeTooLarge {
                    bytes: post.len(),
                    allowed,
                },
                reference,
            });
        }
        Ok(Self {
            post: post.into(),
            marked: Some(Marked {
                id,
                reference,
                changed: false,
            }),
            is_stored: false,
        })
    }

    /// The same message with `post` for each receiver, which a review has changed.
    pub(crate) fn changed_to(mut self, post: String) -> Self {
        self.post = post.into();
        if let Some(marked) = &mut self.marked {
            marked.changed = true;
        }
        self
    }

    /// The message as an entry of history; `None` on a route without envelopes.
    #[must_use]
    pub fn line(&self) -> Option<Line> {
        let id = Ulid::from_string(&self.marked.as_ref()?.id);
        Some(Line {
            id: id.expect("an envelope's id is one"),
            frame: self.post.clone().into_owned(),
        })
    }

    /// Notes that the message can be read later, for the receipt. A friend who is away is no error then.
    pub const fn set_stored(&mut self) {
        self.is_stored = true;
    }

    /// The message as refused because of `error`.
    #[must_use]
    pub fn refused(&self, error: FrameError) -> Refused {
        let reference = self.marked.as_ref().and_then(|it| it.reference.clone());
        Refused { error, reference }
    }

    /// What the sender gets after `delivered` connections accepted the message; `None` for the count of a room that other
    /// functions serve.
    ///
    /// A sender that asked for a receipt gets one. Another one gets something only if it is to a friend, no device
    /// accepted the message, and it is not stored.
    #[must_use]
    pub fn answer(
        &self,
        delivered: Option<usize>,
        receivers: Receivers,
        route: Option<&str>,
    ) -> Option<Cow<'static, str>> {
        let is_friend = receivers.depend_on(Field::To);
        let is_missed = delivered == Some(0) && is_friend && !self.is_stored;
        match &self.marked {
            None => is_missed.then_some(Cow::Borrowed(FRIEND_NOT_REACHABLE)),
            Some(Marked {
                id,
                reference: Some(reference),
                changed,
            }) => {
                let sent = Envelope::Sent(Sent {
                    reference: reference.into(),
                    id: id.into(),
                    delivered,
                    stored: self.is_stored,
                    changed: *changed,
                });
                Some(
                    serde_json::to_string(&sent)
                        .expect("texts always serialise")
                        .into(),
                )
            }
            Some(Marked {
                reference: None, ..
            }) => is_missed.then(|| FrameError::FriendNotReachable.frame(route, None).into()),
        }
    }
}

/// The largest envelope of a route with `rule`.
pub(crate) const fn max_post_bytes(rule: &Rule) -> usize {
    match rule.history {
        // A page of history must hold it.
        Some(_) => MAX_KEPT_BYTES,
        None => MAX_MESSAGE_BYTES,
    }
}

/// The `ref` of `frame`, if its route has envelopes.
///
/// # Errors
/// It is not a text, or too long; or the frame has no members.
pub fn reference_of(frame: &str, rule: &Rule) -> Result<Option<String>, FrameError> {
    let bad = |reason| FrameError::BadMember {
        member: REFERENCE,
        reason,
    };
    match member(frame, rule, REFERENCE)? {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_REFERENCE_BYTES => Ok(Some(text)),
        Some(Value::String(_)) => Err(bad(
            format!("it has {MAX_REFERENCE_BYTES} bytes at most").into()
        )),
        Some(_) => Err(bad("it must be a text".into())),
    }
}

fn attributes_of(frame: &str, rule: &Rule) -> Result<BTreeMap<String, String>, FrameError> {
    let bad = |reason| FrameError::BadMember {
        member: ATTRIBUTES,
        reason,
    };
    let members = match member(frame, rule, ATTRIBUTES)? {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(bad("it must be an object of texts".into())),
    };
    if members.len() > MAX_ATTRIBUTES {
        return Err(bad(format!("it has {MAX_ATTRIBUTES} texts at most").into()));
    }
    let mut bytes = 0;
    let mut attributes = BTreeMap::new();
    for (name, value) in members {
        let Value::String(text) = value else {
            return Err(bad("each of its members must be a text".into()));
        };
        bytes += name.len() + text.len();
        attributes.insert(name, text);
    }
    if bytes > MAX_ATTRIBUTES_BYTES {
        let reason = format!("its names and texts have {MAX_ATTRIBUTES_BYTES} bytes at most");
        return Err(bad(reason.into()));
    }
    Ok(attributes)
}

/// A member of `frame`, if its route looks into frames and has envelopes.
fn member(frame: &str, rule: &Rule, name: &'static str) -> Result<Option<Value>, FrameError> {
    match rule.envelope && rule.text.is_some() {
        true => members::value(frame, name),
        false => Ok(None),
    }
}

#[cfg(test)]
mod tests;
