//! Merges an overlay into a template: documents, never text.

use serde_json::{Map, Value, json};
use template_yaml::Node;

use super::Template;
use super::order::order_stage;

/// The sections that an overlay can have.
const SECTIONS: [&str; 4] = ["Mappings", "Conditions", "Resources", "Outputs"];

/// `template` with the overlay `root`. Whether the result makes sense is checked elsewhere.
pub(super) fn merged(template: Template, root: &Node) -> Template {
    let mut document = template.into_document();
    for section in SECTIONS {
        let own = root.entries(section);
        if own.is_empty() {
            continue;
        }
        if !document[section].is_object() {
            document[section] = Value::Object(Map::new());
        }
        let Some(there) = document[section].as_object_mut() else {
            continue;
        };
        for entry in own {
            let patch = entry.node.to_json();
            match there.get_mut(&entry.key) {
                Some(value) => merge_resource(value, patch),
                None => drop(there.insert(entry.key.clone(), patch)),
            }
        }
    }
    if let Some(resources) = document["Resources"].as_object_mut() {
        order_stage(resources);
    }
    Template::new(document)
}

/// `DependsOn` only adds to what chatctl's resource waits for.
fn merge_resource(value: &mut Value, mut patch: Value) {
    let waits = patch
        .as_object_mut()
        .and_then(|patch| patch.shift_remove("DependsOn"));
    merge(value, patch);
    if let Some(waits) = waits {
        let mut all = each(value["DependsOn"].take());
        for id in each(waits) {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        value["DependsOn"] = json!(all);
    }
}

fn each(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// Merges `patch` into `value`: recursively for mappings; lists and values are replaced, and null removes. A function
/// is a value, although it is written as a mapping.
fn merge(value: &mut Value, patch: Value) {
    match (value, patch) {
        (Value::Object(there), Value::Object(patch))
            if !is_function(there) && !is_function(&patch) =>
        {
            for (key, patch) in patch {
                match (there.get_mut(&key), patch) {
                    (_, Value::Null) => drop(there.shift_remove(&key)),
                    (Some(value), patch) => merge(value, patch),
                    (None, patch) => drop(there.insert(key, patch)),
                }
            }
        }
        (value, patch) => *value = patch,
    }
}

/// Whether it is a reference or a call of a function, such as `{"Ref": "Api"}`.
fn is_function(mapping: &Map<String, Value>) -> bool {
    let mut keys = mapping.keys();
    match (keys.next(), keys.next()) {
        (Some(key), None) => key == "Ref" || key.starts_with("Fn::"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(mut value: Value, patch: Value) -> Value {
        merge(&mut value, patch);
        value
    }

    #[test]
    fn mappings_merge_lists_and_functions_are_replaced_and_null_removes() {
        let value = json!({"a": {"b": 1, "c": [1, 2]}, "d": {"Ref": "X"}, "e": 1});
        let patch = json!({"a": {"c": [3], "f": 2}, "d": {"Fn::Sub": "y"}, "e": null});
        let expected = json!({"a": {"b": 1, "c": [3], "f": 2}, "d": {"Fn::Sub": "y"}});
        assert_eq!(after(value, patch), expected);
        assert_eq!(
            after(json!({"a": {"Ref": "X"}}), json!({"a": {"b": 1}})),
            json!({"a": {"b": 1}})
        );
    }

    #[test]
    fn what_a_resource_waits_for_is_only_added_to() {
        let mut value = json!({"Type": "T", "DependsOn": ["A"]});
        merge_resource(&mut value, json!({"DependsOn": ["B", "A"]}));
        assert_eq!(value["DependsOn"], json!(["A", "B"]));
        let mut value = json!({"Type": "T"});
        merge_resource(&mut value, json!({"DependsOn": "B"}));
        assert_eq!(value["DependsOn"], json!(["B"]));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec(("[a-d]|Ref|Fn::Sub", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn merging_what_is_there_or_nothing_changes_nothing(value in values()) {
            prop_assert_eq!(after(value.clone(), value.clone()), value.clone());
            if value.as_object().is_some_and(|it| !is_function(it)) {
                prop_assert_eq!(after(value.clone(), json!({})), value);
            }
        }

        #[test]
        fn merging_twice_is_merging_once(value in values(), patch in values()) {
            let once = after(value, patch.clone());
            prop_assert_eq!(after(once.clone(), patch), once);
        }
    }
}
