//! The chat's own functions.

/// A handler of the chat's binary, and the function of the stack that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Handler {
    /// The authorizer of `$connect`.
    Authorize,
    /// `$connect`.
    Connect,
    /// `$disconnect`.
    Disconnect,
    /// Messages to a friend.
    Direct,
    /// Messages to a room.
    Broadcast,
    /// One shard of a large room.
    Deliver,
    /// Who is in a room.
    Who,
    /// Ends a person's connections.
    Kick,
    /// Says in a room who has come and who has left.
    Announce,
    /// The messages of a conversation that are kept.
    History,
    /// Deletes a message that is kept.
    Delete,
}

impl Handler {
    /// Every handler.
    pub const ALL: [Self; 11] = [
        Self::Authorize,
        Self::Connect,
        Self::Disconnect,
        Self::Direct,
        Self::Broadcast,
        Self::Deliver,
        Self::Who,
        Self::Kick,
        Self::Announce,
        Self::History,
        Self::Delete,
    ];

    /// Those that clients send frames to.
    pub const TAKE_FRAMES: [Self; 6] = [
        Self::Direct,
        Self::Broadcast,
        Self::Who,
        Self::Kick,
        Self::History,
        Self::Delete,
    ];

    /// The value of the function's Handler property.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Direct => "direct",
            Self::Broadcast => "broadcast",
            Self::Deliver => "deliver",
            Self::Who => "who",
            Self::Kick => "kick",
            Self::Announce => "announce",
            Self::History => "history",
            Self::Delete => "delete",
        }
    }

    /// The prefix of the logical ids of its resources: `Direct` for `DirectFunction` and `DirectRole`.
    #[must_use]
    pub const fn family(self) -> &'static str {
        match self {
            Self::Authorize => "Authorize",
            Self::Connect => "Connect",
            Self::Disconnect => "Disconnect",
            Self::Direct => "Direct",
            Self::Broadcast => "Broadcast",
            Self::Deliver => "Deliver",
            Self::Who => "Who",
            Self::Kick => "Kick",
            Self::Announce => "Announce",
            Self::History => "History",
            Self::Delete => "Delete",
        }
    }

    /// Whether it looks up a session in the table if no authorizer has added one to the event.
    #[must_use]
    pub const fn looks_up_sessions(self) -> bool {
        matches!(
            self,
            Self::Disconnect
                | Self::Direct
                | Self::Broadcast
                | Self::Who
                | Self::Kick
                | Self::History
                | Self::Delete
        )
    }

    /// Whether it writes or removes members of rooms, which is announced where a chat announces.
    #[must_use]
    pub const fn changes_rooms(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Disconnect | Self::Broadcast | Self::Deliver | Self::Kick
        )
    }

    /// The handler with this value of the Handler property.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|handler| handler.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_handler_is_found_only_by_its_name() {
        for handler in Handler::ALL {
            assert_eq!(Handler::from_name(handler.name()), Some(handler));
            assert_eq!(handler.family().to_lowercase(), handler.name());
        }
        assert_eq!(Handler::from_name("Direct"), None);
    }
}
