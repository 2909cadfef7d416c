//! A fake of the function for large rooms, in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use super::lock;
use crate::dispatch::{Dispatch, DispatchError, ShardMessage};
use crate::shard::Shard;

/// Keeps the messages that are handed over, as payloads, until a test [takes](Self::take) them.
///
/// A shard that is [refused](Self::refuse) is not kept.
#[derive(Debug, Default)]
pub struct MemoryDispatch {
    kept: Mutex<Vec<Vec<u8>>>,
    refusals: Mutex<HashMap<Shard, fn() -> DispatchError>>,
}

impl MemoryDispatch {
    /// Lets every message to `shard` fail from now on.
    pub fn refuse(&self, shard: Shard, refusal: fn() -> DispatchError) {
        lock(&self.refusals).insert(shard, refusal);
    }

    /// Takes the messages that were handed over and not taken yet.
    ///
    /// # Panics
    /// A payload that the function for large rooms cannot parse.
    pub fn take(&self) -> Vec<ShardMessage> {
        let kept = std::mem::take(&mut *lock(&self.kept));
        kept.iter()
            .map(|payload| serde_json::from_slice(payload).expect("a payload is readable"))
            .collect()
    }
}

impl Dispatch for MemoryDispatch {
    async fn dispatch(&self, message: &ShardMessage) -> Result<String, DispatchError> {
        if let Some(refusal) = lock(&self.refusals).get(&message.shard) {
            return Err(refusal());
        }
        let mut kept = lock(&self.kept);
        kept.push(message.to_payload());
        Ok(format!("kept-{}", kept.len()))
    }
}
