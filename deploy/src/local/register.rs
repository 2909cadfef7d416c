//! A register of this user's running local stacks, by which a stack is found whose folder was removed.
//!
//! It is a private folder outside of all projects, with a file for each stack. The file is named after the stack's
//! folder, is locked by the stack's process while that runs, and contains how to reach it. As with the stack's own
//! folder, a file's contents only count while its lock is held, and no process is ended by its id.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, open, openat, statat, unlinkat};
use sha2::{Digest, Sha256};

use super::records::Running;

/// The time to wait for commands that lock an entry for a moment to test it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The entry of a running stack. It is removed with the value, and does not count without it.
#[derive(Debug)]
pub(super) struct Entry {
    register: Register,
    name: String,
    _lock: File,
}

/// Enters the stack whose state is in `folder`. Without an entry, it cannot be found once that folder is gone.
///
/// `None` if there is no private folder for it, or another process has the entry.
pub(super) async fn enter(folder: &Path, running: &Running) -> Option<Entry> {
    let running = Running {
        template: None,
        ..running.clone()
    };
    let text = serde_json::to_vec(&running).ok()?;
    let name = name(folder);
    let began = tokio::time::Instant::now();
    while began.elapsed() < TIMEOUT {
        // Created each time, because the process that removes the last entry also removes the folder.
        let register = Register::open(&place(), true)?;
        if let Some(mut lock) = register.lock_new(&name) {
            register.sweep(&name);
            lock.set_len(0).ok()?;
            lock.write_all(&text).ok()?;
            return Some(Entry {
                register,
                name,
                _lock: lock,
            });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

impl Drop for Entry {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next process that enters.
        let _removed = unlinkat(&self.register.folder, &self.name, AtFlags::empty());
        drop(std::fs::remove_dir(&self.register.path));
    }
}

/// How to reach the process that runs a stack in `folder`, even if that folder is gone.
pub(super) fn find(folder: &Path) -> Option<Running> {
    let register = Register::open(&place(), false)?;
    let mut file = register.open_file(&name(folder), OFlags::RDONLY)?;
    // The lock is free: its process has ended without removing the entry.
    if file.try_lock_shared().is_ok() {
        return None;
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The folder of entries: in this user's runtime folder, else among the temporary folders.
fn place() -> PathBuf {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    match own.filter(|path| path.is_absolute()) {
        Some(own) => own.join("chatctl"),
        None => {
            let user = rustix::process::geteuid().as_raw();
            std::env::temp_dir().join(format!("chatctl-{user}"))
        }
    }
}

/// The name of the entry of the stack in `folder`, which is `.chatctl/STACK` in a project.
fn name(folder: &Path) -> String {
    let inside: Vec<_> = folder.components().rev().take(2).collect();
    let project = folder.ancestors().nth(2).unwrap_or(folder);
    // The same name through all links to the project.
    let project = std::fs::canonicalize(project).unwrap_or_else(|_| project.to_owned());
    let mut hash = Sha256::new();
    hash.update(project.as_os_str().as_encoded_bytes());
    for part in inside.iter().rev() {
        hash.update(b"/");
        hash.update(part.as_os_str().as_encoded_bytes());
    }
    hex::encode(&hash.finalize()[..16])
}

/// The folder of entries. Everything in it is accessed through this handle, and no link is followed.
#[derive(Debug)]
struct Register {
    path: PathBuf,
    folder: OwnedFd,
}

impl Register {
    /// Returns `None` if it is missing and must not be created, or if it is not private to this user.
    fn open(path: &Path, make: bool) -> Option<Self> {
        if make {
            use std::os::unix::fs::DirBuilderExt;
            drop(std::fs::DirBuilder::new().mode(0o700).create(path));
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = open(path, flags, Mode::empty()).ok()?;
        is_private(&folder, FileType::Directory).then(|| Self {
            path: path.to_owned(),
            folder,
        })
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Option<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(&self.folder, name, flags, mode).ok()?;
        is_private(&file, FileType::RegularFile).then(|| File::from(file))
    }

    /// Locks the file `name`, which is created if missing; `None` if another process holds it, or has just removed it.
    fn lock_new(&self, name: &str) -> Option<File> {
        let file = self.open_file(name, OFlags::RDWR | OFlags::CREATE)?;
        file.try_lock().ok()?;
        let (held, there) = (
            fstat(&file).ok()?,
            statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?,
        );
        ((held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)).then_some(file)
    }

    /// Removes all entries without a holder, except `mine`.
    fn sweep(&self, mine: &str) {
        let entries = std::fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            if name != mine
                && let Some(file) = self.open_file(&name, OFlags::RDWR)
                && file.try_lock().is_ok()
            {
                let _removed = unlinkat(&self.folder, name.as_str(), AtFlags::empty());
            }
        }
    }
}

/// Every user of the machine can write to temporary folders, under any name.
fn is_private(file: &OwnedFd, kind: FileType) -> bool {
    fstat(file).is_ok_and(|found| {
        found.st_uid == rustix::process::geteuid().as_raw()
            && found.st_mode & 0o077 == 0
            && FileType::from_raw_mode(found.st_mode) == kind
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn an_entry_only_counts_while_it_is_locked_and_in_a_private_folder() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("register");
        assert!(Register::open(&path, false).is_none());
        let register = Register::open(&path, true).unwrap();
        let held = register.lock_new("a").unwrap();
        assert!(register.lock_new("a").is_none());
        drop(register.lock_new("left").unwrap());
        register.sweep("b");
        assert!(path.join("a").exists() && !path.join("left").exists());
        drop(held);
        symlink(root.path().join("elsewhere"), path.join("link")).unwrap();
        assert!(register.lock_new("link").is_none());
        assert!(!root.path().join("elsewhere").exists());
        let public = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, public).unwrap();
        assert!(Register::open(&path, false).is_none());
        symlink(root.path(), root.path().join("linked")).unwrap();
        assert!(Register::open(&root.path().join("linked"), true).is_none());
    }

    #[test]
    fn a_stack_has_one_name_through_all_links_even_when_its_folder_is_gone() {
        let root = tempfile::tempdir().unwrap().path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("project/.chatctl/chat")).unwrap();
        symlink(root.join("project"), root.join("link")).unwrap();
        let of = |path: &str| name(&root.join(path));
        let before = of("project/.chatctl/chat");
        assert_eq!(of("link/.chatctl/chat"), before);
        assert_ne!(of("project/.chatctl/other"), before);
        std::fs::remove_dir_all(root.join("project/.chatctl")).unwrap();
        assert_eq!(of("link/.chatctl/chat"), before);
        std::fs::remove_dir_all(root.join("project")).unwrap();
        assert_eq!(of("project/.chatctl/chat"), before);
    }
}
