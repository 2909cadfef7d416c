//! Opens the embedded database, in memory or in a file.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use dynoxide::Database;

use super::TablesError;
use crate::options::TableStorage;

pub(super) fn open(storage: &TableStorage) -> Result<Database, TablesError> {
    let path = match storage {
        TableStorage::Memory => {
            let memory = PathBuf::from(":memory:");
            return Database::memory().map_err(|error| TablesError::Open {
                path: memory,
                source: Box::new(error),
            });
        }
        TableStorage::File(path) => path,
    };
    // Only readable by the owner, because it contains messages. SQLite gives its side files the same mode.
    let made = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path);
    made.map_err(|error| TablesError::Open {
        path: path.clone(),
        source: Box::new(error),
    })?;
    let opened = Database::new(&path.to_string_lossy()).and_then(|database| {
        // Keeps the file at `synchronous = NORMAL`: a process's death loses nothing, and writes are twice as fast.
        database.enable_bulk_loading()?;
        database.disable_bulk_loading()?;
        Ok(database)
    });
    opened.map_err(|error| TablesError::Open {
        path: path.clone(),
        source: Box::new(error),
    })
}

/// Only Linux counts how often a thread waits.
#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use dynoxide::actions::put_item::PutItemRequest;
    use serde_json::json;

    use super::*;

    /// How often this thread has waited for something so far, such as a disk.
    fn waits() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
            .unwrap();
        line.trim().parse().unwrap()
    }

    /// How often 200 writes wait.
    fn waits_of_writes_to(database: &Database) -> u64 {
        let create = json!({
            "TableName": "chat",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        });
        database
            .create_table(serde_json::from_value(create).unwrap())
            .unwrap();
        let before = waits();
        for index in 0..200 {
            let item = json!({ "TableName": "chat", "Item": { "pk": { "S": index.to_string() } } });
            let request: PutItemRequest = serde_json::from_value(item).unwrap();
            database.put_item(request).unwrap();
        }
        waits() - before
    }

    /// With SQLite's default, `synchronous = FULL`, every write waits for the disk. What a write waits for besides,
    /// on a busy machine, it waits for with either setting: hence the comparison. On a file system in memory nothing
    /// waits, and this proves nothing.
    #[test]
    fn a_write_to_a_table_file_does_not_wait_for_the_disk() {
        let test = std::env::current_exe().unwrap();
        let folder = tempfile::tempdir_in(test.parent().unwrap()).unwrap();
        let default = folder.path().join("default.db");
        let default = Database::new(&default.to_string_lossy()).unwrap();
        let ours = open(&TableStorage::File(folder.path().join("tables.db"))).unwrap();
        let by_default = waits_of_writes_to(&default);
        let waited = waits_of_writes_to(&ours);
        assert!(
            waited <= by_default / 2 + 20,
            "{waited} waits in 200 writes, {by_default} with SQLite's default"
        );
    }
}
