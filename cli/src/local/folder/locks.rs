//! Who holds a stack: the process that runs it, a command that changes it. The kernel lets go of a lock when its holder ends.

use std::fs::{File, TryLockError};
use std::time::Duration;

use super::{Result, StateFolder, private};
use crate::engine::TargetError;

impl StateFolder {
    /// Holds the stack for the process that runs it; `None` when another one does.
    pub(in crate::local) fn lock(&self) -> Result<Option<File>> {
        self.lock_file("lock", File::try_lock)
    }

    /// As [`StateFolder::lock`], but waits out commands that only look whether it is held, for which they hold it
    /// themselves for a moment ([`StateFolder::is_alive`]).
    pub(in crate::local) async fn lock_patiently(&self) -> Result<Option<File>> {
        for _ in 0..100 {
            if let Some(lock) = self.lock()? {
                return Ok(Some(lock));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(None)
    }

    /// Holds the stack for a command; `None` when another one does.
    pub(in crate::local) fn reserve(&self) -> Result<Option<File>> {
        self.lock_file("command.lock", File::try_lock)
    }

    /// Whether a process runs this stack.
    pub(in crate::local) fn is_alive(&self) -> Result<bool> {
        if !self.path.join("lock").exists() {
            return Ok(false);
        }
        // Shared, so that two commands that look at once do not take each other for the stack.
        Ok(self.lock_file("lock", File::try_lock_shared)?.is_none())
    }

    fn lock_file(
        &self,
        name: &str,
        lock: impl FnOnce(&File) -> std::result::Result<(), TryLockError>,
    ) -> Result<Option<File>> {
        self.create()?;
        let path = self.path.join(name);
        let file = private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = file.map_err(|error| TargetError::file("open", &path, error))?;
        match lock(&file) {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(TargetError::file("lock", &path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::folder;
    use super::*;

    #[test]
    fn a_lock_that_nobody_holds_any_more_means_that_nothing_runs() {
        let (_root, folder) = folder();
        assert!(!folder.is_alive().unwrap());
        let held = folder.lock().unwrap().unwrap();
        assert!(folder.is_alive().unwrap());
        assert!(folder.lock().unwrap().is_none());
        drop(held);
        assert!(!folder.is_alive().unwrap());
    }

    #[tokio::test]
    async fn a_command_that_looks_whether_the_stack_runs_does_not_keep_it_from_starting() {
        let (_root, folder) = folder();
        let looking = folder.lock_file("lock", File::try_lock_shared);
        let looking = looking.unwrap().unwrap();
        assert!(!folder.is_alive().unwrap());
        let starting = folder.lock_patiently();
        assert!(folder.lock().unwrap().is_none());
        let looked = async move { drop(looking) };
        assert!(tokio::join!(starting, looked).0.unwrap().is_some());
    }
}
