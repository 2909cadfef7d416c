//! How a chat is used, and what of it a config refuses.

/// How a chat is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// The people who use it each day.
    pub people: u32,
    /// The messages that each of them sends in a day.
    pub messages_per_day: u32,
    /// The members of each room; `None` for the assumed number.
    pub room_size: Option<u32>,
    /// The hours that each of them is connected in a day.
    pub hours_per_day: u32,
    /// How often each of them comes in a day; each time, they stay for a part of these hours.
    pub visits_per_day: u32,
    /// The length of a message in bytes.
    pub message_bytes: u32,
}

impl Usage {
    /// The days of a month.
    pub(crate) const DAYS: f64 = 30.0;

    /// The members of a room, where the user names no number.
    pub const ROOM_SIZE: u32 = 10;

    /// The chat that a deployment names the costs of.
    pub const SAMPLE: Self = Self {
        people: 100,
        messages_per_day: 50,
        room_size: None,
        hours_per_day: 8,
        visits_per_day: 1,
        message_bytes: 200,
    };
}

/// Why nothing can be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// A size of rooms was named.
    #[error("this chat has no rooms: no route has `receivers = \"room\"`")]
    NoRooms,
    /// The config bounds rooms more tightly.
    #[error("rooms of {asked} are beyond `room-size = {most}` under `[limits]`")]
    #[expect(missing_docs, reason = "the message says what the fields are")]
    RoomTooLarge { asked: u32, most: u32 },
    /// A person has one connection.
    #[error("rooms of {asked} have more members than the {people} people who use the chat")]
    #[expect(missing_docs, reason = "the message says what the fields are")]
    RoomOfMorePeople { asked: u32, people: u32 },
    /// The route refuses such messages.
    #[error(
        "route `{route}` takes texts of up to {most} bytes (`max-text-bytes`), and these have {asked}"
    )]
    #[expect(missing_docs, reason = "the message says what the fields are")]
    TextTooLong {
        asked: u32,
        route: String,
        most: u32,
    },
}

impl CostError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoRooms => "leave `--room-size` out, or add a route with `receivers = \"room\"`",
            Self::RoomTooLarge { .. } => {
                "name fewer members with `--room-size`, or change the config"
            }
            Self::RoomOfMorePeople { .. } => {
                "name fewer members with `--room-size`, or more `--people`"
            }
            Self::TextTooLong { .. } => {
                "name fewer bytes with `--message-bytes`, or change the config"
            }
        }
    }
}
