//! The stack's tables, behind DynamoDB's API and behind IAM.
//!
//! The database blocks the thread that calls it, so it has its own thread, with an HTTP endpoint that asks IAM first.
//! **Requests reach the database only through that endpoint**: its operations are called in this process. What a
//! template says of tables, `changes` applies from threads that may block.

mod arns;
mod changes;
mod conditions;
mod creation;
mod definition;
mod described;
mod endpoint;
mod keys;
mod needs;
mod operations;
#[cfg(test)]
mod same_as_the_server;
mod storage;
mod unreadable;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use dynoxide::Database;
use tokio::sync::oneshot;

pub(crate) use self::changes::{Before, Prepared, is_replaced};
pub(crate) use self::definition::Occasion;
use self::endpoint::Endpoint;
use self::keys::Keys;
pub(crate) use self::needs::Scope;
use crate::iam::credentials::Credentials;
use crate::options::TableStorage;

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
    /// The database refuses a change of a table that stays.
    #[error("could not change table `{table}` as the template defines it: {message}")]
    Change {
        /// The table's physical name.
        table: String,
        /// The database's reason.
        message: String,
    },
    /// The table would be replaced, and must not be deleted.
    #[error(
        "table `{table}` has deletion protection, and its keys, local indexes or attribute types change, which would \
         replace it: turn `DeletionProtectionEnabled` off in an update of its own, or keep its keys, local indexes and \
         attribute types"
    )]
    Protected {
        /// The table's physical name.
        table: String,
    },
    /// The table would be replaced at a start, and it or the template's is protected.
    #[error(
        "table `{table}` exists with other keys than the template's, and with deletion protection it is not replaced: \
         keep its keys, give the template's table another name, or tear the data down"
    )]
    OtherKeys {
        /// The table's physical name.
        table: String,
    },
    /// The database refuses to delete the table, which stays with its items.
    #[error("could not delete table `{table}`, which stays with its items: {message}")]
    Delete {
        /// The table's physical name.
        table: String,
        /// The database's reason.
        message: String,
    },
    /// The endpoint could not be opened.
    #[error("could not open a port on 127.0.0.1 for the tables")]
    Listen(#[from] std::io::Error),
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
        let database = storage::open(storage)?;
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
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.stop();
    }
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
            // Beside this thread, which serves requests between the sweep's pages: to look at 100,000 items takes a
            // second.
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
