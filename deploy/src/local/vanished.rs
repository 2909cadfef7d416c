//! Notices that a running stack's folder was removed, moved or replaced.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// The interval of the checks.
const LOOK: Duration = Duration::from_secs(1);

/// The time that a folder may be missing: some programs move it aside for a moment.
const MOMENT: Duration = Duration::from_millis(200);

/// Resolves once `path` no longer leads to the file that `lock` holds open.
///
/// A lock belongs to a file, not to its name: when the name is gone, commands find no stack, while its process still
/// runs.
pub(super) async fn vanished(lock: &File, path: &Path) {
    loop {
        tokio::time::sleep(LOOK).await;
        if is_gone(lock, path) {
            tokio::time::sleep(MOMENT).await;
            if is_gone(lock, path) {
                return;
            }
        }
    }
}

/// Whether `path` certainly leads to another file, or to none.
fn is_gone(lock: &File, path: &Path) -> bool {
    match (lock.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) != (there.dev(), there.ino()),
        (_, Err(error)) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        // A file system that fails now may work again later.
        (Err(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_removed_moved_or_replaced_is_gone_and_one_that_comes_back_is_not() {
        let root = tempfile::tempdir().unwrap();
        let (project, away) = (root.path().join("project"), root.path().join("away"));
        let path = project.join("lock");
        std::fs::create_dir(&project).unwrap();
        let lock = File::create(&path).unwrap();
        assert!(!is_gone(&lock, &path));
        std::fs::rename(&project, &away).unwrap();
        assert!(is_gone(&lock, &path));
        std::fs::write(&project, "a file where the folder was").unwrap();
        assert!(is_gone(&lock, &path));
        std::fs::remove_file(&project).unwrap();
        std::fs::create_dir(&project).unwrap();
        std::fs::write(&path, "another lock").unwrap();
        assert!(is_gone(&lock, &path));
        std::fs::remove_dir_all(&project).unwrap();
        std::fs::rename(&away, &project).unwrap();
        assert!(!is_gone(&lock, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(is_gone(&lock, &path));
    }
}
