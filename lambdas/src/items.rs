//! What a handler of the stack's owner may keep in the chat's table: texts and counters, by keys of its own.

use crate::store::StoreError;

/// Texts and counters by key. They stay until they are removed; nothing of the chat itself touches them.
///
/// A key has a text and a counter, each of which may be absent.
pub trait Items {
    /// The text at `key`. Sees every write that was acknowledged before.
    ///
    /// # Errors
    /// [`StoreError`]
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Replaces what is at `key` by `value`; a counter there is gone then.
    ///
    /// # Errors
    /// [`StoreError`]
    fn write(&self, key: &str, value: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes text and counter at `key`. Nothing happens when there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Adds `by` to the counter at `key`, which begins at 0; answers what it is now. Additions at the same moment all count.
    ///
    /// # Errors
    /// [`StoreError`]; the addition may have been made all the same.
    fn count(&self, key: &str, by: i64) -> impl Future<Output = Result<i64, StoreError>> + Send;
}
