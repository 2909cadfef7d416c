//! Logical ids of the resources of one route: unique for each route, and stable.

use sha2::{Digest, Sha256};

use crate::config::names::RouteKey;

/// The logical id of the `kind` that belongs to the route with `key`: `RouteSend`, `HandlerSend`; `DefaultRoute` for
/// `$default`.
pub(super) fn for_route(kind: &str, key: &RouteKey) -> String {
    let key = key.as_ref();
    if key == "$default" {
        return format!("Default{kind}");
    }
    let words = key.split(['-', '_']).filter(|word| !word.is_empty());
    let mut name: String = words
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect();
    let is_plain = key.starts_with(|c: char| c.is_ascii_lowercase()) && !key.contains(['-', '_']);
    if !is_plain {
        // `send-all`, `send_all` and `SendAll` would all be `SendAll`.
        name.push_str(&hex::encode(&Sha256::digest(key)[..4]));
    }
    format!("{kind}{name}")
}

/// The prefix of the logical ids of the review function whose crate is in the folder `name`: `ReviewFilter` for `filter`.
pub(super) fn for_review(name: &str) -> String {
    let is_letter = |c: &char| c.is_ascii_alphanumeric();
    let last = name
        .rsplit('/')
        .find(|part| part.contains(|c: char| is_letter(&c)));
    let mut word: String = last
        .unwrap_or_default()
        .chars()
        .filter(is_letter)
        .take(40)
        .collect();
    let is_plain = word == name && name.starts_with(|c: char| c.is_ascii_lowercase());
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if !is_plain {
        // `word-filter`, `wordFilter` and `../wordFilter` are several folders.
        word.push_str(&hex::encode(&Sha256::digest(name)[..4]));
    }
    format!("Review{word}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_route_is_not_the_route_default() {
        assert_eq!(
            for_route("Route", &"$default".parse().unwrap()),
            "DefaultRoute"
        );
        assert_eq!(
            for_route("Route", &"default".parse().unwrap()),
            "RouteDefault"
        );
    }

    #[test]
    fn a_review_function_is_named_after_its_folder_and_different_folders_differ() {
        assert_eq!(for_review("filter"), "ReviewFilter");
        let folders = [
            "filter",
            "Filter",
            "fil-ter",
            "../filter",
            "a/filter",
            ".",
            "..",
            "/",
            "\u{e9}",
        ];
        let mut ids: Vec<_> = folders.map(for_review).into();
        assert!(
            ids.iter()
                .all(|id| id.chars().all(|c| c.is_ascii_alphanumeric()))
        );
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), folders.len());
        assert!(for_review(&"x".repeat(255)).len() < 60);
    }

    proptest! {
        #[test]
        fn different_route_keys_get_different_logical_ids(a in "[A-Za-z0-9_-]{1,12}", b in "[A-Za-z0-9_-]{1,12}") {
            prop_assume!(a != b);
            let [a, b] = [a, b].map(|key| for_route("Route", &key.parse().unwrap()));
            prop_assert!(a.chars().all(|c| c.is_ascii_alphanumeric()));
            prop_assert_ne!(a, b);
        }
    }
}
