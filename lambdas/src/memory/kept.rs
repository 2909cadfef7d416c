//! The rows of messages that are kept.

use crate::history::Line;

/// An entry of a conversation, as a row.
#[derive(Debug)]
pub(super) struct StoredEntry {
    /// `None` once the message is erased.
    pub(super) frame: Option<String>,
    pub(super) notice: Option<Line>,
    pub(super) expires_at: u64,
}
