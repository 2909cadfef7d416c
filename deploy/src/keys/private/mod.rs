//! Private keys: one file each, in a folder that only its user can enter.

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use chat_identity::PrivateKey;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, open, openat, unlinkat};
use rustix::io::Errno;

use crate::engine::{ErrorKind, TargetError};

/// Where a private key comes from on a machine that has no file of it, such as one that runs tests.
pub const VARIABLE: &str = "CHATCTL_PRIVATE_KEY";

const MAX_BYTES: u64 = 16 * 1024;

/// The folder of the user's private keys, held open. Everything in it is checked each time that it is read.
#[derive(Debug)]
pub struct PrivateKeyFolder {
    handle: OwnedFd,
    path: PathBuf,
}

impl PrivateKeyFolder {
    /// The folder, if there is one.
    ///
    /// # Errors
    /// It is a link, belongs to another user, or others may enter it.
    pub fn for_user() -> Result<Option<Self>, TargetError> {
        Self::open(&place()?)
    }

    /// The folder; it is made where there is none.
    ///
    /// # Errors
    /// As for [`PrivateKeyFolder::for_user`]; or it cannot be made.
    pub fn make_for_user() -> Result<Self, TargetError> {
        Self::make(&place()?)
    }

    pub(super) fn make(path: &Path) -> Result<Self, TargetError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        // A link that leads nowhere cannot be made into a folder, and opening it says that it is a link.
        if let Err(error) = made
            && !path.is_symlink()
        {
            return Err(TargetError::file("make", path, error));
        }
        let gone = || TargetError::file("open", path, std::io::ErrorKind::NotFound.into());
        Self::open(path)?.ok_or_else(gone)
    }

    fn open(path: &Path) -> Result<Option<Self>, TargetError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = match open(path, flags, Mode::empty()) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            // Linux says the second of a link, too.
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let reason = match path.is_symlink() {
                    true => "it is a symbolic link",
                    false => "it is not a folder",
                };
                return Err(unsafe_place(path, reason, "move it away"));
            }
            Err(error) => return Err(TargetError::file("open", path, error.into())),
        };
        let stat =
            fstat(&handle).map_err(|error| TargetError::file("look at", path, error.into()))?;
        judge(&stat, path, "700")?;
        Ok(Some(Self {
            handle,
            path: path.to_owned(),
        }))
    }

    /// Where the private part of the key with the id `id` is, or would be; `None` where no file can have that name.
    pub fn file(&self, id: &str) -> Option<PathBuf> {
        Some(self.path.join(name(id)?))
    }

    /// The private part of the key with the id `id`, if it is here.
    ///
    /// # Errors
    /// Its file is a link, belongs to another user, can be read by others, or holds no private key.
    pub fn read(&self, id: &str) -> Result<Option<PrivateKey>, TargetError> {
        let Some(name) = name(id) else {
            return Ok(None);
        };
        let path = self.path.join(&name);
        // A pipe would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: File = match openat(&self.handle, &name, flags, Mode::empty()) {
            Ok(handle) => handle.into(),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(unsafe_place(
                    &path,
                    "it is a symbolic link",
                    "put the file itself there",
                ));
            }
            Err(error) => return Err(TargetError::file("read", &path, error.into())),
        };
        let failed = |error| TargetError::file("read", &path, error);
        let stat = fstat(&file).map_err(|error| failed(error.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(unsafe_place(&path, "it is not a file", "move it away"));
        }
        judge(&stat, &path, "600")?;
        let mut text = String::new();
        file.take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(failed)?;
        let key = PrivateKey::from_secret_text(&text).map_err(|error| TargetError {
            source: Some(Box::new(error)),
            ..TargetError::new(
                ErrorKind::Usage,
                format!("could not read the private key in {}", path.display()),
            )
            .with_hint("put a good copy there, or make a new key with `chatctl keys new`")
        })?;
        Ok(Some(key))
    }

    /// Writes `key` into a new file; the answer is where it is.
    ///
    /// # Errors
    /// There is such a file already, or it cannot be written.
    pub fn write(&self, key: &PrivateKey) -> Result<PathBuf, TargetError> {
        let name = name(key.public().id()).expect("the id of a new key is a file's name");
        let path = self.path.join(&name);
        let failed = |error| TargetError::file("write", &path, error);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = openat(&self.handle, &name, flags, Mode::RUSR | Mode::WUSR);
        let mut file: File = made.map_err(|error| failed(error.into()))?.into();
        let written = file
            .write_all(format!("{}\n", key.to_secret_text()).as_bytes())
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            drop(self.delete(key.public().id()));
            return Err(failed(error));
        }
        Ok(path)
    }

    /// Deletes the private part of the key with the id `id`; whether there was one.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn delete(&self, id: &str) -> Result<bool, TargetError> {
        let Some(name) = name(id) else {
            return Ok(false);
        };
        match unlinkat(&self.handle, &name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => {
                let path = self.path.join(&name);
                Err(TargetError::file("delete", &path, error.into()))
            }
        }
    }
}

/// The private key that the environment holds, if it holds one.
///
/// # Errors
/// It holds something else. The message does not quote it.
pub(super) fn from_environment() -> Result<Option<PrivateKey>, TargetError> {
    let Some(text) = std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let key = PrivateKey::from_secret_text(&text.to_string_lossy()).map_err(|error| {
        TargetError {
        source: Some(Box::new(error)),
        ..TargetError::new(
            ErrorKind::Usage,
            format!("could not use the private key in {VARIABLE}"),
        )
        .with_hint(
            "give it the content of the file that `chatctl keys list` names, whole and unchanged",
        )
    }
    })?;
    Ok(Some(key))
}

/// `$XDG_CONFIG_HOME/chatctl/keys`, else `~/.config/chatctl/keys`
/// (<https://specifications.freedesktop.org/basedir-spec/latest/>).
fn place() -> Result<PathBuf, TargetError> {
    let variable = |name| std::env::var_os(name);
    place_in(variable("XDG_CONFIG_HOME"), variable("HOME")).ok_or_else(|| {
        let message = "could not find the folder of your private keys: neither XDG_CONFIG_HOME nor HOME is an absolute path";
        TargetError::new(ErrorKind::Usage, message)
            .with_hint(format!("set HOME, or give the private key in {VARIABLE}"))
    })
}

/// Relative paths are ignored, as the specification asks.
fn place_in(config: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: Option<OsString>| path.map(PathBuf::from).filter(|it| it.is_absolute());
    let config = absolute(config).or_else(|| Some(absolute(home)?.join(".config")))?;
    Some(config.join("chatctl/keys"))
}

/// The name of the file for a key's id. Ids of others' keys may be any text, and are no file's name then.
fn name(id: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = (1..=128).contains(&id.len()) && id.chars().all(is_plain);
    fits.then(|| format!("{id}.json"))
}

/// Whether only this user can have read or written it.
fn judge(stat: &Stat, path: &Path, mode: &str) -> Result<(), TargetError> {
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        let reason = format!("it belongs to another user (id {})", stat.st_uid);
        let hint = "run chatctl as that user, or set XDG_CONFIG_HOME to a folder of your own";
        return Err(unsafe_place(path, &reason, hint));
    }
    let found = Mode::from_raw_mode(stat.st_mode);
    if found.intersects(Mode::RWXG | Mode::RWXO) {
        let reason = format!(
            "other users may use it (mode {:03o})",
            found.as_raw_mode() & 0o777
        );
        let hint = format!(
            "`chmod {mode} {}`; if others could have read a key, retire it and make a new one",
            shell_words::quote(&path.to_string_lossy())
        );
        return Err(unsafe_place(path, &reason, &hint));
    }
    Ok(())
}

fn unsafe_place(path: &Path, reason: &str, hint: &str) -> TargetError {
    let message = format!(
        "could not use {} for private keys: {reason}",
        path.display()
    );
    TargetError::new(ErrorKind::Usage, message).with_hint(hint)
}

#[cfg(test)]
mod tests;
