//! Who holds a stack: the process that runs it, a command that changes it. The kernel lets go of a lock when its holder ends.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::{Result, StateFolder};
use crate::engine::TargetError;

impl StateFolder {
    /// Holds the stack for the process that runs it; `None` when another one does.
    pub(in crate::local) fn lock(&self) -> Result<Option<File>> {
        self.hold("lock")
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
        self.hold("command.lock")
    }

    /// Whether a process runs this stack. Makes nothing and writes nothing, so that it is known where nothing may be
    /// written, too.
    pub(in crate::local) fn is_alive(&self) -> Result<bool> {
        let Some(file) = self.look_at("lock")? else {
            return Ok(false);
        };
        // Shared, so that two commands that look at once do not take each other for the stack.
        Ok(!self.try_to(File::try_lock_shared, &file, "lock")?)
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
            // A teardown may have removed it between the two, and then it keeps nobody away.
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

    /// Whether `lock` gets what it wants of `file`; `false` when somebody else holds it.
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
    let metadata = file.metadata();
    let metadata = metadata.map_err(|error| TargetError::file("look at", path, error))?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::folder;

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
        drop(folder.lock().unwrap());
        let looking = folder.look_at("lock").unwrap().unwrap();
        looking.try_lock_shared().unwrap();
        assert!(!folder.is_alive().unwrap());
        let starting = folder.lock_patiently();
        assert!(folder.lock().unwrap().is_none());
        let looked = async move { drop(looking) };
        assert!(tokio::join!(starting, looked).0.unwrap().is_some());
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_meanwhile_is_none() {
        let (_root, folder) = folder();
        let first = folder.reserve().unwrap().unwrap();
        folder.remove().unwrap();
        let second = folder.reserve().unwrap().unwrap();
        drop(first);
        assert!(folder.reserve().unwrap().is_none());
        drop(second);
    }

    /// Root may write everywhere, so this thread becomes another user. Other threads stay who they are.
    #[cfg(target_os = "linux")]
    #[test]
    fn whether_a_stack_runs_is_known_in_a_folder_that_may_not_be_written_to() {
        use std::os::unix::fs::PermissionsExt;
        let (root, folder) = folder();
        let held = folder.lock().unwrap().unwrap();
        let state = [
            root.path().to_owned(),
            root.path().join(".chatctl"),
            folder.path().to_owned(),
            folder.path().join("lock"),
        ];
        let nobody = rustix::process::Uid::from_raw(65_534);
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
                    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
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
