//! Exit codes of the command.

/// An unexpected error.
pub const UNEXPECTED: u8 = 1;
/// The command line or the config is wrong.
pub const USAGE: u8 = 2;
/// The stack failed, is busy, or does not answer.
pub const STACK_FAILED: u8 = 3;
/// AWS refused.
pub const DENIED: u8 = 4;
/// `diff` found changes.
pub const DIFFERENT: u8 = 5;
/// The user has interrupted the command.
pub const INTERRUPTED: u8 = 130;
