//! Items of users' handlers, in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use super::lock;
use crate::items::Items;
use crate::store::StoreError;

/// Strings and counters in memory. No call fails.
#[derive(Debug, Default)]
pub struct MemoryItems {
    items: Mutex<HashMap<String, (Option<String>, i64)>>,
}

impl Items for MemoryItems {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(lock(&self.items)
            .get(key)
            .and_then(|(text, _)| text.clone()))
    }

    async fn write(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let item = (Some(value.to_owned()), 0);
        lock(&self.items).insert(key.to_owned(), item);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        lock(&self.items).remove(key);
        Ok(())
    }

    async fn count(&self, key: &str, by: i64) -> Result<i64, StoreError> {
        let mut items = lock(&self.items);
        let (_, counter) = items.entry(key.to_owned()).or_default();
        *counter = counter.saturating_add(by);
        Ok(*counter)
    }
}
