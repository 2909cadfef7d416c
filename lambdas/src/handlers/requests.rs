//! What requests have in common: frames that a route answers instead of passing them on.

use std::borrow::Cow;

use chat_protocol::answers::{self, NAME};
use serde_json::Value;

use super::sender::sender_session;
use super::{HandlerError, Invocation};
use crate::envelope::{Refused, reference_of};
use crate::event::SocketEvent;
use crate::members;
use crate::protocol::FrameError;
use crate::routes::Rule;
use crate::session::{ConnectionId, Name, Names, Session};
use crate::store::ConnectionStore;

/// The rule of every route that answers requests: frames are looked into, and may have a `ref`.
#[must_use]
pub fn rule_of_requests() -> Rule {
    Rule {
        text: Some(NAME.to_owned()),
        envelope: true,
        ..Rule::default()
    }
}

/// A request, and who makes it.
pub(super) struct Request<'a> {
    pub(super) frame: &'a str,
    pub(super) sender: Session,
    pub(super) reference: Option<String>,
}

impl<'a> Request<'a> {
    /// The request in `event`; `None` of an unknown connection.
    pub(super) async fn read(
        event: &'a SocketEvent,
        store: &impl ConnectionStore,
        invocation: &Invocation,
    ) -> Result<Option<(ConnectionId, Result<Self, Refused>)>, HandlerError> {
        let (connection, frame) = event.message()?;
        let now = invocation.now;
        let session = sender_session(event, &connection, Names::Optional, store, now).await?;
        let Some(sender) = session else {
            return Ok(None);
        };
        let request = reference_of(frame, &rule_of_requests());
        let request = request.map(|reference| Self {
            frame,
            sender,
            reference,
        });
        let request = request.map_err(|error| Refused {
            error,
            reference: None,
        });
        Ok(Some((connection, request)))
    }

    /// The value of `member`; `None` if it is absent or `null`.
    pub(super) fn member(&self, member: &'static str) -> Result<Option<Value>, Refused> {
        members::value(self.frame, member).map_err(|error| self.refused(error))
    }

    /// The name in `member`; `None` if it is absent.
    pub(super) fn name(&self, member: &'static str) -> Result<Option<Name>, Refused> {
        let bad = || {
            self.refused(FrameError::BadMember {
                member,
                reason: "it must be a name".into(),
            })
        };
        match self.member(member)? {
            None => Ok(None),
            Some(Value::String(name)) => Name::parse(&name).map(Some).map_err(|_| bad()),
            Some(_) => Err(bad()),
        }
    }

    pub(super) fn refused(&self, error: FrameError) -> Refused {
        Refused {
            error,
            reference: self.reference.clone(),
        }
    }
}

/// `answer` as a frame.
pub(super) fn frame(answer: &answers::AnswerFrame) -> Cow<'static, str> {
    serde_json::to_string(answer)
        .expect("texts and numbers always serialise")
        .into()
}
