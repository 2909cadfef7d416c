use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::packaging::copy_hashed;

/// A stack's folder that does not exist yet, in a temporary one.
pub(super) fn folder() -> (tempfile::TempDir, StateFolder) {
    let root = tempfile::tempdir().unwrap();
    let folder = StateFolder::new(root.path().join(".chatctl/chat"));
    (root, folder)
}

/// An executable, and its digest.
pub(super) fn executable(root: &tempfile::TempDir, text: &str) -> (PathBuf, String) {
    let path = root.path().join("executable");
    std::fs::write(&path, text).unwrap();
    let (digest, _size) = copy_hashed(text.as_bytes(), std::io::sink()).unwrap();
    (path, digest)
}

#[test]
fn all_files_are_private_to_the_user() {
    let (root, folder) = folder();
    folder
        .write_identity(&Identity {
            seed: "s".into(),
            port: 1,
        })
        .unwrap();
    folder.open_log().unwrap();
    let (code, digest) = executable(&root, "x");
    folder.keep_code(&code, &digest).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path()), 0o700);
    assert_eq!(mode(folder.path().parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.path().join("identity.json")), 0o600);
    assert_eq!(mode(&folder.log()), 0o600);
    assert_eq!(mode(&folder.code(&digest)), 0o700);
    assert_eq!(mode(&folder.code(&digest).join("bootstrap")), 0o700);
}

#[test]
fn a_damaged_file_is_an_error_that_says_what_to_do() {
    let (_root, folder) = folder();
    for name in ["request.json", "identity.json", "running.json"] {
        folder.make().unwrap().write(name, b"{").unwrap();
    }
    let check = |error: TargetError, file: &str, cure: &str| {
        assert!(error.message.contains(file), "{}", error.message);
        assert!(error.hint.unwrap().contains(cure));
    };
    let request = folder.request().unwrap_err();
    check(request, "request.json", "teardown --local --keep-data`");
    let identity = folder.identity().unwrap_err();
    check(identity, "identity.json", "teardown --local`");
    check(folder.running().unwrap_err(), "running.json", "chat/lock`");
}

#[test]
fn looking_makes_nothing() {
    let (root, folder) = folder();
    folder.check().unwrap();
    assert!(!folder.has_data().unwrap() && !folder.is_asked_for().unwrap());
    assert!(!folder.is_alive().unwrap());
    assert_eq!(folder.request().unwrap(), None);
    assert!(folder.open_logs().unwrap().is_none());
    folder.forget_request();
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn side_files_of_missing_data_are_not_read_into_new_data() {
    let (_root, folder) = folder();
    let files = folder.make().unwrap();
    files.write("tables.db-wal", b"of other data").unwrap();
    folder.check_tables().unwrap();
    assert!(!files.has("tables.db-wal").unwrap());
    files.write("tables.db", b"data").unwrap();
    files.write("tables.db-wal", b"of this data").unwrap();
    folder.check_tables().unwrap();
    assert!(files.has("tables.db-wal").unwrap());
}

#[test]
fn a_pinned_folder_stays_removed_and_follows_a_move() {
    let (root, unpinned) = folder();
    let lock = unpinned.lock().unwrap().unwrap();
    let folder = unpinned.clone().pinned(&lock).unwrap();
    folder.open_log().unwrap();
    let state = root.path().join(".chatctl");
    std::fs::rename(&state, root.path().join("moved")).unwrap();
    folder.make_logs().unwrap();
    assert!(root.path().join("moved/chat/logs").exists());
    assert!(!state.exists());
    std::fs::remove_dir_all(root.path().join("moved")).unwrap();
    let kept = folder.keep_code(&executable(&root, "x").0, &"0".repeat(64));
    assert!(kept.is_err());
    assert!(folder.open_log().is_err());
    assert!(folder.make_logs().is_err());
    let identity = Identity {
        seed: "s".into(),
        port: 1,
    };
    assert!(folder.write_identity(&identity).is_err());
    assert!(!folder.has_data().unwrap());
    assert!(!folder.is_alive().unwrap());
    folder.clear_events();
    assert!(!state.exists());
    // The lock of a stack that replaced this one does not pin the replacement's folder.
    let other = unpinned.lock().unwrap().unwrap();
    assert!(unpinned.clone().pinned(&lock).is_err());
    assert!(unpinned.pinned(&other).is_ok());
}
