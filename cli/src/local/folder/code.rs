//! The functions' code in a local stack's folder, each under its digest.

use std::path::Path;

use super::{Result, StateFolder, create_private};
use crate::engine::TargetError;
use crate::local::records::CodeFolders;

impl StateFolder {
    /// Copies `executable` to where [`StateFolder::code`] says. Answers whether it was there already.
    pub(in crate::local) fn keep_code(&self, executable: &Path, digest: &str) -> Result<bool> {
        let folder = self.code(digest);
        let bootstrap = folder.join("bootstrap");
        if bootstrap.exists() {
            return Ok(true);
        }
        create_private(&folder)?;
        let copied = folder.join("bootstrap.part");
        let copy = || -> std::io::Result<()> {
            std::fs::copy(executable, &copied)?;
            std::fs::set_permissions(&copied, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
            std::fs::rename(&copied, &bootstrap)
        };
        copy().map_err(|error| TargetError::file("copy the handlers to", &bootstrap, error))?;
        Ok(false)
    }

    /// Removes every code but that in use.
    pub(in crate::local) fn drop_other_code(&self, used: &CodeFolders) {
        for entry in std::fs::read_dir(self.path.join("code"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if !used.values().any(|folder| *folder == entry.path()) {
                // What cannot be removed now is tried again after the next deployment.
                drop(std::fs::remove_dir_all(entry.path()));
            }
        }
    }
}
