//! The files that a local stack is made of, all private to the user:
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
//! Whatever else lies there is left alone, and what has one of these names without being ours is refused (`check.rs`).

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

use super::directory::Directory;
use super::records::{Identity, Request, Running};
use crate::engine::{TargetError, random_hex};
pub use code::keep_code;

/// Keeps git away from `.chatctl/`.
const IGNORE: &str = ".gitignore";

/// One stack's folder. It need not exist.
#[derive(Debug, Clone)]
pub(super) struct StateFolder {
    path: PathBuf,
    /// The folder itself, however its path changes.
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

    /// The same folder for the process that holds `lock` in it: removed, it is not made anew, and moved, it is still
    /// this one.
    ///
    /// # Errors
    /// It is gone already, or another one is in its place.
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

    /// For messages.
    pub(super) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// For messages.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("stack.log")
    }

    /// Where the code with this digest is kept.
    pub(super) fn code(&self, digest: &str) -> PathBuf {
        self.path.join("code").join(digest)
    }

    /// The folder with the functions' logs, if there is one.
    pub(super) fn open_logs(&self) -> Result<Option<Directory>> {
        match self.open()? {
            Some(folder) => folder.folder("logs"),
            None => Ok(None),
        }
    }

    /// The folder with the functions' logs; made when there is none.
    pub(super) fn make_logs(&self) -> Result<Directory> {
        self.make()?.make_folder("logs")
    }

    pub(super) fn has_data(&self) -> Result<bool> {
        self.has("tables.db")
    }

    /// Makes sure that the table data which is opened by its path is ours, or not there yet.
    pub(super) fn check_tables(&self) -> Result<()> {
        let folder = self.make()?;
        let [data, sides @ ..] = TABLES;
        let is_there = folder.has(data)?;
        for side in sides {
            folder.has(side)?;
            if !is_there {
                // It is of other data, and would be read into the new file.
                folder.remove(side)?;
            }
        }
        Ok(())
    }

    /// Whether a stack was asked for, even if the file that says so is damaged.
    pub(super) fn is_asked_for(&self) -> Result<bool> {
        self.has("request.json")
    }

    pub(super) fn request(&self) -> Result<Option<Request>> {
        self.read("request.json")
    }

    pub(super) fn write_request(&self, request: &Request) -> Result<()> {
        self.write("request.json", request)
    }

    /// Takes back a request that came to nothing.
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

    /// Takes back what an earlier process has said of itself.
    pub(super) fn forget_running(&self) -> Result<()> {
        self.remove_file("running.json")
    }

    /// The stack's identity; made when there is none yet.
    pub(super) fn identity(&self) -> Result<Identity> {
        Ok(self.read("identity.json")?.unwrap_or_else(|| Identity {
            seed: random_hex::<16>(),
            port: 0,
        }))
    }

    pub(super) fn write_identity(&self, identity: &Identity) -> Result<()> {
        self.write("identity.json", identity)
    }

    /// The log of the stack's own process, for appending.
    pub(super) fn open_log(&self) -> Result<File> {
        self.make()?.appending("stack.log")
    }

    /// The last lines of that log.
    pub(super) fn log_end(&self) -> String {
        let read = || self.open().ok()??.read("stack.log").ok()?;
        let text = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// The stack's folder, if there is one.
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

    /// The stack's folder; made when there is none.
    fn make(&self) -> Result<Directory> {
        if let Some(folder) = &self.pinned {
            return folder.again();
        }
        let (project, root, stack) = self.places();
        let root = Directory::make(project, root)?;
        // State is nobody's source code. A project without git has one small file more.
        if !root.has(IGNORE)? {
            root.write(IGNORE, b"*\n")?;
        }
        root.make_folder(stack)
    }

    /// The project's folder, and the names of `.chatctl` in it and of the stack's folder in that.
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

    /// What helps when the file `name` is damaged, at the least loss.
    fn cure(&self, name: &str) -> String {
        match name {
            // It is read as long as a process holds the lock, and is what leads to that process.
            "running.json" => format!(
                "end the process that runs the stack (`fuser {}` finds it), then deploy again",
                self.path.join("lock").display()
            ),
            // Without it nobody knows any more which table in the data is whose.
            "identity.json" => "`chatctl teardown --local` removes what is left of the stack, \
                                its table data too; then deploy again"
                .into(),
            _ => "`chatctl teardown --local --keep-data` removes what is left of the stack, \
                  except its table data; then deploy again"
                .into(),
        }
    }

    /// Writes a whole file or nothing of it.
    fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(value).expect("our own files have a JSON form");
        self.make()?.write(name, &bytes)
    }
}

/// The last part of `path`. No folder is found under the name of none.
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
