//! What a teardown needs of an account beside what a deployment needs.

use super::uses::{Leftovers, Uses};
use crate::config::names::StackName;
use crate::engine::deploy::Account;
use crate::engine::target_error::TargetError;

/// An account from which stacks can be torn down.
pub trait Holdings: Account<Store: Published> {
    /// The account's tables.
    type Tables: Tables;

    /// The account's tables.
    fn tables(&self) -> &Self::Tables;
}

/// Tables, by their physical names.
pub trait Tables {
    /// The approximate number of items of `table`, `None` if it is gone.
    async fn items(&self, table: &str) -> Result<Option<u64>, TargetError>;
}

/// What has been published for stacks.
pub trait Published {
    /// The name of the bucket.
    fn bucket(&self) -> &str;

    /// Whether there is such a bucket, and it is ours.
    async fn exists(&self) -> Result<bool, TargetError>;

    /// Every use that is recorded in the bucket.
    async fn uses(&self) -> Result<Uses, TargetError>;

    /// Removes the objects that no other stack uses, then all records of `stack`. Missing ones are no error.
    async fn forget(&self, stack: &StackName, leftovers: &Leftovers) -> Result<(), TargetError>;
}
