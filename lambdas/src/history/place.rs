//! Which conversations a connection may read.

use chat_protocol::auth::TO;
use chat_protocol::{Index, Mode};
use serde_json::Value;

use super::Conversation;
use crate::event::SocketEvent;
use crate::session::{Name, Room, Session};

/// A conversation as its reader names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadableConversation {
    /// The members of a room.
    Room(Room),
    /// The reader, `own`, and another person.
    With {
        /// The reader.
        own: Name,
        /// The other person.
        other: Name,
    },
}

impl ReadableConversation {
    /// The conversation itself.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        match self {
            Self::Room(room) => Conversation::Room(room.clone()),
            Self::With { own, other } => Conversation::Two(own.clone(), other.clone()),
        }
    }
}

/// How a stack identifies who reads.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// Why names are believed.
    pub mode: Mode,
    /// What connections are found by.
    pub index: Index,
}

impl Reader {
    /// The place that a request means which names `room`, or the person `with`, or none of them: then it is the room of
    /// `session`, or in a stack without rooms its friend. `None` if it may not read there.
    ///
    /// A room must be the session's own, which its token or its authorizer has allowed. A conversation between two must be one
    /// of the session's own name.
    #[must_use]
    pub fn place(
        self,
        session: &Session,
        event: &SocketEvent,
        room: Option<Room>,
        with: Option<Name>,
    ) -> Option<ReadableConversation> {
        let with = match (room, with) {
            (Some(room), _) => {
                return (room == session.room).then_some(ReadableConversation::Room(room));
            }
            (None, Some(with)) => with,
            (None, None) if self.index.has_room() => {
                return Some(ReadableConversation::Room(session.room.clone()));
            }
            (None, None) => session.friend.clone()?,
        };
        let own = session.name.clone()?;
        let is_friend = session.friend.as_ref() == Some(&with);
        let is_allowed = is_friend || self.allows(event, &with);
        is_allowed.then_some(ReadableConversation::With { own, other: with })
    }

    /// Whether the connection may read what was said with `other`, who is not the friend it connected to.
    fn allows(self, event: &SocketEvent, other: &Name) -> bool {
        match self.mode {
            // Any client can connect to any friend.
            Mode::Claimed => true,
            // What it narrows a connection to is in the session, and nowhere else.
            Mode::Handler => false,
            Mode::Token | Mode::Jwt => event.proof().is_some_and(|proof| {
                // Claims that were too long for the context may have narrowed the friends.
                !proof.claims.is_empty() && includes(proof.claims.get(TO), other.as_str())
            }),
        }
    }
}

/// Whether the claim with the friends includes `name`. Without it, a token includes everybody.
fn includes(claim: Option<&Value>, name: &str) -> bool {
    match claim {
        None => true,
        Some(Value::String(only)) => only == name,
        Some(Value::Array(some)) => some.iter().any(|one| one == name),
        Some(_) => false,
    }
}
