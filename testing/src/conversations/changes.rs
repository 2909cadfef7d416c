//! The words of a script for who has come and who has left.

use super::expected::Expected;

/// `+Ann -Bob of 2`
pub(super) fn presence(changes: &str) -> Option<Expected> {
    let (changes, people) = changes.split_once(" of ")?;
    let (mut arrived, mut left) = (Vec::new(), Vec::new());
    for change in changes.split(' ') {
        match change.split_at_checked(1)? {
            ("+", name) => arrived.push(name.to_owned()),
            ("-", name) => left.push(name.to_owned()),
            _ => return None,
        }
    }
    Some(Expected::Presence(arrived, left, people.parse().ok()?))
}
