//! Handles of folders that chatctl has made: the only access to files below `.chatctl`.
//!
//! A clone or an archive can bring a folder of that name. So no link is followed, every name is looked up in an open
//! folder, and files that are not chatctl's are neither read nor written nor removed.

mod not_ours;
mod part;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat, mkdirat, openat, statat, unlinkat};
use rustix::io::Errno;

use crate::engine::TargetError;
pub(crate) use not_ours::NotOurs;
use not_ours::{Kind, judge};

/// An open folder that only this user can access.
#[derive(Debug)]
pub struct Directory {
    handle: OwnedFd,
    /// For messages only.
    path: PathBuf,
}

/// The most bytes that a file has which is read whole. An archive can bring a larger one.
const MAX_BYTES: u64 = 64 << 20;

type Result<T, E = TargetError> = std::result::Result<T, E>;

impl Directory {
    /// Opens the folder at `path`. The path to it may lead through links and belong to any user.
    pub fn whole(path: &Path) -> Result<Option<Self>> {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        Self::open(path.parent().unwrap_or(Path::new("/")), name)
    }

    /// Opens the folder `name` in `parent`, whose path may lead through links and belong to any user.
    pub(crate) fn open(parent: &Path, name: &str) -> Result<Option<Self>> {
        match File::open(parent) {
            Ok(parent_handle) => Self::at(parent_handle.as_fd(), name, parent.join(name)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TargetError::file("open", parent, error)),
        }
    }

    /// Like [`Directory::open`], but creates the folder if it is missing.
    pub(crate) fn make(parent: &Path, name: &str) -> Result<Self> {
        let opened = std::fs::create_dir_all(parent).and_then(|()| File::open(parent));
        let handle = opened.map_err(|error| TargetError::file("open", parent, error))?;
        Self::make_at(handle.as_fd(), name, parent.join(name))
    }

    /// Opens the folder `name` in this one.
    pub(crate) fn folder(&self, name: &str) -> Result<Option<Self>> {
        Self::at(self.handle.as_fd(), name, self.path.join(name))
    }

    /// Like [`Directory::folder`], but creates the folder if it is missing.
    pub(crate) fn make_folder(&self, name: &str) -> Result<Self> {
        Self::make_at(self.handle.as_fd(), name, self.path.join(name))
    }

    fn make_at(parent: BorrowedFd<'_>, name: &str, path: PathBuf) -> Result<Self> {
        match plain(name).and_then(|name| mkdirat(parent, name, Mode::RWXU)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(TargetError::file("make", &path, error.into())),
        }
        // Gone again: another command has removed it as the last stack's folder.
        let gone = || TargetError::file("open", &path, ErrorKind::NotFound.into());
        Self::at(parent, name, path.clone())?.ok_or_else(gone)
    }

    fn at(parent: BorrowedFd<'_>, name: &str, path: PathBuf) -> Result<Option<Self>> {
        if stat_at(parent, name, &path)?.is_none() {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = match openat(parent, name, flags, Mode::empty()) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            // It is no folder; the error names what it is.
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let stat = stat_at(parent, name, &path)?;
                let judged = stat.map(|stat| judge(&stat, Kind::Folder));
                return match judged.transpose() {
                    Err(not_ours) => Err(not_ours.error(&path)),
                    Ok(_) => Ok(None),
                };
            }
            Err(error) => {
                // Another user's folder may not be readable, so its owner is checked first: that makes the better
                // error.
                if let Some(stat) = stat_at(parent, name, &path)? {
                    judge(&stat, Kind::Folder).map_err(|not_ours| not_ours.error(&path))?;
                }
                return Err(TargetError::file("open", &path, error.into()));
            }
        };
        judge_open(&handle, Kind::Folder, &path)?;
        Ok(Some(Self { handle, path }))
    }

    /// Returns another handle of the same folder.
    pub(crate) fn again(&self) -> Result<Self> {
        let handle = self.handle.try_clone();
        Ok(Self {
            handle: handle.map_err(|error| TargetError::file("open", &self.path, error))?,
            path: self.path.clone(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns every name in the folder, in no order.
    pub(crate) fn names(&self) -> Result<Vec<OsString>> {
        let failed = |error: Errno| TargetError::file("list", &self.path, error.into());
        let mut names = Vec::new();
        let entries = match Dir::read_from(&self.handle) {
            // The folder itself is gone.
            Err(Errno::NOENT) => return Ok(names),
            other => other.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Whether the file `name` exists.
    ///
    /// # Errors
    /// Something has that name that is not ours, or is not a file.
    pub(crate) fn has(&self, name: &str) -> Result<bool> {
        self.look(name, Kind::File)
    }

    /// Like [`Directory::has`], for a file that is only read, and hashed before it is used.
    pub(crate) fn has_code(&self, name: &str) -> Result<bool> {
        self.look(name, Kind::Code)
    }

    fn look(&self, name: &str, kind: Kind) -> Result<bool> {
        let Some(stat) = self.stat(name)? else {
            return Ok(false);
        };
        judge(&stat, kind).map_err(|not_ours| not_ours.error(&self.path.join(name)))?;
        Ok(true)
    }

    /// Device and inode of what `name` refers to now; a link is not followed.
    pub(crate) fn identity(&self, name: &str) -> Result<Option<(u64, u64)>> {
        let stat = self.stat(name)?;
        Ok(stat.map(|stat| (number(stat.st_dev), number(stat.st_ino))))
    }

    fn stat(&self, name: &str) -> Result<Option<Stat>> {
        stat_at(self.handle.as_fd(), name, &self.path.join(name))
    }

    /// Reads the whole file `name`; `None` if it is missing.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.reading(name)? else {
            return Ok(None);
        };
        let failed = |error| TargetError::file("read", &self.path.join(name), error);
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        match bytes.len() as u64 > MAX_BYTES {
            true => {
                let words = format!(
                    "it has more than {} MB, which chatctl writes to no file",
                    MAX_BYTES >> 20
                );
                Err(failed(std::io::Error::other(words)))
            }
            false => Ok(Some(bytes)),
        }
    }

    /// Opens the file `name` for reading.
    pub(crate) fn reading(&self, name: &str) -> Result<Option<File>> {
        self.opened(name, OFlags::RDONLY, Kind::File)
    }

    /// Like [`Directory::reading`], for a file that is only read, and hashed before it is used.
    pub(crate) fn reading_code(&self, name: &str) -> Result<Option<File>> {
        self.opened(name, OFlags::RDONLY, Kind::Code)
    }

    /// Opens the file `name` for appending, and creates it if it is missing.
    pub(crate) fn appending(&self, name: &str) -> Result<File> {
        self.made(name, OFlags::WRONLY | OFlags::APPEND)
    }

    /// Opens the file `name` for locking, and creates it if it is missing.
    pub(crate) fn locking(&self, name: &str) -> Result<File> {
        self.made(name, OFlags::RDWR)
    }

    fn made(&self, name: &str, flags: OFlags) -> Result<File> {
        let gone = || TargetError::file("open", &self.path.join(name), ErrorKind::NotFound.into());
        self.opened(name, flags | OFlags::CREATE, Kind::File)?
            .ok_or_else(gone)
    }

    fn opened(&self, name: &str, flags: OFlags, kind: Kind) -> Result<Option<File>> {
        // Checked first, so that a pipe or a device is not opened. The flags cover one that replaces the file in
        // between.
        if !self.look(name, kind)? && !flags.contains(OFlags::CREATE) {
            return Ok(None);
        }
        let path = self.path.join(name);
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let handle = match openat(&self.handle, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(NotOurs::Link.error(&path)),
            Err(error) => return Err(TargetError::file("open", &path, error.into())),
        };
        judge_open(&handle, kind, &path)?;
        Ok(Some(handle.into()))
    }

    /// Renames the file `old` to `new`, replacing a file of that name.
    pub(crate) fn rename(&self, old: &str, new: &str) -> Result<()> {
        if self.has(old)? {
            self.has(new)?;
            rustix::fs::renameat(&self.handle, old, &self.handle, new)
                .map_err(|error| TargetError::file("rename", &self.path.join(old), error.into()))?;
        }
        Ok(())
    }

    /// Removes the file `name`. A missing file is no error.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        if self.look(name, Kind::Code)? {
            self.unlink(name, AtFlags::empty())?;
        }
        Ok(())
    }

    /// Removes the folder `name` if it is empty.
    pub(crate) fn remove_folder(&self, name: &str) -> Result<()> {
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<()> {
        match unlinkat(&self.handle, name, flags) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
            Err(error) => Err(TargetError::file(
                "remove",
                &self.path.join(name),
                error.into(),
            )),
        }
    }
}

/// Returns `name`, unless it would lead out of the folder that it is looked up in.
fn plain(name: &str) -> std::result::Result<&str, Errno> {
    let leads_elsewhere = matches!(name, "" | "." | "..") || name.contains('/');
    if leads_elsewhere {
        return Err(Errno::INVAL);
    }
    Ok(name)
}

fn stat_at(parent: BorrowedFd<'_>, name: &str, path: &Path) -> Result<Option<Stat>> {
    match plain(name).and_then(|name| statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(TargetError::file("look at", path, error.into())),
    }
}

fn judge_open(handle: &OwnedFd, kind: Kind, path: &Path) -> Result<()> {
    let stat = rustix::fs::fstat(handle)
        .map_err(|error| TargetError::file("look at", path, error.into()))?;
    judge(&stat, kind).map_err(|not_ours| not_ours.error(path))
}

/// Its type differs between systems.
fn number(value: impl TryInto<u64>) -> u64 {
    value.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests;
