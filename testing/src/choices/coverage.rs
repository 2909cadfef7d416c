//! Every key of the config is in a choice, or in a list with the reason why it is not.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::CHOICES;

/// Keys that are in no choice.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("stack", "each example has its own, and tests name theirs"),
    (
        "from",
        "no template has it: the first of two people in printed commands",
    ),
    ("to", "no template has it: the second of them"),
    (
        "routes.receivers",
        "it is what an example is about: each has its own",
    ),
    (
        "handlers.path",
        "no template has it: the crate that is built",
    ),
    (
        "handlers.profile",
        "no template has it: how that is built, which the tests decide",
    ),
    (
        "handlers.dev-profile",
        "no template has it: how `dev` builds",
    ),
    (
        "aws.region",
        "no template has it: where it is deployed, which the tests decide",
    ),
    ("aws.profile", "no template has it: who deploys it"),
    (
        "aws.architecture",
        "no template has it: what is built, and a parameter's value",
    ),
    (
        "local.port",
        "no template has it: stacks of tests need ports of their own",
    ),
];

/// The keys of the schema that have a value, not keys of their own: `routes.key`, `stage.throttle.rate`.
fn leaves() -> BTreeSet<String> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../templates/chatctl.schema.json"
    );
    let text = std::fs::read_to_string(file).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut keys = BTreeSet::new();
    keys_of(&schema, &schema, "", &mut keys);
    let keys: Vec<_> = keys.into_iter().collect();
    let has_keys = |key: &String| {
        let inside = format!("{key}.");
        keys.iter().any(|other| other.starts_with(&inside))
    };
    keys.iter().filter(|key| !has_keys(key)).cloned().collect()
}

/// Adds the keys that `part` of `schema` describes, below `path`.
fn keys_of(
    schema: &serde_json::Value,
    part: &serde_json::Value,
    path: &str,
    keys: &mut BTreeSet<String>,
) {
    if let Some(reference) = part["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        keys_of(schema, schema.pointer(pointer).unwrap(), path, keys);
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        for one in part[word].as_array().into_iter().flatten() {
            keys_of(schema, one, path, keys);
        }
    }
    if part["items"].is_object() {
        keys_of(schema, &part["items"], path, keys);
    }
    for (key, value) in part["properties"].as_object().into_iter().flatten() {
        let key = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        keys_of(schema, value, &key, keys);
        keys.insert(key);
    }
}

/// Adds the keys that `value` has, below `path`.
fn used_by(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
    keys.insert(path.to_owned());
    match value {
        Value::Table(table) => used_in(table, &format!("{path}."), keys),
        Value::Array(values) => values.iter().for_each(|value| used_by(value, path, keys)),
        _ => {}
    }
}

fn used_in(table: &Table, prefix: &str, keys: &mut BTreeSet<String>) {
    for (key, value) in table {
        used_by(value, &format!("{prefix}{key}"), keys);
    }
}

#[test]
fn every_key_of_a_config_is_in_a_choice_or_in_none_for_a_reason() {
    let mut used = BTreeSet::new();
    for choice in CHOICES {
        used_in(&choice.config.parse().unwrap(), "", &mut used);
        used_in(&choice.route.parse().unwrap(), "routes.", &mut used);
    }
    let exceptions: BTreeMap<_, _> = EXCEPTIONS.iter().copied().collect();
    let leaves = leaves();
    assert!(leaves.contains("stage.throttle.rate") && leaves.contains("routes.key"));
    let missing = leaves
        .iter()
        .filter(|key| !used.contains(*key) && !exceptions.contains_key(key.as_str()));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new());
    for (key, reason) in exceptions {
        assert!(leaves.contains(key), "no key is called {key}");
        assert!(
            !used.contains(key),
            "{key} is in a choice, although {reason}"
        );
    }
}
