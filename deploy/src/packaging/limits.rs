//! Names and limits that all of packaging shares.

/// Our handlers' package and binary.
pub(super) const PACKAGE: &str = "chat-lambdas";
pub(super) const BINARY: &str = "chat";

/// The variable with folders, separated as in PATH, whose contents are built regardless of their owner.
pub(super) const SAFE_FOLDERS: &str = "CHATCTL_SAFE_FOLDERS";

/// The most bytes of a `Cargo.toml`.
pub(super) const MAX_MANIFEST: u64 = 4 << 20;

/// The largest unzipped code of a function, in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub(super) const MAX_CODE: u64 = 250 * 1024 * 1024;
