use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A folder of ours in a temporary one.
fn ours() -> (tempfile::TempDir, Directory) {
    let parent = tempfile::tempdir().unwrap();
    let folder = Directory::make(parent.path(), "ours").unwrap();
    (parent, folder)
}

/// The error message of `outcome`.
#[track_caller]
fn reason<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, crate::engine::ErrorKind::Usage, "{error:?}");
    std::error::Error::source(&error).unwrap().to_string()
}

#[test]
fn neither_a_link_nor_its_target_is_read_written_or_removed() {
    let (parent, folder) = ours();
    let canary = parent.path().join("canary");
    for exists in [false, true] {
        if exists {
            std::fs::write(&canary, "canary").unwrap();
        }
        symlink(&canary, folder.path().join("f")).unwrap();
        let link = "it is a symbolic link";
        assert_eq!(reason(folder.has("f")), link);
        assert_eq!(reason(folder.read("f")), link);
        assert_eq!(reason(folder.appending("f")), link);
        assert_eq!(reason(folder.locking("f")), link);
        assert_eq!(reason(folder.write("f", b"x")), link);
        assert_eq!(reason(folder.remove("f")), link);
        assert_eq!(reason(folder.rename("f", "g")), link);
        assert_eq!(folder.names().unwrap(), ["f"], "and no part is left");
        assert_eq!(canary.exists(), exists);
        std::fs::remove_file(folder.path().join("f")).unwrap();
    }
    assert_eq!(std::fs::read(&canary).unwrap(), b"canary");
}

#[test]
fn a_folder_that_is_a_link_is_not_entered() {
    let (parent, folder) = ours();
    symlink(folder.path(), parent.path().join("link")).unwrap();
    for outcome in [
        Directory::open(parent.path(), "link").map(drop),
        Directory::make(parent.path(), "link").map(drop),
    ] {
        assert_eq!(reason(outcome), "it is a symbolic link");
    }
}

#[test]
fn the_way_to_the_parent_may_lead_through_links() {
    let (parent, _folder) = ours();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    symlink(parent.path(), &link).unwrap();
    assert!(Directory::open(&link, "ours").unwrap().is_some());
}

#[test]
fn pipes_folders_and_hard_links_are_not_our_files() {
    let (parent, folder) = ours();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let file = "it is not a regular file, but chatctl expects one there";
    for name in ["pipe", "folder"] {
        assert_eq!(reason(folder.read(name)), file);
        assert_eq!(reason(folder.appending(name)), file);
        assert_eq!(reason(folder.remove(name)), file);
    }
    let elsewhere = parent.path().join("elsewhere");
    std::fs::write(&elsewhere, "x").unwrap();
    std::fs::set_permissions(&elsewhere, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::hard_link(&elsewhere, folder.path().join("second")).unwrap();
    let second = "it has a hard link elsewhere";
    assert_eq!(reason(folder.appending("second")), second);
    folder.write("file", b"x").unwrap();
    let no_folder = "it is not a folder, but chatctl expects one there";
    assert_eq!(reason(folder.folder("file")), no_folder);
    assert_eq!(reason(folder.make_folder("pipe")), no_folder);
}

#[test]
fn files_that_other_users_may_write_to_are_refused_with_the_remedy() {
    let (_parent, folder) = ours();
    folder.write("file", b"x").unwrap();
    let path = folder.path().join("file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o620)).unwrap();
    let error = folder.read("file").unwrap_err();
    assert!(error.hint.as_ref().unwrap().contains("chmod -R go-w"));
    assert_eq!(
        reason::<()>(Err(error)),
        "other users may write to it (mode 620)"
    );
}

#[test]
fn files_of_another_user_are_refused() {
    let (parent, folder) = ours();
    let another = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(folder.path(), Some(65_534), None).unwrap();
        Directory::open(parent.path(), "ours")
    } else {
        Directory::open(Path::new("/"), "etc")
    };
    let reason = reason(another);
    assert!(reason.starts_with("it belongs to another user"), "{reason}");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let (parent, folder) = ours();
    std::fs::write(parent.path().join("canary"), "canary").unwrap();
    for name in ["", ".", "..", "../canary", "/etc/passwd"] {
        assert!(folder.read(name).is_err(), "{name}");
        assert!(folder.write(name, b"x").is_err(), "{name}");
        assert!(folder.appending(name).is_err(), "{name}");
        assert!(folder.remove(name).is_err(), "{name}");
        assert!(folder.folder(name).is_err(), "{name}");
        assert!(folder.make_folder(name).is_err(), "{name}");
    }
    assert_eq!(
        std::fs::read(parent.path().join("canary")).unwrap(),
        b"canary"
    );
}

#[test]
fn a_file_appears_under_its_name_once_it_is_complete_and_leaves_no_part() {
    let (_parent, folder) = ours();
    let mode = Mode::RUSR | Mode::WUSR;
    let mut part = folder.begin("file", mode).unwrap();
    part.file.write_all(b"half").unwrap();
    let names = folder.names().unwrap();
    let name = names[0].to_str().unwrap();
    assert!(names.len() == 1 && Directory::is_part_of(name, "file"));
    drop(part);
    assert_eq!(folder.names().unwrap(), [""; 0]);
    folder.write("file", b"whole").unwrap();
    folder.write("file", b"again").unwrap();
    assert_eq!(folder.read("file").unwrap().unwrap(), b"again");
    assert_eq!(folder.names().unwrap(), ["file"]);
}

#[test]
fn only_names_of_unfinished_files_are_recognised() {
    let random = "0123456789abcdef0123456789abcdef";
    let is_part = |name: &str| Directory::is_part_of(name, "file");
    assert!(is_part(&format!("file.{random}.part")));
    for other in [
        "file",
        "file.part",
        "file.x.part",
        "other.part",
        "file.part.part",
    ] {
        assert!(!is_part(other), "{other}");
    }
}

#[test]
fn a_folder_is_only_removed_when_it_is_empty() {
    let (parent, folder) = ours();
    let inner = folder.make_folder("inner").unwrap();
    inner.write("file", b"x").unwrap();
    folder.remove_folder("inner").unwrap();
    assert!(folder.folder("inner").unwrap().is_some());
    inner.remove("file").unwrap();
    inner.remove("file").unwrap();
    folder.remove_folder("inner").unwrap();
    assert!(folder.folder("inner").unwrap().is_none());
    assert!(Directory::open(parent.path(), "none").unwrap().is_none());
}
