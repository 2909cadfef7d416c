//! The fuzz target of what users hand over as an executable.

use super::elf::{Unfit, inspect};
use crate::config::Architecture;

/// An executable.
pub fn elf(data: &[u8]) {
    match inspect(data, None) {
        Ok(fit) => {
            let other = match fit.architecture {
                Architecture::X86_64 => Architecture::Arm64,
                Architecture::Arm64 => Architecture::X86_64,
            };
            assert_eq!(inspect(data, Some(fit.architecture)), Ok(fit));
            let refused = inspect(data, Some(other));
            assert!(matches!(refused, Err(Unfit::Architecture { .. })));
        }
        Err(unfit) => assert!(!unfit.to_string().is_empty() && !unfit.hint().is_empty()),
    }
}
