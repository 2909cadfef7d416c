//! Checks that the files of a state folder are ours.

use super::{IGNORE, Result, StateFolder, TABLES, git};
use crate::directory::{Directory, NotOurs};
use crate::engine::TargetError;
use crate::packaging::is_digest;

/// The files of a stack except its table data, the locks last.
pub(super) const FILES: [&str; 7] = [
    "request.json",
    "running.json",
    "identity.json",
    "events.jsonl",
    "stack.log",
    "lock",
    "command.lock",
];

impl StateFolder {
    /// Checks everything that a stack's files can be, and creates nothing.
    ///
    /// Every file is checked again when it is opened. This check reports all problems before the first change is made.
    ///
    /// # Errors
    /// A file is not ours: a link, another user's, open to other users, or tracked by git.
    pub(in crate::local) fn check(&self) -> Result<()> {
        let (project, root, stack) = self.places();
        let tracked = git::tracked(project, root).map_err(|error| {
            TargetError::file("find out whether git tracks", &project.join(root), error)
        })?;
        if let Some(path) = tracked {
            return Err(NotOurs::Tracked.error(&path));
        }
        let Some(root) = Directory::open(project, root)? else {
            return Ok(());
        };
        root.has(IGNORE)?;
        let Some(folder) = root.folder(stack)? else {
            return Ok(());
        };
        for name in FILES.iter().chain(&TABLES) {
            folder.has(name)?;
        }
        if let Some(logs) = folder.folder("logs")? {
            for name in own_names(&logs, is_log)? {
                logs.has(&name)?;
            }
        }
        if let Some(code) = folder.folder("code")? {
            for digest in own_names(&code, is_digest)? {
                if let Some(folder) = code.folder(&digest)? {
                    folder.has_code("bootstrap")?;
                }
            }
        }
        Ok(())
    }
}

/// The names in `folder` that chatctl made, according to `is_ours`.
pub(super) fn own_names(folder: &Directory, is_ours: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let names = folder
        .names()?
        .into_iter()
        .filter_map(|name| name.into_string().ok());
    Ok(names.filter(|name| is_ours(name)).collect())
}

/// Whether `name` is that of a function's log: its logical id and a suffix.
pub(super) fn is_log(name: &str) -> bool {
    let function = name.strip_suffix(".1").unwrap_or(name).strip_suffix(".log");
    function.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
