//! What the operator of a deployed chat sees of its connections and does to them.
//!
//! The operator has no function in the stack: with permissions of its own it reads the table and calls the @connections API.

mod act;
#[cfg(test)]
mod fake;
mod find;
mod message;
#[cfg(test)]
mod tests;

pub use act::{Kicked, Sent, ban, kick, send, unban};
pub use find::{ConnectionFilter, RecordedConnection, activity, find};
pub use message::message;

use super::TargetError;

/// The most requests of one command that are under way at a time.
const AT_ONCE: usize = 16;

/// An item of a connection, as the table has it. Expired ones may be among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// Its partition key.
    pub partition: String,
    /// Its sort key.
    pub sort: String,
    /// The name of its user.
    pub name: Option<String>,
    /// The friend's name.
    pub friend: Option<String>,
    /// The room.
    pub room: Option<String>,
    /// Seconds since the Unix epoch.
    pub connected_at: u64,
    /// Seconds since the Unix epoch.
    pub expires_at: u64,
}

/// The keys of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

/// A part of the items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of the table.
    pub items: Vec<Item>,
    /// Where the next part begins: after this key. `None` after the last part.
    pub next: Option<Key>,
}

/// Which items a scan returns. All of the table is read in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only<'a> {
    /// All connections.
    Connections,
    /// The one connection with this id.
    Connection(&'a str),
    /// Those with this name as an attribute.
    Name(&'a str),
}

/// The table of connections.
pub trait ConnectionTable {
    /// Connections in one partition, as every acknowledged write has left them.
    async fn query(&self, partition: &str, start: Option<Key>) -> Result<Page, TargetError>;

    /// The same in the whole table, up to 1 MB of it at a time; costs what reading all of that costs.
    async fn scan(&self, only: Only<'_>, start: Option<Key>) -> Result<Page, TargetError>;

    /// Removes an item. A missing one is no error.
    async fn remove(&self, key: &Key) -> Result<(), TargetError>;

    /// Writes an item with nothing but its end, in seconds since the Unix epoch.
    async fn put(&self, key: &Key, expires_at: u64) -> Result<(), TargetError>;
}

/// What API Gateway says of an open connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// When it last sent or received something, in seconds since the Unix epoch.
    pub last_active_at: Option<i64>,
    /// The address that it comes from.
    pub source_ip: Option<String>,
}

/// The @connections API of a stage.
pub trait Connections {
    /// What is known of an open connection; `None` if there is none with this id.
    async fn activity(&self, connection: &str) -> Result<Option<Activity>, TargetError>;

    /// Sends `text` to a connection; `false` if there is none with this id.
    async fn post(&self, connection: &str, text: &str) -> Result<bool, TargetError>;

    /// Ends a connection; `false` if there is none with this id.
    async fn close(&self, connection: &str) -> Result<bool, TargetError>;
}
