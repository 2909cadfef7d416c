//! Fakes of the table, of posts to clients, of the function for large rooms and of those that review, all in memory.
//!
//! They are programs with a stated behaviour, not expectations: each does what its trait says, unless a test injects a
//! fault before.

mod announcement_store;
mod call;
mod delivery;
mod dispatch;
mod history;
mod interruption;
mod items;
mod kept;
mod record;
mod review;
mod store;

pub use announcement_store::MemoryAnnouncer;
pub use call::Call;
pub use delivery::MemoryDelivery;
pub use dispatch::MemoryDispatch;
pub use items::MemoryItems;
pub use review::{MemoryReviewers, Review};
pub use store::MemoryStore;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A fake stays usable after a test's assertion failed while holding it, so that the first failure is shown.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
