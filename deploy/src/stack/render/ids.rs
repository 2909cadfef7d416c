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
