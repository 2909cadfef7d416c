//! How many connections a local stack can have: each is an open file.

/// Raises this process's limit on open files as far as the system lets it.
///
/// Many systems start programs with 1,024 (macOS with 256), which a room of that size uses up.
pub(super) fn allow_many() {
    // Where it cannot be raised, the gateway says so once it matters.
    let _as_it_was = rlimit::increase_nofile_limit(u64::MAX);
}
