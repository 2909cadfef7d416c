//! A queue of events that wait for a process, fair between their sources. Pure.
//!
//! Each source has its own queue, and the queues are served in turn, one entry each. A source whose queue was empty
//! goes before those that have had their turn, as in FQ-CoDel (<https://www.rfc-editor.org/rfc/rfc8290>). So a source
//! that sends faster than it is served only delays itself, and one that sends now and then hardly waits. On AWS no
//! source waits, because Lambda starts more processes.

use std::collections::{HashMap, VecDeque};

/// Entries by their source.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    queues: HashMap<u64, VecDeque<T>>,
    /// Sources that have not had a turn since their queue was last empty.
    new: VecDeque<u64>,
    /// The other sources, in the order of their turns.
    old: VecDeque<u64>,
    length: usize,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self {
            queues: HashMap::new(),
            new: VecDeque::new(),
            old: VecDeque::new(),
            length: 0,
        }
    }
}

impl<T> FairQueue<T> {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, source: u64, entry: T) {
        self.length += 1;
        let queue = self.queues.entry(source).or_insert_with(|| {
            self.new.push_back(source);
            VecDeque::new()
        });
        queue.push_back(entry);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.pop_of(|_| true)
    }

    /// The next entry of a source that `admits` accepts; the others keep their turns.
    pub(super) fn pop_of(&mut self, admits: impl Fn(u64) -> bool) -> Option<T> {
        let source = [&mut self.new, &mut self.old]
            .into_iter()
            .find_map(|turns| {
                let at = turns.iter().position(|source| admits(*source))?;
                turns.remove(at)
            })?;
        let queue = self.queues.get_mut(&source)?;
        let entry = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&source);
        } else {
            self.old.push_back(source);
        }
        self.length -= usize::from(entry.is_some());
        entry
    }

    /// Whether a source that `admits` accepts has a waiting entry.
    pub(super) fn has_of(&self, admits: impl Fn(u64) -> bool) -> bool {
        self.queues.keys().any(|source| admits(*source))
    }

    /// Removes all entries, in the order in which they would have been served.
    pub(super) fn drain(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    /// Drops the entries that `keep` refuses; returns their number.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) -> usize {
        let before = self.length;
        self.queues.retain(|_, queue| {
            queue.retain(&mut keep);
            !queue.is_empty()
        });
        let queues = &self.queues;
        self.new.retain(|source| queues.contains_key(source));
        self.old.retain(|source| queues.contains_key(source));
        self.length = queues.values().map(VecDeque::len).sum();
        before - self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(entries: &[(u64, &'static str)]) -> FairQueue<&'static str> {
        let mut queue = FairQueue::default();
        for (source, entry) in entries {
            queue.push(*source, *entry);
        }
        queue
    }

    #[test]
    fn one_source_is_served_in_its_order() {
        assert_eq!(
            queue(&[(1, "a"), (1, "b"), (1, "c")]).drain(),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn a_flood_only_delays_its_own_source() {
        let mut queue = queue(&[(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (2, "b2")]);
        assert_eq!(queue.pop(), Some("a1"));
        assert_eq!(queue.pop(), Some("b1"));
        // A source whose queue was empty goes before the next turn of both.
        queue.push(3, "c1");
        assert_eq!(queue.len(), 4);
        assert_eq!(queue.drain(), ["c1", "a2", "b2", "a3"]);
        assert_eq!((queue.len(), queue.pop()), (0, None));
    }

    #[test]
    fn an_admitted_source_passes_the_others_and_leaves_them_their_turns() {
        let mut queue = queue(&[(1, "a1"), (1, "a2"), (2, "b"), (3, "c1"), (3, "c2")]);
        assert!(queue.has_of(|source| source == 3) && !queue.has_of(|source| source == 4));
        assert_eq!(queue.pop_of(|source| source == 3), Some("c1"));
        assert_eq!(queue.pop_of(|source| source == 4), None);
        assert_eq!(queue.drain(), ["a1", "b", "c2", "a2"]);
    }

    #[test]
    fn abandoned_entries_are_dropped() {
        let mut queue = queue(&[(1, "a"), (1, "b"), (2, "b"), (3, "c")]);
        assert_eq!(queue.retain(|entry| *entry != "b"), 2);
        assert_eq!(queue.len(), 2);
        queue.push(2, "d");
        assert_eq!(queue.drain(), ["a", "c", "d"]);
    }
}
