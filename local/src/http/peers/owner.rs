//! The owner of a connection, as far as the system reveals it.

/// The owner of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user with this id.
    User(u32),
    /// The other end is closed, so there is no owner, and no response is needed.
    Gone,
    /// The system does not reveal it.
    Unknown,
}
