//! Writes files that appear under their name only once they are complete.

use std::fs::File;
use std::io::Write;

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::{Directory, Result};
use crate::engine::TargetError;
use crate::engine::random_hex;

/// The suffix of unfinished files.
const END: &str = ".part";

/// A new file under a random name. It is removed with the value, unless it is finished.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    folder: &'a Directory,
    name: String,
    own: &'a str,
    pub(crate) file: File,
}

impl Directory {
    /// Begins the file `name`. Only this user may read it, and run it if `mode` says so.
    pub(crate) fn begin<'a>(&'a self, name: &'a str, mode: Mode) -> Result<Part<'a>> {
        let part = format!("{name}.{}{END}", random_hex::<16>());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let made = super::plain(name)
            .and_then(|_| openat(&self.handle, &part, flags | OFlags::CLOEXEC, mode));
        let failed = |error: Errno| TargetError::file("make", &self.path.join(&part), error.into());
        let file = made.map_err(failed)?.into();
        Ok(Part {
            folder: self,
            name: part,
            own: name,
            file,
        })
    }

    /// Writes the complete file `name`, or nothing.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut part = self.begin(name, Mode::RUSR | Mode::WUSR)?;
        part.file
            .write_all(bytes)
            .map_err(|error| TargetError::file("write", &self.path.join(name), error))?;
        part.finish()
    }

    /// Whether `part` is an unfinished file `name` that a killed command may have left.
    pub(crate) fn is_part_of(part: &str, name: &str) -> bool {
        let middle = part
            .strip_prefix(name)
            .and_then(|rest| rest.strip_suffix(END));
        middle.is_some_and(|middle| {
            middle.strip_prefix('.').is_some_and(|random| {
                random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        })
    }
}

impl Part<'_> {
    /// Renames the file to its own name. It replaces a previous file of that name, if that was ours.
    pub(crate) fn finish(self) -> Result<()> {
        let folder = self.folder;
        folder.has_code(self.own)?;
        renameat(&folder.handle, &self.name, &folder.handle, self.own)
            .map_err(|error| TargetError::file("write", &folder.path.join(self.own), error.into()))
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // The renamed file has nothing left to remove.
        let _gone = unlinkat(&self.folder.handle, &self.name, AtFlags::empty());
    }
}
