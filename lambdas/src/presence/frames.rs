//! A difference as frames.

use chat_protocol::limit::MAX_FRAME_BYTES;
use chat_protocol::presence::Announcement;

use super::Difference;
use crate::session::{Name, Room};

/// The bytes of a frame that are not names: its members, a room and a time, rounded up.
const AROUND: usize = 512;

/// The bytes of a name with its quotes and the comma. Names are letters, digits and signs that JSON does not escape.
fn bytes(name: &Name) -> usize {
    name.as_str().len() + 3
}

/// `difference` as frames of less than 32 KB, in which API Gateway meters messages: none if it is empty, else as many as
/// the names take, nearly always one.
#[must_use]
pub fn frames(room: &Room, difference: &Difference, at: &str) -> Vec<String> {
    let left = difference.left.iter().map(|name| (name, false));
    let arrived = difference.arrived.iter().map(|name| (name, true));
    let mut pages: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    let mut room_left = 0;
    for (name, has_arrived) in left.chain(arrived) {
        if bytes(name) > room_left {
            pages.push(Default::default());
            room_left = MAX_FRAME_BYTES - AROUND;
        }
        room_left -= bytes(name);
        let page = pages
            .last_mut()
            .expect("a page was begun for the first name");
        let list = if has_arrived {
            &mut page.0
        } else {
            &mut page.1
        };
        list.push(name.to_string());
    }
    let frame = |(arrived, left)| {
        let frame = Announcement::Presence {
            room: room.to_string(),
            arrived,
            left,
            people: difference.present.len(),
            at: at.to_owned(),
        };
        serde_json::to_string(&frame).expect("texts and numbers always serialise")
    };
    pages.into_iter().map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::Names;
    use chat_protocol::name::MAX_CHARACTERS;

    const AT: &str = "2026-01-01T00:00:00.000Z";

    /// So many names of so many characters, beginning with `first`.
    fn many(count: usize, characters: usize, first: char) -> Names {
        let name = |number| format!("{first}{number:0>width$}", width = characters - 1);
        let names = (0..count).map(name);
        names.map(|name| Name::parse(&name).unwrap()).collect()
    }

    fn check(arrived: Names, left: Names, expected: usize) {
        let room = Room::parse(&"r".repeat(MAX_CHARACTERS)).unwrap();
        let difference = Difference {
            present: arrived.clone(),
            arrived,
            left,
        };
        let frames = frames(&room, &difference, AT);
        assert_eq!(frames.len(), expected);
        let (mut came, mut went) = (Names::new(), Names::new());
        for frame in &frames {
            assert!(frame.len() <= MAX_FRAME_BYTES, "{} bytes", frame.len());
            let Announcement::Presence {
                arrived,
                left,
                people,
                ..
            } = serde_json::from_str(frame).unwrap();
            assert_eq!(people, difference.present.len());
            came.extend(arrived.iter().map(|name| Name::parse(name).unwrap()));
            went.extend(left.iter().map(|name| Name::parse(name).unwrap()));
        }
        assert_eq!((came, went), (difference.arrived, difference.left));
    }

    #[test]
    fn names_of_usual_length_fit_one_frame_for_a_thousand_and_the_longest_take_three() {
        check(Names::new(), Names::new(), 0);
        check(many(1, 3, 'a'), Names::new(), 1);
        check(many(1_000, 29, 'a'), Names::new(), 1);
        check(many(1_000, MAX_CHARACTERS, 'a'), Names::new(), 3);
        check(
            many(1_000, MAX_CHARACTERS, 'a'),
            many(1_000, MAX_CHARACTERS, 'b'),
            5,
        );
    }
}
