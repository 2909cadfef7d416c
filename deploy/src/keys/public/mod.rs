//! `chatctl.keys.json`: the public keys whose tokens a stack accepts, as a JWK Set (RFC 7517).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind as IoKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chat_identity::{KeyError, KeySet, PublicKey};
use chat_protocol::auth::{KEYS_FILE as FILE_NAME, MAX_KEYS, MAX_KEYS_BYTES};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use serde_json::{Map, Value, json};

use crate::engine::{ErrorKind, TargetError};

/// Commands that change the file hold it for a moment only.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
const LOCK_ATTEMPTS: u32 = 500;

const MAX_BYTES: u64 = MAX_KEYS_BYTES as u64;

/// The member of the document that holds the keys.
const KEYS: &str = "keys";

/// The public keys of one chat, and the document that they were read from.
///
/// Whatever else the document holds stays in it; a document that cannot be kept whole is refused.
#[derive(Debug)]
pub struct PublicKeyFile {
    path: PathBuf,
    document: Map<String, Value>,
    keys: Vec<PublicKey>,
    /// Keeps other commands from writing the file meanwhile. `None` where it is only read.
    _lock: Option<File>,
}

/// What became of a key that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The key was added.
    New,
    /// The same key is in the file already.
    AlreadyThere,
}

impl PublicKeyFile {
    /// Reads the file in `folder`; a missing one has no keys.
    ///
    /// # Errors
    /// It is a link, cannot be read, holds a private key, or holds something that is no key for tokens.
    pub fn load(folder: &Path) -> Result<Self, TargetError> {
        Self::read(folder, None)
    }

    /// [`PublicKeyFile::load`] for a change: other commands that want to change it wait until the answer is dropped.
    ///
    /// # Errors
    /// As for [`PublicKeyFile::load`].
    pub fn load_to_change(folder: &Path) -> Result<Self, TargetError> {
        let shown = shown(folder);
        let lock = File::open(shown).map_err(|error| TargetError::file("open", shown, error))?;
        for _ in 0..LOCK_ATTEMPTS {
            match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
                // Not every file system has locks; without them two commands at the same moment may lose a key.
                Ok(()) | Err(_) => return Self::read(folder, Some(lock)),
            }
        }
        let message = format!(
            "could not change the keys in {}: another command has been changing them for {:?}",
            folder.join(FILE_NAME).display(),
            LOCK_PAUSE * LOCK_ATTEMPTS
        );
        Err(TargetError::new(ErrorKind::Failed, message).with_hint("try again once it has ended"))
    }

    fn read(folder: &Path, lock: Option<File>) -> Result<Self, TargetError> {
        let path = folder.join(FILE_NAME);
        let document = match text(&path)? {
            None => Map::new(),
            Some(text) => chat_identity::object(&text)
                .map_err(|error| wrong(&path, format!("it is not a JSON object: {error}")))?,
        };
        let keys = keys(&document).map_err(|(reason, is_private)| {
            let error = wrong(&path, reason);
            match is_private {
                true => error.with_hint(format!(
                    "remove it from {} and retire that key: what was in a project's folder is no secret any more",
                    path.display()
                )),
                false => error,
            }
        })?;
        Ok(Self {
            path,
            document,
            keys,
            _lock: lock,
        })
    }

    /// Where the file is, or would be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys, in the order of the file.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Adds `key` at the end and writes the file.
    ///
    /// # Errors
    /// There are [`MAX_KEYS`] already, another key has the same id, or the file cannot be written.
    pub fn add(&mut self, key: &PublicKey) -> Result<Added, TargetError> {
        let added = self.put(key)?;
        self.write()?;
        Ok(added)
    }

    /// Adds `keys`, all of them or none.
    ///
    /// # Errors
    /// As for [`PublicKeyFile::add`].
    pub fn add_all(&mut self, keys: &[PublicKey]) -> Result<Vec<Added>, TargetError> {
        let added = keys
            .iter()
            .map(|key| self.put(key))
            .collect::<Result<_, _>>()?;
        self.write()?;
        Ok(added)
    }

    fn put(&mut self, key: &PublicKey) -> Result<Added, TargetError> {
        let is_same = |other: &PublicKey| other.thumbprint() == key.thumbprint();
        if let Some(there) = self.keys.iter().find(|other| is_same(other)) {
            if there.id() == key.id() {
                return Ok(Added::AlreadyThere);
            }
            return Err(self.refused(
                format!(
                    "the same key is there already, with the id `{}`",
                    there.id()
                ),
                format!(
                    "`chatctl keys retire {}` first, to give it another id",
                    quoted(there.id())
                ),
            ));
        }
        if self.keys.iter().any(|other| other.id() == key.id()) {
            return Err(self.refused(
                format!("another key has the id `{}`", key.id()),
                "give the new one another id with `--id`, or retire the old one first",
            ));
        }
        if self.keys.len() >= MAX_KEYS {
            return Err(self.refused(
                format!("it has {MAX_KEYS} keys, and a stack accepts no more"),
                "`chatctl keys list` shows them, `chatctl keys retire KID` removes one",
            ));
        }
        let list = self.document.entry(KEYS).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(key.to_jwk());
        }
        self.keys.push(key.clone());
        Ok(Added::New)
    }

    /// The key whose id is `id`, or begins with it where no other one does.
    ///
    /// # Errors
    /// None does, or several do.
    pub fn find(&self, id: &str) -> Result<&PublicKey, TargetError> {
        if let Some(key) = self.keys.iter().find(|key| key.id() == id) {
            return Ok(key);
        }
        let mut several = self.keys.iter().filter(|key| key.id().starts_with(id));
        let hint = "`chatctl keys list` shows the ids";
        match (several.next(), several.next()) {
            (Some(key), None) if !id.is_empty() => Ok(key),
            (Some(_), Some(_)) => Err(self.refused(
                format!("several keys have an id that begins with `{id}`"),
                hint,
            )),
            _ => Err(self.refused(format!("it has no key with the id `{id}`"), hint)),
        }
    }

    /// Removes the key whose id is `id`, and writes the file.
    ///
    /// # Errors
    /// There is no such key, or the file cannot be written.
    pub fn retire(&mut self, id: &str) -> Result<(), TargetError> {
        let place = self.keys.iter().position(|key| key.id() == id);
        let place =
            place.ok_or_else(|| self.refused(format!("it has no key with the id `{id}`"), LIST))?;
        self.keys.remove(place);
        if let Some(Value::Array(list)) = self.document.get_mut(KEYS) {
            list.remove(place);
        }
        self.write()
    }

    fn refused(&self, reason: impl std::fmt::Display, hint: impl Into<String>) -> TargetError {
        TargetError::new(
            ErrorKind::Usage,
            format!(
                "could not change the keys in {}: {reason}",
                self.path.display()
            ),
        )
        .with_hint(hint)
    }

    /// Replaces the file at once: a reader sees the old keys or the new ones.
    fn write(&self) -> Result<(), TargetError> {
        let failed = |error| TargetError::file("write", &self.path, error);
        let folder = shown(self.path.parent().unwrap_or(Path::new("")));
        let mode = match self.path.symlink_metadata() {
            Ok(found) if found.is_symlink() => return Err(link(&self.path)),
            Ok(found) => found.mode() & 0o777,
            Err(_none) => 0o644,
        };
        let mut file = tempfile::Builder::new()
            .prefix(".chatctl.keys.")
            .permissions(std::fs::Permissions::from_mode(mode))
            .tempfile_in(folder)
            .map_err(failed)?;
        let document = Value::Object(self.document.clone());
        let text = format!("{document:#}\n");
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&self.path)
            .map_err(|error| failed(error.error))?;
        Ok(())
    }
}

const LIST: &str = "`chatctl keys list` shows the ids";

fn quoted(text: &str) -> String {
    shell_words::quote(text).into_owned()
}

/// The folder of a path that may be relative to the working folder.
fn shown(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

/// The whole file; `None` where there is none.
fn text(path: &Path) -> Result<Option<String>, TargetError> {
    // A pipe would wait for a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(link(path));
        }
        Err(error) => return Err(TargetError::file("read", path, error)),
    };
    let failed = |error| TargetError::file("read", path, error);
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(wrong(path, "it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(wrong(path, format!("it has more than {MAX_BYTES} bytes")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(wrong(path, "it is not UTF-8")),
    }
}

/// The keys in `document`, or why there are none, and whether the reason is a private key.
fn keys(document: &Map<String, Value>) -> Result<Vec<PublicKey>, (String, bool)> {
    let list = match document.get(KEYS) {
        None if document.is_empty() => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        _ => return Err(("it is not a JWK Set: it has no list `keys`".into(), false)),
    };
    if list.len() > MAX_KEYS {
        let reason = format!("it has {} keys, and a stack accepts {MAX_KEYS}", list.len());
        return Err((reason, false));
    }
    let read = |(index, jwk)| {
        PublicKey::from_jwk(jwk).map_err(|error| match error {
            KeyError::Private => (format!("key {} in it is a private key", index + 1), true),
            error => (
                format!("key {} in it cannot be used: {error}", index + 1),
                false,
            ),
        })
    };
    let keys: Vec<_> = list
        .iter()
        .enumerate()
        .map(read)
        .collect::<Result<_, _>>()?;
    // Ids that stand twice.
    KeySet::new(keys.iter().cloned()).map_err(|error| (error.to_string(), false))?;
    Ok(keys)
}

fn wrong(path: &Path, reason: impl std::fmt::Display) -> TargetError {
    let message = format!("could not use the keys in {}: {reason}", path.display());
    TargetError::new(ErrorKind::Usage, message).with_hint(format!(
        "{FILE_NAME} is a JWK Set of public keys; put it right, or move it away and add the keys again with `chatctl keys add`"
    ))
}

fn link(path: &Path) -> TargetError {
    let message = format!("could not use {}: it is a symbolic link", path.display());
    let hint = "it decides who may connect, so it must be a file of this folder; replace the link by a copy of what it leads to";
    TargetError::new(ErrorKind::Usage, message).with_hint(hint)
}

#[cfg(test)]
mod tests;
