//! Creates tables in the embedded database, for templates and for requests alike.
//!
//! The database keeps each table in a table of SQLite with the same name, and SQLite does not tell capitals from small
//! letters. A name that SQLite has already would fail half-way, after the database has recorded the table; to delete
//! what is recorded would then drop the other table's items. So such a name is refused before.

use std::sync::{Mutex, PoisonError};

use dynoxide::actions::create_table::{CreateTableRequest, CreateTableResponse};
use dynoxide::actions::delete_table::DeleteTableRequest;
use dynoxide::actions::list_tables::ListTablesRequest;
use dynoxide::{Database, DynoxideError};
use serde_json::json;

/// The database's own tables in SQLite.
const OWN: [&str; 3] = ["_config", "_tables", "_stream_records"];

/// How the names begin that SQLite keeps for itself (<https://sqlite.org/lang_createtable.html>).
const SQLITE: &str = "sqlite_";

/// Two at a time could each find that the other's name is free.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Creates a table whole, or not at all.
pub(super) fn create(
    database: &Database,
    request: CreateTableRequest,
) -> Result<CreateTableResponse, DynoxideError> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let name = request.table_name.clone();
    if let Some(reason) = refusal(database, &name)? {
        return Err(DynoxideError::ValidationException(reason));
    }
    let existed = database.get_table_metadata(&name)?.is_some();
    let created = database.create_table(request);
    if created.is_err() && !existed {
        // The first error says more than one of this would.
        let _failed = discard(database, &name);
    }
    created
}

/// Why a table cannot have this name beside the tables that exist.
pub(super) fn refusal(database: &Database, name: &str) -> Result<Option<String>, DynoxideError> {
    let lower = name.to_ascii_lowercase();
    if OWN.contains(&&*lower) || lower.starts_with(SQLITE) {
        return Ok(Some(format!(
            "the local database keeps the name `{name}` for itself: give the table another name"
        )));
    }
    let twin = twin(database, name)?;
    Ok(twin.map(|other| {
        format!(
            "`{name}` and the existing table `{other}` differ in capitals only, which the local database does not tell \
             apart: give one of them another name, or delete `{other}`"
        )
    }))
}

/// The existing table whose name differs from this one in capitals only.
pub(super) fn twin(database: &Database, name: &str) -> Result<Option<String>, DynoxideError> {
    let mut after = None;
    loop {
        let listed = database.list_tables(ListTablesRequest {
            exclusive_start_table_name: after,
            limit: None,
        })?;
        let mut names = listed.table_names.into_iter();
        let is_twin = |other: &String| other != name && other.eq_ignore_ascii_case(name);
        if let Some(other) = names.find(is_twin) {
            return Ok(Some(other));
        }
        match listed.last_evaluated_table_name {
            Some(last) => after = Some(last),
            None => return Ok(None),
        }
    }
}

/// Deletes what a failed creation has left.
fn discard(database: &Database, name: &str) -> Result<(), DynoxideError> {
    let Some(left) = database.get_table_metadata(name)? else {
        return Ok(());
    };
    if left.deletion_protection_enabled {
        let off = json!({ "TableName": name, "DeletionProtectionEnabled": false });
        let off = serde_json::from_value(off)
            .map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
        database.update_table(off)?;
    }
    let table_name = name.to_owned();
    database.delete_table(DeleteTableRequest { table_name })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn request(name: &str, indexes: &[&str]) -> CreateTableRequest {
        let keys = json!([{ "AttributeName": "pk", "KeyType": "HASH" }]);
        let mut body = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": keys,
            "DeletionProtectionEnabled": true,
        });
        let index = |name: &&str| {
            let projection = json!({ "ProjectionType": "ALL" });
            json!({ "IndexName": name, "KeySchema": keys, "Projection": projection })
        };
        if !indexes.is_empty() {
            body["GlobalSecondaryIndexes"] = indexes.iter().map(index).collect::<Vec<_>>().into();
        }
        serde_json::from_value(body).unwrap()
    }

    fn names(database: &Database) -> Vec<String> {
        let listed = database.list_tables(ListTablesRequest::default()).unwrap();
        listed.table_names
    }

    fn items(database: &Database, table: &str) -> usize {
        let scan = json!({ "TableName": table });
        let scanned = database.scan(serde_json::from_value(scan).unwrap());
        scanned.unwrap().count
    }

    fn put(database: &Database, table: &str) {
        let item: Value = json!({ "TableName": table, "Item": { "pk": { "S": "kept" } } });
        database
            .put_item(serde_json::from_value(item).unwrap())
            .unwrap();
    }

    #[test]
    fn a_name_that_differs_in_capitals_only_is_refused_and_leaves_nothing() {
        let database = Database::memory().unwrap();
        for number in 0..120 {
            create(&database, request(&format!("filler{number:03}"), &[])).unwrap();
        }
        create(&database, request("moods", &[])).unwrap();
        put(&database, "moods");
        let before = names(&database);
        let error = create(&database, request("Moods", &[])).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("`Moods`") && text.contains("delete `moods`"),
            "{text}"
        );
        assert!(database.get_table_metadata("Moods").unwrap().is_none());
        assert_eq!(names(&database), before);
        assert_eq!(items(&database, "moods"), 1);
    }

    #[test]
    fn the_names_of_the_database_itself_are_refused() {
        let database = Database::memory().unwrap();
        create(&database, request("chat", &[])).unwrap();
        for name in ["_tables", "_Config", "_stream_records", "SQLite_master"] {
            let error = create(&database, request(name, &[])).unwrap_err();
            assert!(error.to_string().contains("for itself"), "{error}");
        }
        assert_eq!(names(&database), ["chat"]);
    }

    /// The second index's table in SQLite has the name of the first one's.
    #[test]
    fn a_creation_that_fails_half_way_leaves_no_table() {
        let database = Database::memory().unwrap();
        create(&database, request("chat", &["byKey", "BYKEY"])).unwrap_err();
        assert!(database.get_table_metadata("chat").unwrap().is_none());
        create(&database, request("chat", &["byKey"])).unwrap();
        put(&database, "chat");
        create(&database, request("chat", &[])).unwrap_err();
        assert_eq!(items(&database, "chat"), 1);
    }
}
