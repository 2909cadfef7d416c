//! Unpacks the handlers' sources that the command carries along, into the user's own cache folder.
//!
//! They are compared byte by byte before each build, and a file more or another one ends the command: cargo would take
//! a configuration, a build script or a toolchain from there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chat_sources::{FILES, ID};

use super::PackagingError;
use crate::directory::Directory;
use crate::engine::{ErrorKind, TargetError};

/// The folder that cargo makes in a workspace.
const TARGET: &str = "target";

/// Sources of another version are removed, with what was built of them, when they have not been used for so long.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The crate of the carried sources in the user's cache folder. It is unpacked where it is missing.
///
/// # Errors
/// There is no such folder; it is not this user's alone; or it contains something else.
pub(super) fn unpacked() -> Result<PathBuf, PackagingError> {
    let variable = |name| std::env::var_os(name);
    let cache =
        place_in(variable("XDG_CACHE_HOME"), variable("HOME")).ok_or(PackagingError::NoCache)?;
    unpack(&cache).map_err(|error| PackagingError::Carried(Box::new(error)))
}

/// `$XDG_CACHE_HOME`, else `~/.cache` (<https://specifications.freedesktop.org/basedir-spec/latest/>). Relative paths
/// are ignored, as the specification asks.
fn place_in(cache: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: Option<OsString>| path.map(PathBuf::from).filter(|it| it.is_absolute());
    absolute(cache).or_else(|| Some(absolute(home)?.join(".cache")))
}

fn unpack(cache: &Path) -> Result<PathBuf, TargetError> {
    let all = Directory::make(cache, "chatctl")?.make_folder("handlers")?;
    let lock = all.locking("lock")?;
    // Two commands may unpack at once; that takes milliseconds.
    lock.lock()
        .map_err(|error| TargetError::file("lock", &all.path().join("lock"), error))?;
    let folder = all.make_folder(ID)?;
    Tree::new(FILES).fill(&folder, &[TARGET])?;
    // Failures are ignored: the folder may be removed too early, and is unpacked again.
    drop(touch(&folder));
    drop(sweep(&all));
    Ok(folder.path().join("lambdas"))
}

/// Files and folders by name.
#[derive(Default)]
struct Tree<'a> {
    files: BTreeMap<&'a str, &'a str>,
    folders: BTreeMap<&'a str, Tree<'a>>,
}

impl<'a> Tree<'a> {
    fn new(files: &[(&'a str, &'a str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
            let mut at = &mut tree;
            for folder in folders.split('/').filter(|it| !it.is_empty()) {
                at = at.folders.entry(folder).or_default();
            }
            at.files.insert(name, text);
        }
        tree
    }

    /// Compares `folder` with the tree and writes what is missing. Folders named `foreign` are not entered.
    fn fill(&self, folder: &Directory, foreign: &[&str]) -> Result<(), TargetError> {
        for name in folder.names()? {
            let known = name.to_str().filter(|name| {
                self.files.contains_key(name)
                    || self.folders.contains_key(name)
                    || foreign.contains(name)
            });
            if known.is_some() {
                continue;
            }
            // A command that was ended while it unpacked leaves a part of a file.
            let part = name.to_str().filter(|part| {
                let mut files = self.files.keys();
                files.any(|file| Directory::is_part_of(part, file))
            });
            match part {
                Some(part) => folder.remove(part)?,
                None => return Err(other(&folder.path().join(name))),
            }
        }
        for (name, text) in &self.files {
            match folder.read(name)? {
                None => folder.write(name, text.as_bytes())?,
                Some(found) if found == text.as_bytes() => {}
                Some(_) => return Err(other(&folder.path().join(name))),
            }
        }
        for (name, tree) in &self.folders {
            tree.fill(&folder.make_folder(name)?, &[])?;
        }
        Ok(())
    }
}

fn other(path: &Path) -> TargetError {
    let mut folder = path.ancestors();
    let top = folder.find(|it| it.file_name().is_some_and(|name| name == ID));
    let message = format!(
        "refused to build the handlers: {} is not what chatctl has unpacked",
        path.display()
    );
    TargetError::new(ErrorKind::Usage, message).with_hint(format!(
        "`rm -r {}` removes the unpacked sources; the next build unpacks them again",
        shell_words::quote(&top.unwrap_or(path).to_string_lossy())
    ))
}

/// Notes that `folder` is used now.
fn touch(folder: &Directory) -> Result<(), TargetError> {
    if let Some(file) = folder.reading("Cargo.lock")? {
        drop(file.set_modified(SystemTime::now()));
    }
    Ok(())
}

/// Removes sources of other versions that were not used for long.
fn sweep(all: &Directory) -> Result<(), TargetError> {
    let is_id = |name: &&str| name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
    for name in all.names()? {
        let Some(name) = name.to_str().filter(is_id).filter(|name| *name != ID) else {
            continue;
        };
        let Some(folder) = all.folder(name)? else {
            continue;
        };
        let used = folder
            .reading("Cargo.lock")?
            .and_then(|file| file.metadata().ok()?.modified().ok());
        let age = used.and_then(|used| used.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            drop(std::fs::remove_dir_all(folder.path()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn unpacked_in(cache: &tempfile::TempDir) -> PathBuf {
        let folder = unpack(cache.path()).unwrap();
        folder.parent().unwrap().to_owned()
    }

    #[test]
    fn the_sources_are_unpacked_once_for_this_user_alone_and_used_again() {
        let cache = tempfile::tempdir().unwrap();
        let folder = unpacked_in(&cache);
        for (name, text) in FILES {
            assert_eq!(std::fs::read_to_string(folder.join(name)).unwrap(), **text);
        }
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("lambdas/src/main.rs")), 0o600);
        // What is built stays, and so does every file.
        std::fs::create_dir(folder.join(TARGET)).unwrap();
        let written = |name: &str| folder.join(name).metadata().unwrap().modified().unwrap();
        let before = written("lambdas/src/main.rs");
        assert_eq!(unpacked_in(&cache), folder);
        assert_eq!(written("lambdas/src/main.rs"), before);
        assert!(folder.join(TARGET).exists());
    }

    #[test]
    fn an_interrupted_unpacking_is_completed() {
        let cache = tempfile::tempdir().unwrap();
        let folder = unpacked_in(&cache);
        let (main, lock) = (
            folder.join("lambdas/src/main.rs"),
            folder.join("Cargo.lock"),
        );
        std::fs::rename(&main, main.with_extension(format!("rs.{:032x}.part", 7))).unwrap();
        std::fs::remove_file(&lock).unwrap();
        unpacked_in(&cache);
        assert!(main.exists() && lock.exists());
        let left = std::fs::read_dir(main.parent().unwrap()).unwrap();
        let mut left = left.map(|entry| entry.unwrap().path());
        assert!(left.all(|path| path.extension().is_none_or(|it| it != "part")));
    }

    #[test]
    fn a_file_that_was_changed_added_or_linked_is_never_built() {
        let elsewhere = tempfile::tempdir().unwrap();
        let changes: [fn(&Path, &Path); 6] = [
            |folder, _| std::fs::write(folder.join("lambdas/src/main.rs"), "fn main() {}").unwrap(),
            |folder, _| std::fs::write(folder.join("lambdas/build.rs"), "fn main() {}").unwrap(),
            |folder, _| std::fs::write(folder.join("rust-toolchain.toml"), "").unwrap(),
            |folder, _| std::fs::create_dir(folder.join(".cargo")).unwrap(),
            |folder, elsewhere| {
                let main = folder.join("lambdas/src/main.rs");
                std::fs::copy(&main, elsewhere.join("main.rs")).unwrap();
                std::fs::remove_file(&main).unwrap();
                symlink(elsewhere.join("main.rs"), main).unwrap();
            },
            |folder, _| {
                let open = std::fs::Permissions::from_mode(0o777);
                std::fs::set_permissions(folder.join("lambdas/src"), open).unwrap();
            },
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let cache = tempfile::tempdir().unwrap();
            let folder = unpacked_in(&cache);
            change(&folder, elsewhere.path());
            let error = unpack(cache.path()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{index}");
            assert!(error.hint.is_some(), "{index}");
        }
    }

    #[test]
    fn the_error_names_the_file_and_how_to_go_on() {
        let cache = tempfile::tempdir().unwrap();
        let folder = unpacked_in(&cache);
        let main = folder.join("lambdas/src/main.rs");
        std::fs::write(&main, "fn main() {}").unwrap();
        let error = unpack(cache.path()).unwrap_err();
        assert!(
            error.to_string().contains(main.to_str().unwrap()),
            "{error}"
        );
        let way_out = format!("`rm -r {}`", folder.display());
        assert!(error.hint.unwrap().starts_with(&way_out));
    }

    #[test]
    fn only_sources_of_other_versions_that_were_long_unused_are_removed() {
        let cache = tempfile::tempdir().unwrap();
        let folder = unpacked_in(&cache);
        let all = folder.parent().unwrap();
        let make = |name: &str, age: Duration| {
            let folder = all.join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
            let file = std::fs::File::create(folder.join("Cargo.lock")).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            folder
        };
        let old = make(&"a".repeat(32), KEPT + Duration::from_secs(60));
        let recent = make(&"b".repeat(32), KEPT - Duration::from_secs(60));
        let another = make("not-ours", KEPT * 2);
        unpacked_in(&cache);
        assert!(!old.exists());
        assert!(recent.exists() && another.exists() && folder.exists());
    }

    #[test]
    fn the_cache_folder_is_the_user_s() {
        let place = |cache: &str, home: &str| place_in(Some(cache.into()), Some(home.into()));
        assert_eq!(place("/x", "/home/ann"), Some("/x".into()));
        for relative in ["", "x", "./x"] {
            let place = place(relative, "/home/ann");
            assert_eq!(place, Some("/home/ann/.cache".into()));
        }
        assert_eq!(place("", ""), None);
        assert_eq!(place_in(None, None), None);
    }
}
