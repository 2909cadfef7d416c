//! The files of a local stack, all private to the user:
//!
//! ```text
//! .chatctl/STACK/
//!   request.json   what was asked for last: template, parameters, where each function's code is
//!   identity.json  what must not change while there is data: the seed of physical ids, the port
//!   running.json   what runs: template, process id, ports, the control port's secret; only valid while `lock` is held
//!   lock           held by the process that runs the stack; the kernel lets go of it, however that process ends
//!   command.lock   held by a command that changes the stack
//!   events.jsonl   stack events        stack.log  the process's own words
//!   tables.db      table data          logs/      one file per function       code/DIGEST/bootstrap
//! ```
//!
//! Other files there are left alone. A file that has one of these names but is not chatctl's is refused (`check.rs`).

mod check;
mod code;
mod events;
mod git;
mod locks;
mod remove;

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::records::{Identity, Request, Running};
use crate::directory::Directory;
use crate::engine::{TargetError, random_hex};
pub use code::keep_code;

/// Excludes `.chatctl/` from git.
const IGNORE: &str = ".gitignore";

/// One stack's folder, which may not exist.
#[derive(Debug, Clone)]
pub(super) struct StateFolder {
    path: PathBuf,
    /// The open folder, which stays the same when its path changes.
    pinned: Option<Arc<Directory>>,
}

type Result<T, E = TargetError> = std::result::Result<T, E>;

impl StateFolder {
    /// `path` is the stack's folder in the project's `.chatctl`.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path: std::path::absolute(&path).unwrap_or(path),
            pinned: None,
        }
    }

    /// Pins the folder for the process that holds `lock` in it: if removed, it is not created again; if moved, it stays
    /// the same.
    ///
    /// # Errors
    /// The folder is gone already, or was replaced by another one.
    pub(super) fn pinned(mut self, lock: &File) -> Result<Self> {
        let gone = || TargetError::file("open", &self.path, ErrorKind::NotFound.into());
        let folder = self.open()?.ok_or_else(gone)?;
        if folder.identity("lock")? != Some(locks::identity(lock, &self.path)?) {
            return Err(gone());
        }
        self.pinned = Some(Arc::new(folder));
        Ok(self)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn tables(&self) -> PathBuf {
        self.path.join("tables.db")
    }

    /// For messages only.
    pub(super) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// For messages only.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("stack.log")
    }

    /// The folder of the code with this digest.
    pub(super) fn code(&self, digest: &str) -> PathBuf {
        self.path.join("code").join(digest)
    }

    /// Opens the folder with the functions' logs, if there is one.
    pub(super) fn open_logs(&self) -> Result<Option<Directory>> {
        match self.open()? {
            Some(folder) => folder.folder("logs"),
            None => Ok(None),
        }
    }

    /// Opens the folder with the functions' logs, and creates it if it is missing.
    pub(super) fn make_logs(&self) -> Result<Directory> {
        self.make()?.make_folder("logs")
    }

    pub(super) fn has_data(&self) -> Result<bool> {
        self.has("tables.db")
    }

    /// Checks that the table data, which is opened by its path, is ours or missing.
    pub(super) fn check_tables(&self) -> Result<()> {
        let folder = self.make()?;
        let [data, sides @ ..] = TABLES;
        let is_there = folder.has(data)?;
        for side in sides {
            folder.has(side)?;
            if !is_there {
                // It belongs to other data, and would be read into the new file.
                folder.remove(side)?;
            }
        }
        Ok(())
    }

    /// Whether a deployment of the stack was requested, even if the file of the request is damaged.
    pub(super) fn is_asked_for(&self) -> Result<bool> {
        self.has("request.json")
    }

    pub(super) fn request(&self) -> Result<Option<Request>> {
        self.read("request.json")
    }

    pub(super) fn write_request(&self, request: &Request) -> Result<()> {
        self.write("request.json", request)
    }

    /// Withdraws a failed request.
    pub(super) fn forget_request(&self) {
        // It may never have been written.
        drop(self.remove_file("request.json"));
    }

    pub(super) fn running(&self) -> Result<Option<Running>> {
        self.read("running.json")
    }

    pub(super) fn write_running(&self, running: &Running) -> Result<()> {
        self.write("running.json", running)
    }

    /// Removes the record of an earlier process.
    pub(super) fn forget_running(&self) -> Result<()> {
        self.remove_file("running.json")
    }

    /// Reads the stack's identity, and creates it if it is missing.
    pub(super) fn identity(&self) -> Result<Identity> {
        Ok(self.read("identity.json")?.unwrap_or_else(|| Identity {
            seed: random_hex::<16>(),
            port: 0,
        }))
    }

    pub(super) fn write_identity(&self, identity: &Identity) -> Result<()> {
        self.write("identity.json", identity)
    }

    /// Opens the log of the stack's own process, for appending.
    pub(super) fn open_log(&self) -> Result<File> {
        self.make()?.appending("stack.log")
    }

    /// Returns the last lines of that log.
    pub(super) fn log_end(&self) -> String {
        let read = || self.open().ok()??.read("stack.log").ok()?;
        let text = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Opens the stack's folder, if there is one.
    fn open(&self) -> Result<Option<Directory>> {
        if let Some(folder) = &self.pinned {
            return folder.again().map(Some);
        }
        let (project, root, stack) = self.places();
        match Directory::open(project, root)? {
            Some(root) => root.folder(stack),
            None => Ok(None),
        }
    }

    /// Opens the stack's folder, and creates it if it is missing.
    fn make(&self) -> Result<Directory> {
        if let Some(folder) = &self.pinned {
            return folder.again();
        }
        let (project, root, stack) = self.places();
        let root = Directory::make(project, root)?;
        // State must not be committed. In a project without git, this is one small file more.
        if !root.has(IGNORE)? {
            root.write(IGNORE, b"*\n")?;
        }
        root.make_folder(stack)
    }

    /// Returns the project's folder, and the names of `.chatctl` in it and of the stack's folder in that.
    fn places(&self) -> (&Path, &str, &str) {
        let root = self.path.parent().unwrap_or(Path::new("/"));
        let project = root.parent().unwrap_or(Path::new("/"));
        (project, name(root), name(&self.path))
    }

    fn has(&self, name: &str) -> Result<bool> {
        self.open()?.map_or(Ok(false), |folder| folder.has(name))
    }

    fn remove_file(&self, name: &str) -> Result<()> {
        self.open()?.map_or(Ok(()), |folder| folder.remove(name))
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>> {
        let Some(folder) = self.open()? else {
            return Ok(None);
        };
        let Some(bytes) = folder.read(name)? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            TargetError::file("understand", &self.path.join(name), error.into())
                .with_hint(self.cure(name))
        })
    }

    /// The remedy with the least loss if the file `name` is damaged.
    fn cure(&self, name: &str) -> String {
        match name {
            // It is read as long as a process holds the lock, and identifies that process.
            "running.json" => format!(
                "end the process that runs the stack (`fuser {}` finds it), then deploy again",
                self.path.join("lock").display()
            ),
            // Without it, the tables in the data cannot be matched to the template's.
            "identity.json" => "`chatctl teardown --local` removes what is left of the stack, \
                                its table data too; then deploy again"
                .into(),
            _ => "`chatctl teardown --local --keep-data` removes what is left of the stack, \
                  except its table data; then deploy again"
                .into(),
        }
    }

    /// Writes a complete file, or nothing.
    fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(value).expect("our own files have a JSON form");
        self.make()?.write(name, &bytes)
    }
}

/// The last part of `path`, or an empty name, under which no folder is ever found.
fn name(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    name.unwrap_or_default()
}

/// The table data, and what SQLite keeps beside it.
const TABLES: [&str; 4] = [
    "tables.db",
    "tables.db-wal",
    "tables.db-shm",
    "tables.db-journal",
];

#[cfg(test)]
mod tests;
