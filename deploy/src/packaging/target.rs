//! What Rust calls the targets that Lambda runs.

use crate::config::Architecture;

/// The Rust target for Lambda's runtimes on this processor.
pub(super) fn triple(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
    }
}
