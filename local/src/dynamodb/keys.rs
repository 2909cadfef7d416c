//! The names of partition keys, for conditions on `dynamodb:LeadingKeys`.
//!
//! The database's description of a table counts its items, so to ask for one at each request would read the whole table.
//! A key's name never changes as long as its table or index exists.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dynoxide::Database;
use dynoxide::actions::describe_table::DescribeTableRequest;
use serde_json::Value;

/// The operations after which a name may mean another table or index.
const CHANGING: [&str; 3] = ["CreateTable", "DeleteTable", "UpdateTable"];

/// A table, or an index of one.
type TableOrIndex = (String, Option<String>);

/// The names that were asked for since a table changed.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<TableOrIndex, String>>);

impl Keys {
    /// The name of the partition key of `table`, or of its `index`. Blocks while the database describes the table, which is
    /// once.
    pub(super) fn partition_key(
        &self,
        database: &Database,
        table: &str,
        index: Option<&str>,
    ) -> Option<String> {
        self.found(table, index, || {
            let request = DescribeTableRequest {
                table_name: table.to_owned(),
            };
            serde_json::to_value(database.describe_table(request).ok()?).ok()
        })
    }

    /// Forgets all of them if `operation`, which has just ended, can change tables.
    pub(super) fn after(&self, operation: &str) {
        if CHANGING.contains(&operation) {
            self.forget();
        }
    }

    /// Forgets all of them. To be called after a table has changed, and not before.
    pub(super) fn forget(&self) {
        self.known().clear();
    }

    fn found(
        &self,
        table: &str,
        index: Option<&str>,
        describe: impl FnOnce() -> Option<Value>,
    ) -> Option<String> {
        // Held while the database is asked: what it says is there before the names are forgotten, or is asked for after that.
        let mut known = self.known();
        let place = (table.to_owned(), index.map(str::to_owned));
        if let Some(key) = known.get(&place) {
            return Some(key.clone());
        }
        let key = key_in(&describe()?, index)?;
        known.insert(place, key.clone());
        Some(key)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<TableOrIndex, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_in(described: &Value, index: Option<&str>) -> Option<String> {
    let table = &described["Table"];
    let keys = match index {
        None => &table["KeySchema"],
        Some(index) => {
            let mut indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
                .iter()
                .filter_map(|kind| table[kind].as_array())
                .flatten();
            &indexes.find(|one| one["IndexName"] == index)?["KeySchema"]
        }
    };
    let key = keys
        .as_array()?
        .iter()
        .find(|key| key["KeyType"] == "HASH")?;
    Some(key["AttributeName"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;

    fn table(key: &str) -> Value {
        json!({ "Table": {
            "KeySchema": [{ "AttributeName": "sk", "KeyType": "RANGE" }, { "AttributeName": key, "KeyType": "HASH" }],
            "GlobalSecondaryIndexes": [
                { "IndexName": "by-room", "KeySchema": [{ "AttributeName": "room", "KeyType": "HASH" }] },
            ],
        } })
    }

    #[test]
    fn a_table_is_described_once_however_many_requests_name_it() {
        let (keys, described) = (Keys::default(), Cell::new(0));
        let ask = |index| {
            keys.found("chat", index, || {
                described.set(described.get() + 1);
                Some(table("pk"))
            })
        };
        for _ in 0..100 {
            assert_eq!(ask(None).as_deref(), Some("pk"));
            assert_eq!(ask(Some("by-room")).as_deref(), Some("room"));
        }
        assert_eq!(described.get(), 2);
        // What is not there may be there later.
        assert_eq!(ask(Some("by-name")), None);
        assert_eq!(keys.found("other", None, || None), None);
        assert_eq!(
            keys.found("other", None, || Some(table("id"))).as_deref(),
            Some("id")
        );
    }

    #[test]
    fn a_name_is_asked_for_again_after_tables_may_have_changed() {
        let keys = Keys::default();
        assert_eq!(
            keys.found("chat", None, || Some(table("pk"))).as_deref(),
            Some("pk")
        );
        keys.after("PutItem");
        assert_eq!(
            keys.found("chat", None, || Some(table("id"))).as_deref(),
            Some("pk")
        );
        for operation in CHANGING {
            keys.after(operation);
            assert_eq!(
                keys.found("chat", None, || Some(table(operation)))
                    .as_deref(),
                Some(operation)
            );
        }
    }
}
