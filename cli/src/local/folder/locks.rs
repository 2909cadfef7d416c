//! Who holds a local stack. The kernel lets go of a lock when its process ends, however that comes.

use std::fs::{File, TryLockError};
use std::time::Duration;

use super::{Result, StateFolder, private};
use crate::engine::TargetError;

/// Held by the process that runs the stack.
const RUNS: &str = "lock";
/// Held by a command that changes the stack.
const CHANGES: &str = "command.lock";

/// How often and how far apart a lock is asked for that somebody may only be looking at.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

impl StateFolder {
    /// Holds the stack for the process that runs it; `None` when another one does.
    ///
    /// Blocks for up to half a second: whoever only looks, with [`StateFolder::is_alive`], is in the way for a moment.
    pub(in crate::local) fn lock(&self) -> Result<Option<File>> {
        for _ in 1..ATTEMPTS {
            if let Some(held) = self.lock_file(RUNS, File::try_lock)? {
                return Ok(Some(held));
            }
            std::thread::sleep(PAUSE);
        }
        self.lock_file(RUNS, File::try_lock)
    }

    /// Holds the stack for a command; `None` when another one does.
    pub(in crate::local) fn reserve(&self) -> Result<Option<File>> {
        self.lock_file(CHANGES, File::try_lock)
    }

    /// Whether a process runs this stack. Any number may ask at the same time.
    pub(in crate::local) fn is_alive(&self) -> Result<bool> {
        if !self.path.join(RUNS).exists() {
            return Ok(false);
        }
        Ok(self.lock_file(RUNS, File::try_lock_shared)?.is_none())
    }

    fn lock_file(
        &self,
        name: &str,
        lock: fn(&File) -> std::result::Result<(), TryLockError>,
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
    use super::*;

    fn folder() -> (tempfile::TempDir, StateFolder) {
        let root = tempfile::tempdir().unwrap();
        let folder = StateFolder::new(root.path().join(".chatctl/chat"));
        (root, folder)
    }

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

    #[test]
    fn two_who_look_at_once_do_not_take_each_other_for_the_stacks_process() {
        let (_root, folder) = folder();
        let looks = folder.lock_file(RUNS, File::try_lock_shared).unwrap();
        assert!(looks.is_some() && !folder.is_alive().unwrap());
    }

    #[test]
    fn a_process_starts_although_somebody_is_looking_whether_it_runs() {
        let (_root, folder) = folder();
        let looks = folder.lock_file(RUNS, File::try_lock_shared).unwrap();
        let starts = std::thread::spawn({
            let folder = folder.clone();
            move || folder.lock().unwrap()
        });
        assert!(folder.lock_file(RUNS, File::try_lock).unwrap().is_none());
        drop(looks);
        assert!(starts.join().unwrap().is_some());
    }

    #[test]
    fn a_stack_that_is_started_under_constant_watching_gets_its_lock() {
        let (_root, folder) = folder();
        drop(folder.lock().unwrap());
        std::thread::scope(|scope| {
            let (stop, stopped) = std::sync::mpsc::channel::<()>();
            let watched = folder.clone();
            scope.spawn(move || {
                while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                    watched.is_alive().unwrap();
                }
            });
            for _ in 0..100 {
                assert!(folder.lock().unwrap().is_some());
            }
            drop(stop);
        });
    }
}
