//! Random pauses, and marks of messages.

use chatctl_deploy::engine::random_bytes;

/// In 0..1.
pub(super) fn random() -> f64 {
    f64::from(u16::from_le_bytes(random_bytes())) / f64::from(u16::MAX)
}

pub(super) fn random_text() -> String {
    format!("{:x}", u64::from_le_bytes(random_bytes()))
}
