//! The functions' code in a local stack's folder, by digest.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use rustix::fs::Mode;

use super::check::own_names;
use super::remove::{remove_code, remove_parts};
use super::{Result, StateFolder};
use crate::directory::Directory;
use crate::engine::{ErrorKind, TargetError};
use crate::local::records::CodeFolders;
use crate::packaging::{copy_hashed, is_digest};

impl StateFolder {
    /// Copies `executable` to [`StateFolder::code`]. Returns whether it was there already.
    pub(in crate::local) fn keep_code(&self, executable: &Path, digest: &str) -> Result<bool> {
        keep_code(&self.make()?.make_folder("code")?, executable, digest)
    }

    /// Checks that the files of the functions' code contain that code, before it runs.
    ///
    /// # Errors
    /// The code is missing, not ours, or does not match its digest.
    pub(in crate::local) fn check_code(&self, used: &CodeFolders) -> Result<()> {
        let all = match self.open()? {
            Some(folder) => folder.folder("code")?,
            None => None,
        };
        for path in used.values().collect::<BTreeSet<_>>() {
            let name = path.file_name().and_then(|name| name.to_str());
            let digest = name.filter(|name| is_digest(name) && *path == self.code(name));
            let is_right = match (digest, &all) {
                (Some(digest), Some(all)) => match all.folder(digest)? {
                    Some(folder) => is_kept(&folder, digest)?,
                    None => false,
                },
                _ => false,
            };
            if !is_right {
                let message = format!("{} is not the deployed code", path.display());
                return Err(TargetError::new(ErrorKind::Failed, message)
                    .with_hint("`chatctl deploy --local` restores it"));
            }
        }
        Ok(())
    }

    /// Removes all code except the code in use.
    pub(in crate::local) fn drop_other_code(&self, used: &CodeFolders) {
        let drop_others = || -> Result<()> {
            let folder = self.open()?;
            let Some(code) = folder.map(|it| it.folder("code")).transpose()?.flatten() else {
                return Ok(());
            };
            for digest in own_names(&code, is_digest)? {
                if !used.values().any(|folder| *folder == self.code(&digest)) {
                    drop(remove_code(&code, &digest));
                }
            }
            Ok(())
        };
        // Failures are ignored: the next deployment tries again.
        drop(drop_others());
    }
}

/// Copies `executable` to `DIGEST/bootstrap` in `folder`, if `digest` is its digest. Returns whether it was there
/// already.
///
/// # Errors
/// It cannot be copied, or has changed since it was hashed. Then the copy is removed.
pub fn keep_code(folder: &Directory, executable: &Path, digest: &str) -> Result<bool> {
    let folder = folder.make_folder(digest)?;
    if is_kept(&folder, digest)? {
        return Ok(true);
    }
    // Leftovers of earlier copies may be what fills the disk.
    remove_parts(&folder, "bootstrap")?;
    let mut part = folder.begin("bootstrap", Mode::RWXU)?;
    let copied = File::open(executable).and_then(|file| copy_hashed(file, &mut part.file));
    let failed = |error| {
        TargetError::file(
            "copy the handlers to",
            &folder.path().join("bootstrap"),
            error,
        )
    };
    let (found, _size) = copied.map_err(failed)?;
    if found != digest {
        let message = format!("{} has changed since it was hashed", executable.display());
        return Err(TargetError::new(ErrorKind::Failed, message)
            .with_hint("wait until no build writes it, then try again"));
    }
    part.finish()?;
    Ok(false)
}

/// Whether the code in `folder` matches its digest. Damaged code is copied again.
fn is_kept(folder: &Directory, expected: &str) -> Result<bool> {
    let Some(file) = folder.reading_code("bootstrap")? else {
        return Ok(false);
    };
    let is_executable = file.metadata().is_ok_and(|found| {
        std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o100 != 0
    });
    let (digest, _size) = copy_hashed(file, std::io::sink())
        .map_err(|error| TargetError::file("read", &folder.path().join("bootstrap"), error))?;
    Ok(is_executable && digest == expected)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::tests::{executable, folder};
    use super::*;

    #[test]
    fn existing_code_only_counts_if_it_matches_its_digest() {
        let (root, folder) = folder();
        let (source, digest) = executable(&root, "good");
        let kept = folder.code(&digest).join("bootstrap");
        assert!(!folder.keep_code(&source, &digest).unwrap());
        assert!(folder.keep_code(&source, &digest).unwrap());
        for change in [
            |kept: &Path| std::fs::write(kept, "evil").unwrap(),
            |kept: &Path| std::fs::write(kept, "").unwrap(),
            |kept: &Path| std::fs::set_permissions(kept, PermissionsExt::from_mode(0o600)).unwrap(),
        ] {
            change(&kept);
            let used = CodeFolders::from([("F".into(), folder.code(&digest))]);
            assert!(folder.check_code(&used).is_err(), "it does not run");
            assert!(!folder.keep_code(&source, &digest).unwrap());
            assert_eq!(std::fs::read(&kept).unwrap(), b"good");
            folder.check_code(&used).unwrap();
        }
        let names = std::fs::read_dir(folder.code(&digest)).unwrap();
        assert_eq!(names.count(), 1, "no part is left");
    }

    #[test]
    fn code_from_another_place_does_not_run() {
        let (root, folder) = folder();
        let (source, digest) = executable(&root, "good");
        folder.keep_code(&source, &digest).unwrap();
        let check = |path: &Path| {
            let used = CodeFolders::from([("F".into(), path.to_owned())]);
            folder.check_code(&used).unwrap_err().to_string()
        };
        let elsewhere = root.path().join(&digest);
        std::fs::create_dir(&elsewhere).unwrap();
        std::fs::copy(&source, elsewhere.join("bootstrap")).unwrap();
        assert!(check(&elsewhere).ends_with("is not the deployed code"));
        assert!(check(&folder.code("..")).ends_with("is not the deployed code"));
        std::fs::remove_dir_all(folder.code(&digest)).unwrap();
        symlink(&elsewhere, folder.code(&digest)).unwrap();
        assert!(check(&folder.code(&digest)).starts_with("could not use"));
    }

    #[test]
    fn a_copy_that_fails_leaves_nothing() {
        let (root, folder) = folder();
        let (source, digest) = executable(&root, "good");
        let code = || folder.code(&digest);
        std::fs::create_dir_all(root.path().join("folder")).unwrap();
        for source in [root.path().join("folder"), root.path().join("none")] {
            folder.keep_code(&source, &digest).unwrap_err();
            assert_eq!(std::fs::read_dir(code()).unwrap().count(), 0);
        }
        let changed = folder.keep_code(&source, &"0".repeat(64)).unwrap_err();
        assert!(changed.message.ends_with("has changed since it was hashed"));
        // The remains of a deployment that was killed in the middle of a copy.
        let part = format!("bootstrap.{}.part", "0".repeat(32));
        std::fs::write(code().join(part), "goo").unwrap();
        folder.keep_code(&source, &digest).unwrap();
        assert_eq!(std::fs::read_dir(code()).unwrap().count(), 1);
    }

    #[test]
    fn only_unused_code_is_removed_and_only_under_chatctl_s_names() {
        let (root, folder) = folder();
        let (source, digest) = executable(&root, "one");
        folder.keep_code(&source, &digest).unwrap();
        let (source, other) = executable(&root, "two");
        folder.keep_code(&source, &other).unwrap();
        let foreign = ["Documents", &digest[..63], &digest.to_uppercase()];
        for name in foreign {
            std::fs::create_dir_all(folder.code(name)).unwrap();
        }
        let canary = root.path().join("canary");
        std::fs::create_dir(&canary).unwrap();
        std::fs::write(canary.join("bootstrap"), "canary").unwrap();
        let link = folder.code(&"f".repeat(64));
        symlink(&canary, &link).unwrap();
        folder.drop_other_code(&[("F".into(), folder.code(&digest))].into());
        assert!(folder.code(&digest).exists() && !folder.code(&other).exists());
        assert!(foreign.iter().all(|name| folder.code(name).exists()));
        assert!(link.symlink_metadata().is_ok() && canary.join("bootstrap").exists());
    }
}
