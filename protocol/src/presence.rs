//! Frames that say who has come into a room and who has left it (`announce = true`).

use serde::{Deserialize, Serialize};

/// A frame about the people in a room. Clients apply it to a set of names: a name that is already there, or already gone,
/// is no error, because a frame may repeat what an earlier one said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Announcement {
    /// To every connection in the room.
    Presence {
        /// The room.
        room: String,
        /// The names that were not in the room before, sorted.
        arrived: Vec<String>,
        /// The names that are no longer in the room, sorted. No name is in both lists.
        left: Vec<String>,
        /// How many names are in the room after this frame and those that belong to it.
        people: usize,
        /// When the room was looked at: RFC 3339 in UTC. Frames of one look have the same time.
        at: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_on_the_wire_never_change() {
        let presence = Announcement::Presence {
            room: "kitchen".into(),
            arrived: vec!["Ann".into(), "Bob".into()],
            left: vec!["Cid".into()],
            people: 7,
            at: "2026-01-01T00:00:00.000Z".into(),
        };
        let json = r#"{"type":"presence","room":"kitchen","arrived":["Ann","Bob"],"left":["Cid"],"people":7,"at":"2026-01-01T00:00:00.000Z"}"#;
        assert_eq!(serde_json::to_string(&presence).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<Announcement>(json).unwrap(),
            presence
        );
    }

    #[test]
    fn other_frames_are_no_announcements() {
        for frame in [
            "hi",
            r#"{"type":"message","room":"kitchen"}"#,
            r#"{"error":"Kicked","message":"…","route":null}"#,
        ] {
            assert!(
                serde_json::from_str::<Announcement>(frame).is_err(),
                "{frame}"
            );
        }
    }
}
