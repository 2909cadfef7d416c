//! The meaning of a route's `receivers` for all code about routes.

use serde::{Deserialize, Serialize};

use crate::handler::Handler;
use crate::handshake::Field;
use crate::limit::{MAX_FRAME_BYTES, MAX_MESSAGE_BYTES};
use crate::rule::Rule;

/// The receivers of a route's messages.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Receivers {
    /// The one user that the sender named when connecting.
    #[default]
    Friend,
    /// All members of the sender's room.
    Room,
}

/// The properties of one kind of receivers.
struct Kind {
    word: &'static str,
    meaning: &'static str,
    place: &'static str,
    handler: Handler,
    fields: &'static [Field],
    takes_include_sender: bool,
    max_text_bytes: usize,
}

impl Receivers {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Friend, Self::Room];

    const fn kind(self) -> Kind {
        match self {
            Self::Friend => Kind {
                word: "friend",
                meaning: "the one person whom the sender named",
                place: "between friends",
                handler: Handler::Direct,
                fields: &[Field::From, Field::To],
                takes_include_sender: false,
                max_text_bytes: MAX_MESSAGE_BYTES,
            },
            Self::Room => Kind {
                word: "room",
                meaning: "everybody in the sender's room",
                place: "in rooms",
                handler: Handler::Broadcast,
                fields: &[Field::From, Field::Room],
                takes_include_sender: true,
                // One frame: a message that every member can send, including from a browser.
                max_text_bytes: MAX_FRAME_BYTES,
            },
        }
    }

    /// The config's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.kind().word
    }

    /// Who receives the messages, for the descriptions of the config.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.kind().meaning
    }

    /// Where people have such messages, for the descriptions of the config: "in rooms".
    #[must_use]
    pub const fn place(self) -> &'static str {
        self.kind().place
    }

    /// The handler of its routes.
    #[must_use]
    pub const fn handler(self) -> Handler {
        self.kind().handler
    }

    /// The fields of a handshake that its messages depend on.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        self.kind().fields
    }

    /// Whether its messages depend on `field` of the sender's handshake.
    #[must_use]
    pub fn depend_on(self, field: Field) -> bool {
        self.fields().contains(&field)
    }

    /// Whether messages find their receivers by name, so that both names are required to connect.
    #[must_use]
    pub fn needs_names(self) -> bool {
        self.depend_on(Field::To)
    }

    /// Whether messages reach the members of a room.
    #[must_use]
    pub fn reach_a_room(self) -> bool {
        self.depend_on(Field::Room)
    }

    /// Whether a route may send the sender a copy.
    #[must_use]
    pub const fn takes_include_sender(self) -> bool {
        self.kind().takes_include_sender
    }

    /// The default limit for messages on a route, in bytes.
    #[must_use]
    pub const fn max_text_bytes(self) -> usize {
        self.kind().max_text_bytes
    }

    /// The default rule of a route.
    #[must_use]
    pub const fn rule(self) -> Rule {
        Rule {
            text: None,
            include_sender: false,
            max_text_bytes: self.max_text_bytes(),
            envelope: false,
            history: None,
        }
    }
}

/// Whether a client must send its name and its friend's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Both names, or the handshake is refused, because messages to friends could not be delivered.
    Required,
    /// Each may be missing, but must be valid if sent.
    Optional,
}

impl Names {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Required, Self::Optional];

    /// Its value in a function's environment.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
        }
    }

    /// The requirement of a chat with routes to all of `receivers`.
    #[must_use]
    pub fn for_receivers(receivers: impl IntoIterator<Item = Receivers>) -> Self {
        if receivers.into_iter().any(Receivers::needs_names) {
            Self::Required
        } else {
            Self::Optional
        }
    }
}

/// The key that connections are found by, which determines their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// By their user's name, for messages to a friend.
    Friend,
    /// By their room.
    Room,
    /// By both.
    FriendAndRoom,
    /// By nothing: the user's backend handles connections.
    Nothing,
}

impl Index {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Friend, Self::Room, Self::FriendAndRoom, Self::Nothing];

    /// Its value in a function's environment.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Friend => "friend",
            Self::Room => "room",
            Self::FriendAndRoom => "friend,room",
            Self::Nothing => "nothing",
        }
    }

    /// The index of a chat with routes to all of `receivers`. Without any, connections are recorded by room.
    #[must_use]
    pub fn for_receivers(receivers: impl IntoIterator<Item = Receivers>) -> Self {
        let (mut friend, mut room) = (false, false);
        for receivers in receivers {
            match receivers.needs_names() {
                true => friend = true,
                false => room = true,
            }
        }
        match (friend, room) {
            (true, true) => Self::FriendAndRoom,
            (true, false) => Self::Friend,
            (false, _) => Self::Room,
        }
    }

    /// Whether connections are found by their user's name.
    #[must_use]
    pub const fn has_friend(self) -> bool {
        matches!(self, Self::Friend | Self::FriendAndRoom)
    }

    /// Whether connections are found by their room.
    #[must_use]
    pub const fn has_room(self) -> bool {
        matches!(self, Self::Room | Self::FriendAndRoom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_s_word_is_parsed() {
        for receivers in Receivers::ALL {
            let word = serde_json::to_string(&receivers).unwrap();
            assert_eq!(word, format!("{:?}", receivers.word()));
        }
    }

    #[test]
    fn the_index_follows_from_the_routes() {
        use Receivers::{Friend, Room};
        let of = |receivers: &[Receivers]| {
            let receivers = || receivers.iter().copied();
            (
                Names::for_receivers(receivers()),
                Index::for_receivers(receivers()),
            )
        };
        assert_eq!(of(&[Friend]), (Names::Required, Index::Friend));
        assert_eq!(of(&[Room]), (Names::Optional, Index::Room));
        assert_eq!(of(&[Room, Friend]), (Names::Required, Index::FriendAndRoom));
        assert_eq!(of(&[]), (Names::Optional, Index::Room));
    }

    #[test]
    fn the_default_limit_is_a_message_between_friends_and_a_frame_in_a_room() {
        let longest = Receivers::ALL.map(|receivers| receivers.rule().max_text_bytes);
        assert_eq!(longest, [131_072, 32_768]);
    }
}
