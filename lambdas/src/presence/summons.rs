//! The trait through which an announcer is invoked, and its event.

use serde::{Deserialize, Serialize};

use crate::dispatch::DispatchError;
use crate::session::Room;

/// Invokes the function that announces: an asynchronous `Invoke`.
pub trait Announcer {
    /// Asks for an announcement in `room`. It is queued then, and may be repeated or dropped. Returns its request id.
    ///
    /// # Errors
    /// [`DispatchError`]
    fn summon(&self, room: &Room) -> impl Future<Output = Result<String, DispatchError>> + Send;
}

/// The event of the function that announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Payload", into = "Payload")]
pub struct Summons {
    /// The room.
    pub room: Room,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    room: String,
}

impl Summons {
    /// The event as JSON.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts always become JSON")
    }
}

impl From<Summons> for Payload {
    fn from(summons: Summons) -> Self {
        Self {
            room: summons.room.to_string(),
        }
    }
}

impl TryFrom<Payload> for Summons {
    type Error = crate::session::InvalidName;

    fn try_from(payload: Payload) -> Result<Self, Self::Error> {
        Ok(Self {
            room: Room::parse(&payload.room)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summons_survives_its_payload_and_names_a_room() {
        let room = Room::parse("kitchen of Ann").unwrap();
        let summons = Summons { room };
        let read: Summons = serde_json::from_slice(&summons.to_payload()).unwrap();
        assert_eq!(read, summons);
        for invalid in ["{}", r#"{"room":""}"#, r#"{"room":"a#b"}"#] {
            assert!(
                serde_json::from_str::<Summons>(invalid).is_err(),
                "{invalid}"
            );
        }
    }
}
