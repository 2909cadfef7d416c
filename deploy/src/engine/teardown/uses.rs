//! Which stacks have been deployed with which published object, and what of that goes with a stack. Stacks share objects, and
//! CloudFormation only records each stack's current ones.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::config::names::StackName;
use crate::stack::code::is_digest;

/// How long a use by a missing stack counts: its first deployment may have just begun.
const BEGINNING: Duration = Duration::from_secs(60 * 60);

/// The recorded uses: for each object its stacks, each with the time of its last deployment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Uses(BTreeMap<String, BTreeMap<String, SystemTime>>);

/// The objects that a deleted stack leaves behind.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Leftovers {
    /// Objects that no other stack uses.
    pub unused: BTreeSet<String>,
    /// The names of other stacks that use some of the remaining objects.
    pub users: BTreeSet<String>,
    /// Every object that the stack has used.
    pub used: BTreeSet<String>,
}

impl Uses {
    /// Records that `stack` was deployed with `object` at this time.
    pub fn note(&mut self, object: &str, stack: &str, at: SystemTime) {
        let stacks = self.0.entry(object.to_owned()).or_default();
        stacks.insert(stack.to_owned(), at);
    }

    /// The objects that `stack` leaves behind at `now`, if it last ran `current` and `others` are all other stacks,
    /// each with its current objects.
    ///
    /// Objects that another stack was deployed with earlier are kept, because an update of that stack may be rolled
    /// back to them. So are objects whose names are not digests: a stack can be changed by hand to run anything.
    pub fn leftovers(
        &self,
        stack: &StackName,
        current: BTreeSet<String>,
        others: &BTreeMap<String, BTreeSet<String>>,
        now: SystemTime,
    ) -> Leftovers {
        let mut leftovers = Leftovers {
            used: current.into_iter().filter(|it| is_digest(it)).collect(),
            ..Leftovers::default()
        };
        let noted = self
            .0
            .iter()
            .filter(|(_, stacks)| stacks.contains_key(stack.as_ref()));
        leftovers
            .used
            .extend(noted.map(|(digest, _)| digest.clone()));
        for digest in &leftovers.used {
            let running = others.iter().filter(|(_, runs)| runs.contains(digest));
            let mut users: BTreeSet<String> = running.map(|(name, _)| name.clone()).collect();
            let noted = self
                .0
                .get(digest)
                .into_iter()
                .flatten()
                .filter(|(name, _)| *name != stack.as_ref());
            users.extend(
                noted
                    .filter(|(name, at)| {
                        let is_young = now.duration_since(**at).is_ok_and(|age| age < BEGINNING);
                        others.contains_key(*name) || is_young
                    })
                    .map(|(name, _)| name.clone()),
            );
            if users.is_empty() {
                leftovers.unused.insert(digest.clone());
            }
            leftovers.users.extend(users);
        }
        leftovers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// The time of all judgements in these tests.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + 1000 * DAY
    }

    /// Uses that were recorded yesterday, each `DIGEST STACK` with one letter for the digest.
    fn noted(uses: &[&str]) -> Uses {
        let mut noted = Uses::default();
        for line in uses {
            let (digest, stack) = line.split_once(' ').unwrap();
            noted.note(&digest.repeat(64), stack, now() - DAY);
        }
        noted
    }

    fn set(words: &str) -> BTreeSet<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    /// Digests, one letter each.
    fn digests(letters: &str) -> BTreeSet<String> {
        letters.split_whitespace().map(|it| it.repeat(64)).collect()
    }

    /// What `chat` leaves behind if the stack `other` runs `theirs`.
    fn left(uses: &Uses, current: &str, theirs: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let others = BTreeMap::from([("other".to_owned(), digests(theirs))]);
        let chat = "chat".parse().unwrap();
        let leftovers = uses.leftovers(&chat, digests(current), &others, now());
        (leftovers.unused, leftovers.users)
    }

    #[test]
    fn objects_of_earlier_deployments_of_the_stack_are_removed_with_it() {
        let uses = noted(&["a chat", "b chat", "c other"]);
        assert_eq!(left(&uses, "b", "c"), (digests("a b"), set("")));
    }

    #[test]
    fn a_stack_s_current_object_is_removed_even_if_its_use_was_not_recorded() {
        assert_eq!(left(&Uses::default(), "a", "b"), (digests("a"), set("")));
    }

    #[test]
    fn objects_that_another_stack_runs_or_may_be_rolled_back_to_are_kept() {
        let uses = noted(&["a chat", "b chat", "c chat", "b other"]);
        assert_eq!(left(&uses, "c", "a"), (digests("c"), set("other")));
    }

    #[test]
    fn a_deleted_stack_keeps_nothing_but_one_that_is_being_created_does() {
        let mut uses = noted(&["a chat", "a gone", "b chat"]);
        uses.note(&"b".repeat(64), "coming", now() - Duration::from_secs(60));
        assert_eq!(left(&uses, "", ""), (digests("a"), set("coming")));
    }

    #[test]
    fn templates_go_with_their_stack_unless_another_one_was_deployed_with_them() {
        let mut uses = noted(&["a chat"]);
        let template = |letter: &str| format!("{}.json", letter.repeat(64));
        for (letter, stack) in [("a", "chat"), ("b", "chat"), ("b", "other")] {
            uses.note(&template(letter), stack, now() - DAY);
        }
        let (unused, users) = left(&uses, "", "");
        assert_eq!(unused, BTreeSet::from(["a".repeat(64), template("a")]));
        assert_eq!(users, set("other"));
    }

    #[test]
    fn an_object_without_a_handler_s_name_is_kept_even_if_the_stack_runs_it() {
        let current = set("backup.zip ../x uses");
        let chat = "chat".parse().unwrap();
        let leftovers = Uses::default().leftovers(&chat, current, &BTreeMap::new(), now());
        assert_eq!(leftovers, Leftovers::default());
    }
}
