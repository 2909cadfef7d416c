//! The events that wait for a process, fair between their sources by size. Pure.
//!
//! Start-time fair queueing (<https://doi.org/10.1109/90.649569>): each entry gets a start tag, the later of the queue's
//! virtual time and the tag at which the previous entry of its source ends; the smallest tag is served next. So a source
//! that sends more than its share waits behind itself, and one that sends little hardly waits, however many others send
//! much. On AWS no event waits for another, because Lambda starts more processes.

use std::collections::{BTreeMap, HashMap};

/// The most sources without a waiting entry that are remembered.
const MAX_SOURCES: usize = 10_000;

/// Entries by their source.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    /// By start tag, and by arrival among equal ones.
    waiting: BTreeMap<(u64, u64), (u64, T)>,
    sources: HashMap<u64, Source>,
    /// The start tag of the entry that was served last. Once nothing waits, the last tag at which an entry ends.
    time: u64,
    last_end: u64,
    arrivals: u64,
}

#[derive(Debug, Default)]
struct Source {
    waiting: usize,
    /// The tag at which its last entry ends.
    end: u64,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            sources: HashMap::new(),
            time: 0,
            last_end: 0,
            arrivals: 0,
        }
    }
}

impl<T> FairQueue<T> {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Adds an entry that takes `size` of its source's share.
    pub(super) fn push(&mut self, source: u64, size: u64, entry: T) {
        let time = self.time;
        if self.sources.len() - self.waiting.len().min(self.sources.len()) >= MAX_SOURCES {
            self.sources.retain(|_, it| it.waiting > 0);
        }
        let state = self.sources.entry(source).or_default();
        let start = state.end.max(time);
        state.end = start.saturating_add(size.max(1));
        state.waiting += 1;
        self.last_end = self.last_end.max(state.end);
        self.arrivals += 1;
        self.waiting.insert((start, self.arrivals), (source, entry));
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.pop_of(|_| true)
    }

    /// The next entry that `admits` lets through; the others keep their turns.
    pub(super) fn pop_of(&mut self, admits: impl Fn(&T) -> bool) -> Option<T> {
        let mut entries = self.waiting.iter();
        let key = *entries.find(|(_, (_, entry))| admits(entry))?.0;
        let (source, entry) = self.waiting.remove(&key)?;
        // An entry that passes others does not take their turns.
        self.time = match self.waiting.first_key_value() {
            Some(((first, _), _)) => self.time.max(key.0.min(*first)),
            None => self.last_end,
        };
        self.leave(source);
        if self.waiting.is_empty() {
            self.sources.clear();
        }
        Some(entry)
    }

    /// Whether an entry waits that `admits` lets through.
    pub(super) fn has_of(&self, admits: impl Fn(&T) -> bool) -> bool {
        self.waiting.values().any(|(_, entry)| admits(entry))
    }

    /// Everything, in the order in which it would have been served.
    pub(super) fn drain(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.pop()).collect()
    }

    /// Drops the entries that `keep` refuses; returns their number.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) -> usize {
        let before = self.waiting.len();
        let mut dropped = Vec::new();
        self.waiting.retain(|_, (source, entry)| {
            let keeps = keep(entry);
            if !keeps {
                dropped.push(*source);
            }
            keeps
        });
        dropped.into_iter().for_each(|source| self.leave(source));
        before - self.waiting.len()
    }

    /// Counts one entry less, and forgets a source that has used no more than its share.
    fn leave(&mut self, source: u64) {
        if let Some(state) = self.sources.get_mut(&source) {
            state.waiting -= 1;
            if state.waiting == 0 && state.end <= self.time {
                self.sources.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(entries: &[(u64, &'static str)]) -> FairQueue<&'static str> {
        let mut queue = FairQueue::default();
        for (source, entry) in entries {
            queue.push(*source, 1, *entry);
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
        // A source that had nothing waiting goes before the next turn of both.
        queue.push(3, 1, "c1");
        assert_eq!(queue.len(), 4);
        assert_eq!(queue.drain(), ["c1", "a2", "b2", "a3"]);
        assert_eq!((queue.len(), queue.pop()), (0, None));
    }

    #[test]
    fn a_source_that_sends_little_passes_many_that_send_much_even_without_a_backlog() {
        let mut queue = FairQueue::default();
        for source in 1..=200 {
            queue.push(source, 100_000, source);
        }
        queue.push(0, 1_000, 0);
        for _ in 0..200 {
            queue.pop();
        }
        // Each of them has just had its turn, has nothing waiting, and comes again at once.
        for source in 1..=200 {
            queue.push(source, 100_000, source);
        }
        for _ in 0..50 {
            queue.push(0, 1_000, 0);
            assert_eq!((queue.pop(), queue.len()), (Some(0), 201));
        }
    }

    #[test]
    fn the_sources_that_are_remembered_are_bounded() {
        let mut queue = FairQueue::default();
        queue.push(0, 1_000_000, 0);
        for source in 1..3 * MAX_SOURCES as u64 {
            queue.push(source, 1, source);
            queue.pop();
            assert!(queue.sources.len() <= MAX_SOURCES + 1);
        }
        while queue.pop().is_some() {}
        assert_eq!(queue.sources.len(), 0);
    }

    #[test]
    fn an_admitted_entry_passes_the_others_and_leaves_them_their_turns() {
        let mut queue = queue(&[(1, "a1"), (1, "a2"), (2, "b"), (3, "c1"), (3, "c2")]);
        let of = |source: &'static str| move |entry: &&str| entry.starts_with(source);
        assert!(queue.has_of(of("c")) && !queue.has_of(of("d")));
        assert_eq!(queue.pop_of(of("c")), Some("c1"));
        assert_eq!(queue.pop_of(of("d")), None);
        assert_eq!(queue.drain(), ["a1", "b", "a2", "c2"]);
    }

    #[test]
    fn abandoned_entries_are_dropped() {
        let mut queue = queue(&[(1, "a"), (1, "b"), (2, "b"), (3, "c")]);
        assert_eq!(queue.retain(|entry| *entry != "b"), 2);
        assert_eq!(queue.len(), 2);
        queue.push(2, 1, "d");
        assert_eq!(queue.drain(), ["a", "c", "d"]);
    }
}
