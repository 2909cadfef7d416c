//! The stack's tables, behind DynamoDB's API and behind IAM.
//!
//! The database blocks the thread that calls it, so it has its own thread, with an HTTP endpoint that asks IAM first.
//! **Only that endpoint reaches the database**: its operations are called in this process.

mod arns;
mod conditions;
mod described;
mod endpoint;
mod keys;
mod needs;
mod operations;
#[cfg(test)]
mod same_as_the_server;
mod unreadable;

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::delete_table::DeleteTableRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::update_time_to_live::UpdateTimeToLiveRequest;
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use self::endpoint::Endpoint;
use self::keys::Keys;
pub(crate) use self::needs::Scope;
use crate::iam::credentials::Credentials;
use crate::options::TableStorage;
use crate::stack::Table;

/// The interval at which expired items are deleted. DynamoDB itself only promises days, so readers must filter anyway.
const SWEEP: Duration = Duration::from_secs(30);

/// Why the tables, or one of them, could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TablesError {
    /// The file is not a table database, or cannot be opened.
    #[error("could not open the table file `{path}`: move it away to begin with empty tables")]
    Open {
        /// The file.
        path: PathBuf,
        /// The database's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// DynamoDB refuses the table's definition in the template.
    #[error("could not create table `{table}` as the template defines it: {message}")]
    Create {
        /// The table's physical name.
        table: String,
        /// DynamoDB's reason.
        message: String,
    },
    /// The endpoint could not be opened.
    #[error("could not open a port on 127.0.0.1 for the tables")]
    Listen(#[from] std::io::Error),
}

/// The outcome of preparing a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepared {
    Created,
    /// It existed, with the same keys.
    Kept,
    /// It existed with other keys; its items are lost.
    Replaced,
}

impl Prepared {
    /// What the stack event of the table says of it; `is_new`: the stack did not have the table before.
    pub(crate) fn remark(self, is_new: bool) -> Option<&'static str> {
        match (self, is_new) {
            (Self::Replaced, true) => Some("a table with other keys existed; its items are lost"),
            (Self::Replaced, false) => {
                Some("its keys changed, so it was replaced; its items are lost")
            }
            (Self::Kept, true) => Some("the table existed already and keeps its items"),
            (Self::Created, _) | (Self::Kept, false) => None,
        }
    }
}

/// The database, its thread and its address.
pub(crate) struct Tables {
    database: Database,
    keys: Arc<Keys>,
    endpoint: String,
    /// Dropped to stop.
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tables")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Tables {
    /// Opens the database and its endpoint. Blocks for some milliseconds.
    pub(crate) fn open(
        storage: &TableStorage,
        credentials: Arc<Credentials>,
        scope: Scope,
    ) -> Result<Self, TablesError> {
        let database = open(storage)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let keys = Arc::<Keys>::default();
        let endpoint = Endpoint {
            database: database.clone(),
            keys: Arc::clone(&keys),
            credentials,
            scope,
        };
        let thread = std::thread::Builder::new()
            .name("tables".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    tokio::select! {
                        () = serve(listener, endpoint) => {}
                        // Also when the sender is dropped.
                        _ = stopped => {}
                    }
                });
                // Clients that keep a connection open do not keep the thread alive.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            database,
            keys,
            endpoint: address,
            running: Mutex::new(Some((stop, thread))),
        })
    }

    /// The tables' address for functions: `http://127.0.0.1:{port}`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Creates `table` unless it exists. Blocks for some milliseconds.
    pub(crate) fn prepare(&self, table: &Table) -> Result<Prepared, TablesError> {
        let refused = |error: DynoxideError| refused(table, &error);
        let request = create_request(table)?;
        let prepared = match self.keys(&table.name) {
            Some(keys) if same_keys(&keys, &table.create) => Prepared::Kept,
            found => {
                if found.is_some() {
                    self.delete(&table.name);
                }
                let created = self.database.create_table(request);
                self.keys.forget();
                created.map_err(refused)?;
                if found.is_some() {
                    Prepared::Replaced
                } else {
                    Prepared::Created
                }
            }
        };
        if let Some(attribute) = &table.ttl_attribute {
            self.set_ttl(&table.name, attribute).map_err(refused)?;
        }
        Ok(prepared)
    }

    /// Checks that DynamoDB would create these tables; changes none. Blocks for some milliseconds.
    pub(crate) fn check<'t>(tables: impl Iterator<Item = &'t Table>) -> Result<(), TablesError> {
        let trial = open(&TableStorage::Memory)?;
        for table in tables {
            trial
                .create_table(create_request(table)?)
                .map_err(|error| refused(table, &error))?;
        }
        Ok(())
    }

    /// Deletes a table with its items. Blocks for some milliseconds.
    pub(crate) fn delete(&self, name: &str) -> bool {
        let deleted = self.database.delete_table(DeleteTableRequest {
            table_name: name.to_owned(),
        });
        self.keys.forget();
        deleted.is_ok()
    }

    /// Ends the endpoint and its thread. Blocks until the thread has ended.
    pub(crate) fn stop(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = running {
            drop(stop);
            // A panic there was already printed on standard error.
            let _panicked = thread.join();
        }
    }

    /// The key schema and the attribute types of an existing table.
    fn keys(&self, name: &str) -> Option<Value> {
        let request = DescribeTableRequest {
            table_name: name.to_owned(),
        };
        let described = self.database.describe_table(request).ok()?;
        serde_json::to_value(described).ok()?.get("Table").cloned()
    }

    fn set_ttl(&self, name: &str, attribute: &str) -> Result<(), DynoxideError> {
        let request: UpdateTimeToLiveRequest = serde_json::from_value(json!({
            "TableName": name,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        }))
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
        match self.database.update_time_to_live(request) {
            // TTL is on already, from an earlier start.
            Err(DynoxideError::ValidationException(message))
                if message.contains("already enabled") =>
            {
                Ok(())
            }
            result => result.map(|_| ()),
        }
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.stop();
    }
}

fn create_request(table: &Table) -> Result<CreateTableRequest, TablesError> {
    serde_json::from_value(table.create.clone()).map_err(|error| refused(table, &error))
}

fn refused(table: &Table, error: &dyn std::error::Error) -> TablesError {
    TablesError::Create {
        table: table.name.clone(),
        message: error.to_string(),
    }
}

fn open(storage: &TableStorage) -> Result<Database, TablesError> {
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

async fn serve(listener: TcpListener, endpoint: Endpoint) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let database = endpoint.database.clone();
    let sweep = async move {
        let mut ticks = tokio::time::interval(SWEEP);
        loop {
            ticks.tick().await;
            // Beside this thread, which serves requests between the sweep's pages: to look at 100,000 items takes a second.
            let database = database.clone();
            let sweep = tokio::task::spawn_blocking(move || database.sweep_ttl());
            // The next round tries again.
            let _failed = sweep.await;
        }
    };
    tokio::select! {
        () = endpoint::serve(listener, endpoint) => {}
        () = sweep => {}
    }
}

/// Whether a described table has the keys and key types of a `CreateTable` call.
pub(crate) fn same_keys(described: &Value, create: &Value) -> bool {
    let key_schema = |table: &Value| table.get("KeySchema").cloned().unwrap_or_default();
    let types = |table: &Value, names: &Value| -> Vec<Option<Value>> {
        let attributes = table
            .get("AttributeDefinitions")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let type_of = |name: &Value| {
            let found = attributes
                .iter()
                .find(|attribute| attribute.get("AttributeName") == Some(name));
            found.and_then(|attribute| attribute.get("AttributeType").cloned())
        };
        let names = names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|key| key.get("AttributeName"));
        names.map(type_of).collect()
    };
    let keys = key_schema(create);
    key_schema(described) == keys && types(described, &keys) == types(create, &keys)
}

/// Only Linux counts how often a thread waits.
#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use dynoxide::actions::put_item::PutItemRequest;

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
