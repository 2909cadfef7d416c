//! Stores the functions' code in the stack's folder, by digest.

use super::LocalTarget;
use crate::config::names::StackName;
use crate::engine::{Asset, AssetStore, TargetError};
use crate::packaging::Executable;

/// The asset's bucket name for the local target, which has no bucket.
const BUCKET: &str = "local";

/// This machine's processor, by Lambda's name.
const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "x86_64"
};

/// Where `executable` is kept.
pub(super) fn located(executable: &Executable) -> Asset {
    Asset {
        bucket: BUCKET.into(),
        key: executable.digest.clone(),
        architecture: ARCHITECTURE,
        size: executable.size,
        already_there: false,
    }
}

impl AssetStore for LocalTarget {
    type Handlers = Executable;

    async fn locate(
        &self,
        _stack: &StackName,
        executable: &Executable,
    ) -> Result<Asset, TargetError> {
        Ok(located(executable))
    }

    async fn publish(
        &self,
        stack: &StackName,
        executable: &Executable,
    ) -> Result<Asset, TargetError> {
        let already_there = self
            .folder(stack)?
            .keep_code(&executable.path, &executable.digest)?;
        Ok(Asset {
            already_there,
            ..located(executable)
        })
    }
}
