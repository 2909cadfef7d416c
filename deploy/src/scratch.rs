//! Temporary folders that are removed however their process ends.
//!
//! Each contains a file that its owner keeps locked, and the kernel releases the lock with the process. The next
//! process that makes a folder removes those whose lock is free, if they belong to this user and are private.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat};
use tempfile::TempDir;

/// The prefix of every folder's name; the purpose follows.
const PREFIX: &str = "chatctl-";

const LOCK: &str = "lock";

/// The folders of this process, for an end without destructors.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A private temporary folder. It is removed with the value.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes a folder named after `purpose`, and removes those of ended processes.
    ///
    /// # Errors
    /// The folder of temporary files (`TMPDIR`) is full or not writable.
    pub fn new(purpose: &str) -> io::Result<Self> {
        let temporary = std::env::temp_dir();
        sweep(&temporary);
        loop {
            let folder = tempfile::Builder::new()
                .prefix(&format!("{PREFIX}{purpose}-"))
                .permissions(std::fs::Permissions::from_mode(0o700))
                .tempdir_in(&temporary)?;
            let lock = File::create_new(folder.path().join(LOCK))?;
            // Another process may have swept it already: a file that is not locked yet looks abandoned.
            if lock.try_lock().is_ok() && is_at(&lock, &folder.path().join(LOCK)) {
                let path = folder.path().to_owned();
                open_folders(|open| open.insert(path));
                return Ok(Self {
                    folder,
                    _lock: lock,
                });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        open_folders(|open| open.remove(self.folder.path()));
    }
}

/// Removes every folder of this process, which is about to end without destructors.
pub(crate) fn remove_all() {
    for folder in open_folders(std::mem::take) {
        // What cannot be removed now is swept by the next start.
        drop(std::fs::remove_dir_all(folder));
    }
}

fn open_folders<T>(work: impl FnOnce(&mut BTreeSet<PathBuf>) -> T) -> T {
    work(&mut OPEN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether `path` is still the file that is open.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

/// Removes the folders of ended processes in `temporary`.
fn sweep(temporary: &Path) {
    let entries = std::fs::read_dir(temporary).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
            // Held until the folder is gone, so that two processes do not sweep it at once.
            && let Some(_left) = left(&entry.path())
        {
            // What cannot be removed now is swept by the next process.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// The lock of an abandoned folder: one that belongs to this user, is private, and whose lock is free.
///
/// Every user of the machine can write to temporary folders, under any such name.
fn left(folder: &Path) -> Option<File> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = open(folder, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    let is_ours = |file: &OwnedFd, kind: FileType| {
        fstat(file).is_ok_and(|found| {
            found.st_uid == rustix::process::geteuid().as_raw()
                && found.st_mode & 0o077 == 0
                && FileType::from_raw_mode(found.st_mode) == kind
        })
    };
    if !is_ours(&folder, FileType::Directory) {
        return None;
    }
    let lock = openat(
        &folder,
        LOCK,
        flags | OFlags::RDWR | OFlags::NONBLOCK,
        Mode::empty(),
    );
    let lock = File::from(lock.ok()?);
    lock.try_lock().ok()?;
    Some(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_abandoned_folders_are_swept() {
        let temporary = tempfile::tempdir().unwrap();
        let make = |name: &str, mode: u32| {
            let folder = temporary.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(LOCK), "").unwrap();
            std::fs::write(folder.join("bootstrap"), "").unwrap();
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
            folder
        };
        let left = make("chatctl-dev-left", 0o700);
        let open_to_others = make("chatctl-dev-open", 0o755);
        let strangers = make("strangers", 0o700);
        let held = make("chatctl-build-held", 0o700);
        let lock = File::open(held.join(LOCK)).unwrap();
        lock.lock().unwrap();
        let unlocked = make("chatctl-dev-unlocked", 0o700);
        std::fs::remove_file(unlocked.join(LOCK)).unwrap();
        let linked = temporary.path().join("chatctl-dev-linked");
        symlink(&strangers, &linked).unwrap();
        let with_linked_lock = make("chatctl-dev-linked-lock", 0o700);
        std::fs::remove_file(with_linked_lock.join(LOCK)).unwrap();
        symlink(strangers.join(LOCK), with_linked_lock.join(LOCK)).unwrap();
        sweep(temporary.path());
        assert!(!left.exists());
        for stays in [&open_to_others, &held, &unlocked, &with_linked_lock] {
            assert!(stays.join("bootstrap").exists(), "{}", stays.display());
        }
        assert!(linked.is_symlink() && strangers.join("bootstrap").exists());
        drop(lock);
        sweep(temporary.path());
        assert!(!held.exists());
    }

    #[test]
    fn a_folder_is_private_is_not_swept_and_is_removed_with_its_value() {
        let scratch = Scratch::new("test").unwrap();
        let path = scratch.path().to_owned();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let another = Scratch::new("test").unwrap();
        assert!(path.exists() && another.path() != path);
        drop(scratch);
        assert!(!path.exists());
    }
}
