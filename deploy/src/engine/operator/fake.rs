//! A chat's table and its connections in memory.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use chat_protocol::table;

use super::{Activity, ConnectionTable, Connections, Item, Key, Only, Page};
use crate::engine::{ErrorKind, TargetError};

/// Pages have two items. Every call on it is up to date.
#[derive(Debug, Default)]
pub(super) struct FakeChat {
    pub(super) items: RefCell<BTreeMap<Key, Item>>,
    pub(super) open: RefCell<BTreeSet<String>>,
    /// The number of pages that were read.
    pub(super) pages: Cell<usize>,
    /// Connections that open after so many looks at the table.
    pub(super) opening: RefCell<Vec<(usize, String)>>,
    /// What a call for one of these connections fails with.
    pub(super) failing: RefCell<BTreeMap<String, ErrorKind>>,
}

const PAGE: usize = 2;

impl FakeChat {
    /// Adds an item of an open connection.
    pub(super) fn connect(&self, partition: &str, connection: &str, at: u64) -> &Self {
        self.open.borrow_mut().insert(connection.to_owned());
        self.record(partition, connection, at)
    }

    /// Adds an item of a connection.
    pub(super) fn record(&self, partition: &str, connection: &str, at: u64) -> &Self {
        let item = Item {
            partition: partition.to_owned(),
            sort: table::connection(connection),
            connected_at: at,
            expires_at: at + 8_100,
            ..Item::default()
        };
        self.insert(item);
        self
    }

    pub(super) fn insert(&self, item: Item) {
        let key = Key {
            partition: item.partition.clone(),
            sort: item.sort.clone(),
        };
        self.items.borrow_mut().insert(key, item);
    }

    /// Each item as `partition/sort`.
    pub(super) fn keys(&self) -> Vec<String> {
        let items = self.items.borrow();
        let keys = items.keys();
        keys.map(|key| format!("{}/{}", key.partition, key.sort))
            .collect()
    }

    fn page(&self, start: Option<Key>, is_wanted: impl Fn(&Item) -> bool) -> Page {
        self.pages.set(self.pages.get() + 1);
        let look = self.pages.get();
        self.opening.borrow_mut().retain(|(after, connection)| {
            let opens = look >= *after;
            if opens {
                self.open.borrow_mut().insert(connection.clone());
            }
            !opens
        });
        let items = self.items.borrow();
        let mut rest = items
            .iter()
            .filter(|(key, _)| start.as_ref().is_none_or(|start| *key > start));
        let read: Vec<_> = rest.by_ref().take(PAGE).collect();
        let last = read.last().map(|(key, _)| (*key).clone());
        Page {
            next: last.filter(|_| read.len() == PAGE),
            items: read
                .into_iter()
                .map(|(_, item)| item.clone())
                .filter(is_wanted)
                .collect(),
        }
    }

    fn call<T>(&self, connection: &str, answer: T) -> Result<T, TargetError> {
        match self.failing.borrow().get(connection) {
            Some(kind) => Err(TargetError::new(*kind, format!("{connection} fails"))),
            None => Ok(answer),
        }
    }
}

impl ConnectionTable for FakeChat {
    async fn query(&self, partition: &str, start: Option<Key>) -> Result<Page, TargetError> {
        Ok(self.page(start, |item| {
            item.partition == partition && item.sort.starts_with(table::CONNECTION)
        }))
    }

    async fn scan(&self, only: Only<'_>, start: Option<Key>) -> Result<Page, TargetError> {
        Ok(self.page(start, |item| match only {
            Only::Connections => item.sort.starts_with(table::CONNECTION),
            Only::Connection(id) => item.sort == table::connection(id),
            Only::Name(name) => item.name.as_deref() == Some(name),
        }))
    }

    async fn remove(&self, key: &Key) -> Result<(), TargetError> {
        self.items.borrow_mut().remove(key);
        Ok(())
    }

    async fn put(&self, key: &Key, expires_at: u64) -> Result<(), TargetError> {
        self.insert(Item {
            partition: key.partition.clone(),
            sort: key.sort.clone(),
            expires_at,
            ..Item::default()
        });
        Ok(())
    }
}

impl Connections for FakeChat {
    async fn activity(&self, connection: &str) -> Result<Option<Activity>, TargetError> {
        let is_open = self.open.borrow().contains(connection);
        self.call(connection, is_open.then(Activity::default))
    }

    async fn post(&self, connection: &str, _text: &str) -> Result<bool, TargetError> {
        self.call(connection, self.open.borrow().contains(connection))
    }

    async fn close(&self, connection: &str) -> Result<bool, TargetError> {
        let was_open = self.open.borrow_mut().remove(connection);
        self.call(connection, was_open)
    }
}
