//! Removes a stack's files by the list of their names. Other files stay.

use std::path::{Path, PathBuf};

use super::check::{FILES, is_log, own_names};
use super::{IGNORE, Result, StateFolder, TABLES};
use crate::directory::Directory;
use crate::packaging::is_digest;

/// What a later deployment needs to find its tables, ids and port again, and the locks.
const DATA: [&str; 3] = ["identity.json", "lock", "command.lock"];

impl StateFolder {
    /// Removes the stack's files, and their folders if those are empty then. Returns what is left.
    pub(in crate::local) fn remove(&self) -> Result<Vec<PathBuf>> {
        let (project, root_name, stack) = self.places();
        let Some(root) = Directory::open(project, root_name)? else {
            return Ok(Vec::new());
        };
        let mut left = Vec::new();
        if let Some(folder) = root.folder(stack)? {
            left = remove_files(&folder, |_| true)?;
            root.remove_folder(stack)?;
        }
        // Another stack may use it: the folder is only removed if it is empty.
        if root.names()?.iter().all(|name| name == IGNORE) {
            root.remove(IGNORE)?;
            remove_root(project, root_name)?;
        }
        Ok(left)
    }

    /// Removes everything except the data, so that a later deployment finds its tables, ids and port again. Returns
    /// what is left besides the data.
    pub(in crate::local) fn remove_all_but_data(&self) -> Result<Vec<PathBuf>> {
        let is_data = |name: &str| DATA.contains(&name) || TABLES.contains(&name);
        match self.open()? {
            Some(folder) => remove_files(&folder, |name| !is_data(name)),
            None => Ok(Vec::new()),
        }
    }
}

fn remove_root(project: &Path, name: &str) -> Result<()> {
    // Its parent may belong to any user, so it is not opened as our folders are.
    match std::fs::remove_dir(project.join(name)) {
        // Another command has begun a stack in it.
        Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(crate::engine::TargetError::file(
            "remove",
            &project.join(name),
            error,
        )),
        Ok(()) => Ok(()),
    }
}

/// Removes the files of a stack that `goes` selects; returns all other files.
fn remove_files(folder: &Directory, goes: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    if let Some(code) = folder.folder("code")? {
        for digest in own_names(&code, is_digest)? {
            left.extend(remove_code(&code, &digest)?);
        }
        left.extend(others(&code, is_digest)?);
        folder.remove_folder("code")?;
    }
    if let Some(logs) = folder.folder("logs")? {
        for name in own_names(&logs, is_log)? {
            logs.remove(&name)?;
        }
        left.extend(others(&logs, is_log)?);
        folder.remove_folder("logs")?;
    }
    // The locks come last, because other commands test them to find out whether a command is at work here.
    let files = || TABLES.into_iter().chain(FILES);
    for name in files() {
        remove_parts(folder, name)?;
        if goes(name) {
            folder.remove(name)?;
        }
    }
    let has_our_name = |name: &str| {
        // Files that were created again meanwhile belong to another command.
        matches!(name, "code" | "logs") || files().any(|file| file == name)
    };
    left.extend(others(folder, has_our_name)?);
    left.sort();
    Ok(left)
}

/// Removes the code with this digest from the folder for all code; returns other files beside it.
pub(super) fn remove_code(code: &Directory, digest: &str) -> Result<Vec<PathBuf>> {
    let Some(folder) = code.folder(digest)? else {
        return Ok(Vec::new());
    };
    remove_parts(&folder, "bootstrap")?;
    folder.remove("bootstrap")?;
    let left = others(&folder, |_| false)?;
    code.remove_folder(digest)?;
    Ok(left)
}

/// Removes the unfinished files `name` that killed commands have left.
pub(super) fn remove_parts(folder: &Directory, name: &str) -> Result<()> {
    for part in own_names(folder, |part| Directory::is_part_of(part, name))? {
        // A link, for example, is not ours: it stays, and is listed.
        drop(folder.remove(&part));
    }
    Ok(())
}

/// The files in `folder` that do not have our names.
fn others(folder: &Directory, is_ours: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let names = folder.names()?.into_iter();
    let others = names.filter(|name| !name.to_str().is_some_and(&is_ours));
    Ok(others.map(|name| folder.path().join(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{executable, folder};
    use super::*;
    use crate::local::records::Identity;

    /// A folder with every file that a stack can have.
    fn whole() -> (tempfile::TempDir, StateFolder) {
        let (root, folder) = folder();
        let files = folder.make().unwrap();
        for name in FILES.iter().chain(&TABLES) {
            files.write(name, b"x").unwrap();
        }
        let (code, digest) = executable(&root, "x");
        folder.keep_code(&code, &digest).unwrap();
        for log in ["DirectFunction.log", "DirectFunction.log.1"] {
            folder.make_logs().unwrap().write(log, b"x").unwrap();
        }
        std::fs::remove_file(code).unwrap();
        (root, folder)
    }

    #[test]
    fn all_files_of_the_stack_are_removed_with_their_empty_folders() {
        let (root, folder) = whole();
        let part = format!("request.json.{}.part", "0".repeat(32));
        std::fs::write(folder.path().join(part), "of a command that was killed").unwrap();
        assert_eq!(folder.remove().unwrap(), [""; 0].map(PathBuf::from));
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        assert_eq!(folder.remove().unwrap().len(), 0, "twice is fine");
    }

    #[test]
    fn foreign_files_stay_and_are_listed() {
        let (root, folder) = whole();
        let digest = "0".repeat(64);
        let foreign = [
            "notes.txt",
            "lock.part.txt",
            "logs/notes",
            "code/notes",
            &format!("code/{digest}/notes"),
            &format!("events.jsonl.{}.part", "0".repeat(32)),
        ];
        std::fs::create_dir(folder.code(&digest)).unwrap();
        for name in &foreign[..5] {
            std::fs::write(folder.path().join(name), "foreign").unwrap();
        }
        std::os::unix::fs::symlink(root.path(), folder.path().join(foreign[5])).unwrap();
        let mut left = foreign.map(|name| folder.path().join(name));
        left.sort();
        assert_eq!(folder.remove().unwrap(), left);
        for path in left {
            assert!(path.symlink_metadata().is_ok(), "{path:?}");
        }
        assert!(!folder.path().join("request.json").exists());
    }

    #[test]
    fn another_stack_keeps_the_folder_around_both() {
        let (root, folder) = whole();
        let other = StateFolder::new(root.path().join(".chatctl/other"));
        other.make().unwrap();
        folder.remove().unwrap();
        assert!(!folder.path().exists() && other.path().exists());
        assert!(root.path().join(".chatctl").join(IGNORE).exists());
    }

    #[test]
    fn keeping_data_keeps_the_port_and_the_ids_too() {
        let (_root, folder) = whole();
        let identity = Identity {
            seed: "s".into(),
            port: 4711,
        };
        folder.write_identity(&identity).unwrap();
        assert_eq!(folder.remove_all_but_data().unwrap().len(), 0);
        assert!(folder.has_data().unwrap());
        assert_eq!(folder.identity().unwrap(), identity);
        let mut kept = folder.open().unwrap().unwrap().names().unwrap();
        kept.sort();
        let mut expected = [&TABLES[..], &DATA[..]].concat();
        expected.sort_unstable();
        assert_eq!(kept, expected);
    }
}
