//! The limits of one connection, one name and one room (`[limits]` of the config).

use chat_protocol::{Index, Names};

/// How much a chat accepts; `None` stands for any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Messages of one connection in a second.
    pub messages_per_second: Option<u32>,
    /// Connections of one name at a time.
    pub connections_per_name: Option<u32>,
    /// Members of one room at a time.
    pub room_size: Option<u32>,
}

/// How new connections are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// Whether they must have the names of the user and the friend.
    pub names: Names,
    /// What they are found by.
    pub index: Index,
    /// How many are recorded.
    pub limits: Limits,
}

/// Any number of connections.
impl From<(Names, Index)> for Recording {
    fn from((names, index): (Names, Index)) -> Self {
        Self {
            names,
            index,
            limits: Limits::default(),
        }
    }
}
