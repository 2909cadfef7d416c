//! What clients are told. The other direction needs no protocol: a direct message is passed on as it is.

/// What a sender receives when the friend cannot be reached. Clients may compare it: it is part of the interface.
pub const FRIEND_NOT_REACHABLE: &str =
    "Your friend is not reachable. Connect from the other terminal and then try again";
