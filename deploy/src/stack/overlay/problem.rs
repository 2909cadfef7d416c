//! What is wrong in an overlay, with its place.

use std::ops::Range;

use template_yaml::Entry;

/// What is wrong, and where in the overlay.
pub(super) type Problem = (Range<usize>, String);

/// Where the overlay says something of `pointer`: the deepest key on the way to it.
pub(super) fn place_of(entry: &Entry, pointer: &str) -> Range<usize> {
    let (mut place, mut node) = (entry.at.clone(), &entry.node);
    for key in pointer.split('/').skip(1) {
        let Some(next) = node.entry(key) else {
            break;
        };
        (place, node) = (next.at.clone(), &next.node);
    }
    place
}
