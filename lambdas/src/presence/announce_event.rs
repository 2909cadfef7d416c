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
pub struct AnnounceEvent {
    /// The room.
    pub room: Room,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    room: String,
}

impl AnnounceEvent {
    /// The event as JSON.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts always become JSON")
    }
}

impl From<AnnounceEvent> for Payload {
    fn from(announce_event: AnnounceEvent) -> Self {
        Self {
            room: announce_event.room.to_string(),
        }
    }
}

impl TryFrom<Payload> for AnnounceEvent {
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
        let announce_event = AnnounceEvent { room };
        let read: AnnounceEvent = serde_json::from_slice(&announce_event.to_payload()).unwrap();
        assert_eq!(read, announce_event);
        for invalid in ["{}", r#"{"room":""}"#, r#"{"room":"a#b"}"#] {
            assert!(
                serde_json::from_str::<AnnounceEvent>(invalid).is_err(),
                "{invalid}"
            );
        }
    }
}
