//! What there is to announce. Pure.

use super::Names;

/// The difference between the names that were announced and those that are in the room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Names that are in the room and were not announced.
    pub arrived: Names,
    /// Names that were announced and are missing.
    pub left: Names,
    /// The names that are announced afterwards.
    pub present: Names,
}

impl Difference {
    /// Compares what was `announced` with two looks into the room, the `last` some time after the `first`.
    ///
    /// A name has only left if both looks miss it, and it has arrived if the last one finds it. A name that only the last
    /// look misses may be reconnecting: it stays announced, and its change has opened a turn of its own.
    #[must_use]
    pub fn between(announced: &Names, first: &Names, last: &Names) -> Self {
        let is_missing = |name: &&_| !first.contains(*name) && !last.contains(*name);
        let left: Names = announced.iter().filter(is_missing).cloned().collect();
        let arrived: Names = last.difference(announced).cloned().collect();
        let present = announced.difference(&left).cloned();
        Self {
            present: present.chain(arrived.iter().cloned()).collect(),
            arrived,
            left,
        }
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Name;
    use proptest::prelude::*;

    fn names(letters: &str) -> Names {
        let names = letters.chars().map(|letter| letter.to_string());
        names.map(|name| Name::parse(&name).unwrap()).collect()
    }

    fn check(announced: &str, first: &str, last: &str, expected: (&str, &str, &str)) {
        let difference = Difference::between(&names(announced), &names(first), &names(last));
        let (arrived, left, present) = expected;
        let expected = Difference {
            arrived: names(arrived),
            left: names(left),
            present: names(present),
        };
        assert_eq!(difference, expected, "{announced} {first} {last}");
    }

    #[test]
    fn names_arrive_at_once_and_leave_when_both_looks_miss_them() {
        check("", "ab", "ab", ("ab", "", "ab"));
        check("ab", "b", "b", ("", "a", "b"));
        check("ab", "bc", "bc", ("c", "a", "bc"));
        check("ab", "ab", "ab", ("", "", "ab"));
    }

    #[test]
    fn a_reconnect_is_neither_whichever_look_misses_it() {
        check("ab", "b", "ab", ("", "", "ab"));
        check("ab", "ab", "b", ("", "", "ab"));
    }

    #[test]
    fn who_comes_and_goes_between_the_looks_was_never_there() {
        check("a", "ab", "a", ("", "", "a"));
        check("a", "a", "ab", ("b", "", "ab"));
    }

    proptest! {
        /// Whatever the looks find: a client that applies every difference has the names that are announced, and when the
        /// room is quiet those are the names in it.
        #[test]
        fn a_client_that_applies_all_differences_sees_the_room(
            looks in proptest::collection::vec(("[a-h]{0,8}", "[a-h]{0,8}"), 1..12),
            quiet in "[a-h]{0,8}",
        ) {
            let (mut announced, mut seen) = (Names::new(), Names::new());
            let quiet = (quiet.clone(), quiet);
            for (first, last) in looks.iter().chain([&quiet]) {
                let difference = Difference::between(&announced, &names(first), &names(last));
                prop_assert!(difference.arrived.is_disjoint(&difference.left));
                prop_assert!(difference.arrived.is_disjoint(&seen));
                prop_assert!(difference.left.is_subset(&seen));
                seen.retain(|name| !difference.left.contains(name));
                seen.extend(difference.arrived);
                announced = difference.present;
                prop_assert_eq!(&seen, &announced);
            }
            prop_assert_eq!(seen, names(&quiet.0));
        }
    }
}
