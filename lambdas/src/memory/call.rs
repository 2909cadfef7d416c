//! The calls of the table in memory.

/// The calls of [`ConnectionStore`](crate::store::ConnectionStore) and [`History`](crate::history::History), to inject a fault into one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`ConnectionStore::remember`](crate::store::ConnectionStore::remember)
    Remember,
    /// [`ConnectionStore::join`](crate::store::ConnectionStore::join)
    Join,
    /// [`ConnectionStore::leave`](crate::store::ConnectionStore::leave) and [`AnnouncementStore::take_out`](crate::presence::AnnouncementStore::take_out)
    Leave,
    /// [`ConnectionStore::members`](crate::store::ConnectionStore::members) and [`ConnectionStore::people`](crate::store::ConnectionStore::people)
    Members,
    /// [`ConnectionStore::remember_session`](crate::store::ConnectionStore::remember_session)
    RememberSession,
    /// [`ConnectionStore::forget`](crate::store::ConnectionStore::forget)
    Forget,
    /// [`ConnectionStore::forget_session`](crate::store::ConnectionStore::forget_session)
    ForgetSession,
    /// [`ConnectionStore::connections_of`](crate::store::ConnectionStore::connections_of)
    ConnectionsOf,
    /// [`ConnectionStore::ban_of`](crate::store::ConnectionStore::ban_of)
    BanOf,
    /// [`ConnectionStore::count_message`](crate::store::ConnectionStore::count_message)
    CountMessage,
    /// [`ConnectionStore::session_of`](crate::store::ConnectionStore::session_of)
    SessionOf,
    /// The other calls of [`AnnouncementStore`](crate::presence::AnnouncementStore)
    AnnouncementStore,
    /// [`History::keep`](crate::history::History::keep)
    Keep,
    /// [`History::read`](crate::history::History::read)
    ReadHistory,
    /// [`History::find`](crate::history::History::find)
    FindKept,
    /// [`History::erase`](crate::history::History::erase)
    Erase,
}
