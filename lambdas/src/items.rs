//! Items of a user's handler in the chat's table: strings and counters, by the handler's own keys.

use crate::store::StoreError;

/// Strings and counters by key. They stay until they are removed; the chat itself never changes them.
///
/// A key has a string and a counter, each of which may be missing.
pub trait Items {
    /// Reads the string at `key`. It includes every acknowledged write.
    ///
    /// # Errors
    /// [`StoreError`]
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Replaces the item at `key` by `value`, which also removes its counter.
    ///
    /// # Errors
    /// [`StoreError`]
    fn write(&self, key: &str, value: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes string and counter at `key`. A missing item is no error.
    ///
    /// # Errors
    /// [`StoreError`]
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Adds `by` to the counter at `key`, which starts at 0; returns the new value. Concurrent additions all count.
    ///
    /// # Errors
    /// [`StoreError`]; the addition may still have been made, but never twice: it is not sent again once it may have arrived.
    fn count(&self, key: &str, by: i64) -> impl Future<Output = Result<i64, StoreError>> + Send;
}
