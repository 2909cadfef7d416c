//! What a table is, as far as it has an effect on this machine, and the calls that make one definition of another.
//! Pure.
//!
//! Capacity, table class, tags and encryption have no effect here, so an update of them needs no call.

use std::collections::{BTreeMap, BTreeSet};

use dynoxide::storage::TableMetadata;
use serde_json::{Value, json};

use crate::stack::Table;

/// When a table becomes what a template says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A start, without an earlier template: what the template does not have may be the operator's, and stays.
    Start,
    /// An update with the keys, local indexes and attribute types of the earlier template.
    Update,
    /// An update with others, or with a table that is new or was left changed.
    Renewal,
}

/// A table's keys, indexes and settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Definition {
    keys: Value,
    /// The types of attributes, by name.
    types: BTreeMap<String, String>,
    local_indexes: BTreeMap<String, Index>,
    global_indexes: BTreeMap<String, Index>,
    /// The view type of the table's stream.
    stream: Option<String>,
    pub(super) is_protected: bool,
    ttl_attribute: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Index {
    keys: Value,
    projection: String,
    /// `NonKeyAttributes`, whose order means nothing.
    attributes: BTreeSet<String>,
}

/// A call to the database, with its body.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    UpdateTable(Value),
    UpdateTimeToLive(Value),
}

impl Definition {
    /// The definition in the template.
    pub(super) fn new(table: &Table) -> Self {
        let create = &table.create;
        let stream = &create["StreamSpecification"];
        let stream = stream["StreamViewType"]
            .as_str()
            .filter(|_| stream["StreamEnabled"] == true);
        Self {
            keys: create["KeySchema"].clone(),
            types: types(&create["AttributeDefinitions"]),
            local_indexes: indexes(&create["LocalSecondaryIndexes"]),
            global_indexes: indexes(&create["GlobalSecondaryIndexes"]),
            stream: stream.map(str::to_owned),
            is_protected: create["DeletionProtectionEnabled"] == true,
            ttl_attribute: table.ttl_attribute.clone(),
        }
    }

    /// The definition that the database has on record.
    pub(super) fn recorded(table: &TableMetadata) -> Self {
        let list = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let of_indexes = |text: &Option<String>| indexes(&list(text.as_deref().unwrap_or("[]")));
        let stream = table.stream_view_type.clone();
        let ttl_attribute = table.ttl_attribute.clone();
        Self {
            keys: list(&table.key_schema),
            types: types(&list(&table.attribute_definitions)),
            local_indexes: of_indexes(&table.lsi_definitions),
            global_indexes: of_indexes(&table.gsi_definitions),
            stream: stream.filter(|_| table.stream_enabled),
            is_protected: table.deletion_protection_enabled,
            ttl_attribute: ttl_attribute.filter(|_| table.ttl_enabled),
        }
    }

    /// Whether a table can only become this one by being replaced, as CloudFormation does it when keys, local indexes
    /// or the type of an attribute change
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>).
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.keys != other.keys
            || self.local_indexes != other.local_indexes
            || self.types.keys().any(|name| self.retypes(other, name))
    }

    /// Whether the keys of a table that becomes this one differ, so that its items cannot stay.
    pub(super) fn has_other_keys(&self, other: &Self) -> bool {
        self.keys != other.keys || names(&self.keys).any(|name| self.retypes(other, name))
    }

    /// Whether both have the attribute, with different types.
    fn retypes(&self, other: &Self, attribute: &str) -> bool {
        let types = (self.types.get(attribute), other.types.get(attribute));
        matches!(types, (Some(kind), Some(before)) if kind != before)
    }

    /// What `before` becomes of this one without being replaced: its local indexes and attribute types stay, so
    /// a global index that contradicts them is not made. At a start, what only `before` has stays, too.
    pub(super) fn onto(&self, before: &Self, occasion: Occasion) -> Self {
        let is_start = occasion == Occasion::Start;
        let mut kept = self.clone();
        kept.local_indexes = before.local_indexes.clone();
        kept.types.extend(before.types.clone());
        kept.global_indexes.retain(|name, index| {
            let is_retyped = names(&index.keys).any(|key| self.retypes(before, key));
            !is_retyped && !before.local_indexes.contains_key(name)
        });
        for (name, index) in &before.global_indexes {
            if is_start || self.global_indexes.contains_key(name) {
                let index = || index.clone();
                kept.global_indexes
                    .entry(name.clone())
                    .or_insert_with(index);
            }
        }
        if is_start {
            kept.is_protected |= before.is_protected;
            kept.stream = kept.stream.or_else(|| before.stream.clone());
            let ttl = || before.ttl_attribute.clone();
            kept.ttl_attribute = kept.ttl_attribute.or_else(ttl);
        }
        kept
    }

    /// The calls that make this table of `before`, which it does not replace. One index at a time is deleted or created
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html>), and TTL is turned off before it
    /// gets another attribute
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-timetolivespecification.html>).
    pub(super) fn changes(&self, before: &Self, table: &str) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut update = |mut body: Value| {
            body["TableName"] = table.into();
            changes.push(Change::UpdateTable(body));
        };
        if self.is_protected != before.is_protected {
            update(json!({ "DeletionProtectionEnabled": self.is_protected }));
        }
        for (name, index) in &before.global_indexes {
            if self.global_indexes.get(name) != Some(index) {
                let delete = json!({ "Delete": { "IndexName": name } });
                update(json!({ "GlobalSecondaryIndexUpdates": [delete] }));
            }
        }
        for (name, index) in &self.global_indexes {
            if before.global_indexes.get(name) != Some(index) {
                update(json!({
                    "AttributeDefinitions": self.attributes_of(&index.keys),
                    "GlobalSecondaryIndexUpdates": [{ "Create": index.body(name) }],
                }));
            }
        }
        if self.stream != before.stream {
            if before.stream.is_some() {
                update(json!({ "StreamSpecification": { "StreamEnabled": false } }));
            }
            if let Some(view) = &self.stream {
                let stream = json!({ "StreamEnabled": true, "StreamViewType": view });
                update(json!({ "StreamSpecification": stream }));
            }
        }
        changes.extend(self.ttl_changes(before.ttl_attribute.as_deref(), table));
        changes
    }

    fn ttl_changes(&self, before: Option<&str>, table: &str) -> Vec<Change> {
        let after = self.ttl_attribute.as_deref();
        if before == after {
            return Vec::new();
        }
        let call = |attribute: &str, enabled: bool| {
            Change::UpdateTimeToLive(json!({
                "TableName": table,
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": enabled },
            }))
        };
        let off = before.map(|attribute| call(attribute, false));
        let on = after.map(|attribute| call(attribute, true));
        off.into_iter().chain(on).collect()
    }

    /// The call that creates a table with this definition, except for its TTL, and the calls after it.
    pub(super) fn creation(&self, table: &str) -> (Value, Vec<Change>) {
        let list = |indexes: &BTreeMap<String, Index>| -> Vec<Value> {
            let bodies = indexes.iter().map(|(name, index)| index.body(name));
            bodies.collect()
        };
        let types = self.types.iter();
        let types = types.map(|(name, kind)| attribute(name, kind));
        let mut create = json!({
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": types.collect::<Vec<_>>(),
            "KeySchema": self.keys,
            "DeletionProtectionEnabled": self.is_protected,
        });
        // An empty list is refused.
        for (property, indexes) in [
            ("LocalSecondaryIndexes", &self.local_indexes),
            ("GlobalSecondaryIndexes", &self.global_indexes),
        ] {
            if !indexes.is_empty() {
                create[property] = list(indexes).into();
            }
        }
        if let Some(view) = &self.stream {
            create["StreamSpecification"] =
                json!({ "StreamEnabled": true, "StreamViewType": view });
        }
        (create, self.ttl_changes(None, table))
    }

    fn attributes_of(&self, keys: &Value) -> Vec<Value> {
        let known = names(keys).filter_map(|name| Some(attribute(name, self.types.get(name)?)));
        known.collect()
    }
}

impl Index {
    fn body(&self, name: &str) -> Value {
        let mut projection = json!({ "ProjectionType": self.projection });
        if !self.attributes.is_empty() {
            projection["NonKeyAttributes"] = json!(self.attributes);
        }
        json!({ "IndexName": name, "KeySchema": self.keys, "Projection": projection })
    }
}

/// The attributes of a key schema.
fn names(keys: &Value) -> impl Iterator<Item = &str> {
    let keys = keys.as_array().into_iter().flatten();
    keys.filter_map(|key| key["AttributeName"].as_str())
}

fn attribute(name: &str, kind: &str) -> Value {
    json!({ "AttributeName": name, "AttributeType": kind })
}

fn types(attributes: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    let attributes = attributes.as_array().into_iter().flatten();
    let types = attributes.filter_map(|attribute| {
        Some((
            text(&attribute["AttributeName"])?,
            text(&attribute["AttributeType"])?,
        ))
    });
    types.collect()
}

fn indexes(list: &Value) -> BTreeMap<String, Index> {
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    let index = |index: &Value| {
        let projection = &index["Projection"];
        let attributes = projection["NonKeyAttributes"].as_array();
        let found = Index {
            keys: index["KeySchema"].clone(),
            projection: text(&projection["ProjectionType"]).unwrap_or_else(|| "ALL".to_owned()),
            attributes: attributes.into_iter().flatten().filter_map(text).collect(),
        };
        Some((text(&index["IndexName"])?, found))
    };
    let list = list.as_array().into_iter().flatten();
    list.filter_map(index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(edit: impl FnOnce(&mut Table)) -> Definition {
        let mut table = Table {
            logical_id: "Table".to_owned(),
            name: "chat".to_owned(),
            arn: "arn".to_owned(),
            create: json!({
                "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
                "AttributeDefinitions": [attribute("pk", "S")],
            }),
            ttl_attribute: None,
        };
        edit(&mut table);
        Definition::new(&table)
    }

    fn index(name: &str, key: &str, projected: &[&str]) -> Value {
        json!({
            "IndexName": name,
            "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": projected },
        })
    }

    fn with_index(list: &'static str, key: &str, projected: &[&str]) -> Definition {
        table(|table| {
            table.create[list] = json!([index("byKey", key, projected)]);
            table.create["AttributeDefinitions"] =
                json!([attribute("pk", "S"), attribute(key, "S")]);
        })
    }

    #[test]
    fn a_global_index_changes_in_place_and_a_local_one_replaces_the_table() {
        let plain = table(|_| {});
        let global = with_index("GlobalSecondaryIndexes", "a", &["x"]);
        assert!(!global.replaces(&plain) && !plain.replaces(&global));
        let local = with_index("LocalSecondaryIndexes", "a", &["x"]);
        assert!(local.replaces(&plain) && plain.replaces(&local));
        let numbers = table(|table| {
            table.create["AttributeDefinitions"] = json!([attribute("pk", "N")]);
        });
        assert!(numbers.replaces(&plain));
    }

    #[test]
    fn a_table_that_stays_gets_no_index_that_contradicts_it() {
        let before = with_index("LocalSecondaryIndexes", "a", &["x"]);
        let same_name = with_index("GlobalSecondaryIndexes", "b", &["x"]);
        let other_type = table(|table| {
            table.create["GlobalSecondaryIndexes"] = json!([index("other", "a", &["x"])]);
            table.create["AttributeDefinitions"] =
                json!([attribute("pk", "S"), attribute("a", "N")]);
        });
        for occasion in [Occasion::Start, Occasion::Update] {
            for wanted in [&same_name, &other_type] {
                let changes = wanted.onto(&before, occasion).changes(&before, "chat");
                assert_eq!(changes, []);
            }
        }
    }

    #[test]
    fn the_order_of_projected_attributes_is_no_change() {
        let one = with_index("GlobalSecondaryIndexes", "a", &["x", "y"]);
        let other = with_index("GlobalSecondaryIndexes", "a", &["y", "x"]);
        assert_eq!(one.changes(&other, "chat"), []);
    }

    #[test]
    fn a_changed_index_is_deleted_before_it_is_created() {
        let before = with_index("GlobalSecondaryIndexes", "a", &["x"]);
        let after = with_index("GlobalSecondaryIndexes", "b", &["x"]);
        let delete = json!({
            "TableName": "chat",
            "GlobalSecondaryIndexUpdates": [{ "Delete": { "IndexName": "byKey" } }],
        });
        let create = json!({
            "TableName": "chat",
            "AttributeDefinitions": [attribute("b", "S")],
            "GlobalSecondaryIndexUpdates": [{ "Create": index("byKey", "b", &["x"]) }],
        });
        assert_eq!(
            after.changes(&before, "chat"),
            [Change::UpdateTable(delete), Change::UpdateTable(create)]
        );
    }

    #[test]
    fn another_ttl_attribute_is_set_after_the_first_is_off() {
        let with = |attribute: &str| {
            let attribute = Some(attribute.to_owned());
            table(|table| table.ttl_attribute = attribute)
        };
        let call = |attribute: &str, enabled: bool| {
            Change::UpdateTimeToLive(json!({
                "TableName": "chat",
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": enabled },
            }))
        };
        assert_eq!(
            with("until").changes(&with("ttl"), "chat"),
            [call("ttl", false), call("until", true)]
        );
        assert_eq!(
            table(|_| {}).changes(&with("ttl"), "chat"),
            [call("ttl", false)]
        );
        assert_eq!(with("ttl").changes(&with("ttl"), "chat"), []);
    }
}
