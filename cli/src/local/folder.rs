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

mod code;
mod events;
mod locks;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::records::{Identity, Request, Running, random_hex};
use crate::engine::TargetError;

/// Keeps git away from `.chatctl/`.
const IGNORE: &str = ".gitignore";

/// One stack's folder. It need not exist.
#[derive(Debug, Clone)]
pub(super) struct StateFolder {
    path: PathBuf,
}

type Result<T, E = TargetError> = std::result::Result<T, E>;

impl StateFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path: std::path::absolute(&path).unwrap_or(path),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn tables(&self) -> PathBuf {
        self.path.join("tables.db")
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("stack.log")
    }

    /// Where the code with this digest is kept.
    pub(super) fn code(&self, digest: &str) -> PathBuf {
        self.path.join("code").join(digest)
    }

    pub(super) fn has_data(&self) -> bool {
        self.tables().exists()
    }

    /// Whether a stack was asked for, even if the file that says so is damaged.
    pub(super) fn is_asked_for(&self) -> bool {
        self.path.join("request.json").exists()
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
        drop(std::fs::remove_file(self.path.join("request.json")));
    }

    pub(super) fn running(&self) -> Result<Option<Running>> {
        self.read("running.json")
    }

    pub(super) fn write_running(&self, running: &Running) -> Result<()> {
        self.write("running.json", running)
    }

    /// The stack's identity; made when there is none yet.
    pub(super) fn identity(&self) -> Result<Identity> {
        Ok(self.read("identity.json")?.unwrap_or_else(|| Identity {
            seed: random_hex(),
            port: 0,
        }))
    }

    pub(super) fn write_identity(&self, identity: &Identity) -> Result<()> {
        self.write("identity.json", identity)
    }

    /// The log of the stack's own process, for appending.
    pub(super) fn open_log(&self) -> Result<File> {
        self.create()?;
        self.append("stack.log")
    }

    /// The last lines of that log.
    pub(super) fn log_end(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Removes the folder, and `root` with it when this was its last stack.
    pub(super) fn remove(&self, root: &Path) -> Result<()> {
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(TargetError::file("remove", &self.path, error))
            }
            _ => {
                // Another stack may live there: only a folder without one goes.
                let mut rest = std::fs::read_dir(root).into_iter().flatten().flatten();
                if rest.all(|entry| entry.file_name() == IGNORE) {
                    drop(std::fs::remove_dir_all(root));
                }
                Ok(())
            }
        }
    }

    /// Removes what is not data: a later deployment finds its tables, ids and port again.
    pub(super) fn remove_all_but_data(&self) -> Result<()> {
        for name in ["request.json", "running.json", "events.jsonl", "stack.log"] {
            remove_if_there(&self.path.join(name), |path| std::fs::remove_file(path))?;
        }
        for name in ["code", "logs"] {
            remove_if_there(&self.path.join(name), |path| std::fs::remove_dir_all(path))?;
        }
        Ok(())
    }

    fn create(&self) -> Result<()> {
        create_private(&self.path)?;
        // State is nobody's source code. A project without git has one small file more.
        let ignore = self.path.with_file_name(IGNORE);
        if !ignore.exists() {
            let written = private()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&ignore)
                .and_then(|mut file| file.write_all(b"*\n"));
            written.map_err(|error| TargetError::file("write", &ignore, error))?;
        }
        Ok(())
    }

    fn append(&self, name: &str) -> Result<File> {
        let path = self.path.join(name);
        private()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|error| TargetError::file("open", &path, error))
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                TargetError::file("understand", &path, error.into()).with_hint(self.cure(name))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TargetError::file("read", &path, error)),
        }
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
        self.create()?;
        let (path, part) = (self.path.join(name), self.path.join(format!("{name}.part")));
        let bytes = serde_json::to_vec_pretty(value).expect("our own files have a JSON form");
        let write = || -> std::io::Result<()> {
            private()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&part)?
                .write_all(&bytes)?;
            std::fs::rename(&part, &path)
        };
        write().map_err(|error| TargetError::file("write", &path, error))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn create_private(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| TargetError::file("make", path, error))
}

fn remove_if_there(path: &Path, remove: impl Fn(&Path) -> std::io::Result<()>) -> Result<()> {
    match remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(TargetError::file("remove", path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A stack's folder, not made yet, in one that goes in the end.
    pub(super) fn folder() -> (tempfile::TempDir, StateFolder) {
        let root = tempfile::tempdir().unwrap();
        let folder = StateFolder::new(root.path().join(".chatctl/chat"));
        (root, folder)
    }

    #[test]
    fn everything_in_it_is_private_to_the_user() {
        let (_root, folder) = folder();
        folder
            .write_identity(&Identity {
                seed: "s".into(),
                port: 1,
            })
            .unwrap();
        folder.open_log().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(folder.path().parent().unwrap()), 0o700);
        assert_eq!(mode(&folder.path().join("identity.json")), 0o600);
        assert_eq!(mode(&folder.log()), 0o600);
    }

    #[test]
    fn keeping_data_keeps_the_port_and_the_ids_too() {
        let (_root, folder) = folder();
        let identity = Identity {
            seed: "s".into(),
            port: 4711,
        };
        folder.write_identity(&identity).unwrap();
        std::fs::write(folder.tables(), "data").unwrap();
        folder
            .keep_code(&std::env::current_exe().unwrap(), "d")
            .unwrap();
        folder.remove_all_but_data().unwrap();
        assert!(folder.has_data() && !folder.code("d").exists());
        assert_eq!(folder.identity().unwrap(), identity);
    }

    #[test]
    fn a_damaged_file_is_an_error_that_says_what_to_do() {
        let (_root, folder) = folder();
        folder.create().unwrap();
        for name in ["request.json", "identity.json", "running.json"] {
            std::fs::write(folder.path().join(name), "{").unwrap();
        }
        let told = |error: TargetError, file: &str, cure: &str| {
            assert!(error.message.contains(file), "{}", error.message);
            assert!(error.hint.unwrap().contains(cure));
        };
        let request = folder.request().unwrap_err();
        told(request, "request.json", "teardown --local --keep-data`");
        let identity = folder.identity().unwrap_err();
        told(identity, "identity.json", "teardown --local`");
        told(folder.running().unwrap_err(), "running.json", "chat/lock`");
    }
}
