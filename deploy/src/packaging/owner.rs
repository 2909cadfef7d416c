//! Checks that other users of this machine could not have written the code that is built.
//!
//! Cargo and rustup read configuration from every folder above a crate, up to the root of the file system
//! (<https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure>,
//! <https://rust-lang.github.io/rustup/overrides.html>). A user who can write to one of these folders, such as `/tmp`,
//! could set a compiler there. Git had the same problem and refuses repositories of other users
//! (<https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory>).

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::PackagingError;
use super::limits::{MAX_MANIFEST, SAFE_FOLDERS};
use crate::reading::text_now;

/// The users that may own code that is built.
#[derive(Debug, Clone)]
pub(super) struct Owners {
    users: BTreeSet<u32>,
    safe: Vec<PathBuf>,
}

impl Owners {
    /// The user that chatctl runs as, root, and under sudo the user that called it; and the folders that the
    /// environment excepts.
    pub(super) fn from_environment() -> Self {
        let own = rustix::process::geteuid().as_raw();
        let sudo = std::env::var("SUDO_UID").ok();
        let caller = sudo.filter(|_| own == 0).and_then(|id| id.parse().ok());
        let safe = std::env::var_os(SAFE_FOLDERS).unwrap_or_default();
        Self {
            users: [own, 0].into_iter().chain(caller).collect(),
            safe: std::env::split_paths(&safe)
                .filter(|folder| folder.is_absolute())
                .map(|folder| canonical(&folder))
                .collect(),
        }
    }

    /// These users, without excepted folders.
    #[cfg(test)]
    pub(super) fn from_users(users: impl IntoIterator<Item = u32>) -> Self {
        Self {
            users: users.into_iter().collect(),
            safe: Vec::new(),
        }
    }

    /// Checks the crate in `folder`, and everything that cargo and rustup read for it; returns the folder without
    /// links. Call it before any program is started in the folder.
    ///
    /// # Errors
    /// [`PackagingError::Foreign`], with the first path that belongs to another user.
    pub(super) fn check(&self, folder: &Path) -> Result<PathBuf, PackagingError> {
        let folder = canonical(folder);
        match deciding(&folder)
            .into_iter()
            .find_map(|path| Some((self.stranger(&path)?, path)))
        {
            None => Ok(folder),
            Some((owner, path)) => Err(PackagingError::Foreign {
                path,
                owner,
                folder,
            }),
        }
    }

    /// Whether `path` exists and belongs to an accepted user.
    pub(super) fn accept(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok() && self.stranger(path).is_none()
    }

    /// The other user that owns `path` or its target.
    fn stranger(&self, path: &Path) -> Option<u32> {
        if self.safe.iter().any(|safe| path.starts_with(safe)) {
            return None;
        }
        let looks = [path.symlink_metadata(), path.metadata()];
        let owners = looks.into_iter().flatten().map(|found| found.uid());
        owners.into_iter().find(|owner| !self.users.contains(owner))
    }
}

/// The files that affect a build in `folder`: the crate's own, the nearest workspace's manifest and toolchain file, and
/// cargo's configuration in every folder above. Some may not exist.
fn deciding(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![folder.to_owned()];
    paths.extend(["Cargo.lock", "build.rs", "src", "src/main.rs"].map(|name| folder.join(name)));
    let (mut has_workspace, mut has_toolchain) = (false, false);
    for above in folder.ancestors() {
        paths
            .extend([".cargo", ".cargo/config", ".cargo/config.toml"].map(|name| above.join(name)));
        if !has_toolchain {
            let files = ["rust-toolchain", "rust-toolchain.toml"].map(|name| above.join(name));
            has_toolchain = files.iter().any(|file| file.exists());
            paths.extend(files);
        }
        if !has_workspace {
            let manifest = above.join("Cargo.toml");
            has_workspace = is_workspace(&manifest);
            paths.push(manifest);
        }
    }
    paths
}

/// Whether cargo stops looking for the crate's workspace here.
fn is_workspace(manifest: &Path) -> bool {
    let text = text_now(manifest, MAX_MANIFEST).unwrap_or_default();
    text.parse::<toml::Table>()
        .is_ok_and(|manifest| manifest.contains_key("workspace"))
}

pub(super) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate in `above/mine`, with a workspace of its own if `manifest` has one.
    fn crate_in(manifest: &str) -> (tempfile::TempDir, PathBuf) {
        let above = tempfile::tempdir().unwrap();
        let folder = canonical(above.path()).join("mine");
        std::fs::create_dir_all(folder.join("src")).unwrap();
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        (above, folder)
    }

    /// Owners for whom every file of this process's user belongs to another one, except `mine`.
    fn other(mine: &Path) -> Owners {
        Owners {
            users: [0xfff0].into(),
            safe: vec![mine.to_owned()],
        }
    }

    fn refused(owners: &Owners, folder: &Path) -> Option<PathBuf> {
        match owners.check(folder) {
            Ok(_) => None,
            Err(PackagingError::Foreign { path, .. }) => Some(path),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_crate_of_the_user_is_built_and_one_of_another_user_is_not() {
        let (_above, folder) = crate_in("[workspace]\n");
        let own = Owners::from_environment();
        assert_eq!(own.check(&folder).unwrap(), folder);
        assert_eq!(
            refused(&other(Path::new("/nowhere")), &folder),
            Some(folder)
        );
    }

    #[test]
    fn files_that_cargo_and_rustup_read_above_the_crate_must_be_the_user_s_too() {
        for name in [
            ".cargo/config.toml",
            ".cargo/config",
            "rust-toolchain",
            "rust-toolchain.toml",
            "Cargo.toml",
        ] {
            let (above, folder) = crate_in("[package]\n");
            let above = canonical(above.path());
            assert_eq!(refused(&other(&folder), &folder), None, "{name}");
            let planted = above.join(name);
            std::fs::create_dir_all(planted.parent().unwrap()).unwrap();
            std::fs::write(&planted, "").unwrap();
            let found = refused(&other(&folder), &folder).unwrap();
            assert!(planted.starts_with(&found) && found != above, "{found:?}");
        }
    }

    #[test]
    fn manifests_above_a_crate_s_own_workspace_are_not_checked() {
        let (above, folder) = crate_in("[workspace]\n");
        std::fs::write(above.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(refused(&other(&folder), &folder), None);
    }

    #[test]
    fn a_link_is_judged_by_its_target() {
        let (above, folder) = crate_in("[workspace]\n");
        let link = above.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        let elsewhere = other(&link);
        assert_eq!(refused(&elsewhere, &link), Some(folder));
    }

    #[test]
    fn the_error_names_the_owner_and_the_variable() {
        let (_above, folder) = crate_in("[workspace]\n");
        let error = other(Path::new("/nowhere")).check(&folder).unwrap_err();
        let owner = std::fs::metadata(&folder).unwrap().uid();
        assert_eq!(
            error.to_string(),
            format!(
                "refused to build {0}: {0} belongs to another user of this machine (id {owner})",
                folder.display()
            )
        );
        let way_out = format!("CHATCTL_SAFE_FOLDERS={}", folder.display());
        assert!(error.hint().unwrap().contains(&way_out), "{error:?}");
    }
}
