//! The locks of a stack: one for the process that runs it, one for a command that changes it. The kernel releases a
//! lock when its holder ends.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::{Result, StateFolder};
use crate::engine::TargetError;

impl StateFolder {
    /// Locks the stack for the process that runs it; `None` if another one holds the lock.
    pub(in crate::local) fn lock(&self) -> Result<Option<File>> {
        self.hold("lock")
    }

    /// Like [`StateFolder::lock`], but waits for commands that hold the lock for a moment to test it
    /// ([`StateFolder::is_alive`]).
    pub(in crate::local) async fn lock_when_free(&self) -> Result<Option<File>> {
        for _ in 0..100 {
            if let Some(lock) = self.lock()? {
                return Ok(Some(lock));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(None)
    }

    /// Locks the stack for a command; `None` if another one holds the lock.
    pub(in crate::local) fn reserve(&self) -> Result<Option<File>> {
        self.hold("command.lock")
    }

    /// Whether a process runs this stack. Creates and writes nothing, so it also works in a read-only folder.
    pub(in crate::local) fn is_alive(&self) -> Result<bool> {
        let Some(file) = self.look_at("lock")? else {
            return Ok(false);
        };
        // Shared, so that two commands that test at once do not take each other for the stack.
        Ok(!self.try_to(File::try_lock_shared, &file, "lock")?)
    }

    /// Whether a command holds the lock of [`StateFolder::reserve`]. Creates and writes nothing.
    pub(in crate::local) fn is_reserved(&self) -> Result<bool> {
        let Some(file) = self.look_at("command.lock")? else {
            return Ok(false);
        };
        Ok(!self.try_to(File::try_lock_shared, &file, "command.lock")?)
    }

    fn look_at(&self, name: &str) -> Result<Option<File>> {
        self.open()?.map_or(Ok(None), |folder| folder.reading(name))
    }

    fn hold(&self, name: &str) -> Result<Option<File>> {
        loop {
            let folder = self.make()?;
            let file = folder.locking(name)?;
            if !self.try_to(File::try_lock, &file, name)? {
                return Ok(None);
            }
            // A teardown may have removed the file in between; then its lock excludes nothing.
            let held = identity(&file, &self.path.join(name))?;
            let there = match self.open()? {
                Some(folder) => folder.identity(name)?,
                None => None,
            };
            if there == Some(held) {
                return Ok(Some(file));
            }
        }
    }

    /// Whether `lock` succeeds on `file`; `false` if another holder has it.
    fn try_to(
        &self,
        lock: impl FnOnce(&File) -> std::result::Result<(), TryLockError>,
        file: &File,
        name: &str,
    ) -> Result<bool> {
        match lock(file) {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(self.not_locked(name, error)),
        }
    }

    fn not_locked(&self, name: &str, error: std::io::Error) -> TargetError {
        TargetError::file("lock", &self.path.join(name), error)
    }
}

/// Device and inode of an open file.
pub(super) fn identity(file: &File, path: &Path) -> Result<(u64, u64)> {
    let metadata = file
        .metadata()
        .map_err(|error| TargetError::file("look at", path, error))?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::folder;

    #[test]
    fn a_released_lock_means_that_nothing_runs() {
        let (_root, folder) = folder();
        assert!(!folder.is_alive().unwrap());
        let held = folder.lock().unwrap().unwrap();
        assert!(folder.is_alive().unwrap());
        assert!(folder.lock().unwrap().is_none());
        drop(held);
        assert!(!folder.is_alive().unwrap());
    }

    #[tokio::test]
    async fn a_command_that_tests_the_lock_does_not_keep_the_stack_from_starting() {
        let (_root, folder) = folder();
        drop(folder.lock().unwrap());
        let looking = folder.look_at("lock").unwrap().unwrap();
        looking.try_lock_shared().unwrap();
        assert!(!folder.is_alive().unwrap());
        let starting = folder.lock_when_free();
        assert!(folder.lock().unwrap().is_none());
        let looked = async move { drop(looking) };
        assert!(tokio::join!(starting, looked).0.unwrap().is_some());
    }

    #[test]
    fn a_lock_on_a_removed_file_does_not_count() {
        let (_root, folder) = folder();
        let first = folder.reserve().unwrap().unwrap();
        folder.remove().unwrap();
        let second = folder.reserve().unwrap().unwrap();
        drop(first);
        assert!(folder.reserve().unwrap().is_none());
        drop(second);
    }

    /// Root may write everywhere, so this thread becomes another user. Other threads keep their user.
    #[cfg(target_os = "linux")]
    #[test]
    fn is_alive_works_in_a_read_only_folder() {
        use std::os::unix::fs::PermissionsExt;
        let (root, folder) = folder();
        let held = folder.lock().unwrap().unwrap();
        let state = [
            root.path().to_owned(),
            root.path().join(".chatctl"),
            folder.path().to_owned(),
            folder.path().join("lock"),
        ];
        let other_user = rustix::process::Uid::from_raw(65_534);
        let is_root = rustix::process::geteuid().is_root();
        for path in &state {
            let mode = if path.is_dir() { 0o500 } else { 0o400 };
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
            if is_root {
                std::os::unix::fs::chown(path, Some(65_534), None).unwrap();
            }
        }
        let looked = std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                if is_root {
                    rustix::thread::set_thread_res_uid(other_user, other_user, other_user).unwrap();
                }
                let refused = folder.reserve().unwrap_err();
                (refused.to_string(), folder.is_alive().unwrap())
            });
            looking.join().unwrap()
        });
        for path in &state {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
        }
        assert!(looked.0.starts_with("could not "), "{}", looked.0);
        assert!(looked.1);
        drop(held);
    }
}
