use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn change(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_is_written_where_only_its_user_can_read_it_and_never_over_another() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("chatctl/keys");
    assert!(PrivateKeyFolder::open(&path).unwrap().is_none());
    let folder = PrivateKeyFolder::make(&path).unwrap();
    let key = PrivateKey::generate().unwrap();
    let file = folder.write(&key).unwrap();
    assert_eq!((mode(&path), mode(&file)), (0o700, 0o600));
    folder.write(&key).unwrap_err();
    let read = folder.read(key.public().id()).unwrap().unwrap();
    assert_eq!(read.public(), key.public());
    assert!(folder.delete(key.public().id()).unwrap());
    assert!(!folder.delete(key.public().id()).unwrap());
    assert!(folder.read(key.public().id()).unwrap().is_none());
}

#[test]
fn a_folder_that_others_may_enter_and_a_link_are_refused_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let (path, link) = (home.path().join("keys"), home.path().join("link"));
    PrivateKeyFolder::make(&path).unwrap();
    symlink(&path, &link).unwrap();
    for wrong in [0o710, 0o701, 0o750, 0o777] {
        change(&path, wrong);
        let error = PrivateKeyFolder::open(&path).unwrap_err();
        assert!(error.message.contains("other users may use it"), "{error}");
        assert!(error.hint.unwrap().contains("chmod 700"));
    }
    change(&path, 0o700);
    let error = PrivateKeyFolder::make(&link).unwrap_err();
    assert!(error.message.contains("symbolic link"), "{error}");
    symlink("nowhere", home.path().join("lost")).unwrap();
    let error = PrivateKeyFolder::make(&home.path().join("lost")).unwrap_err();
    assert!(error.message.contains("symbolic link"), "{error}");
}

#[test]
fn a_file_that_others_could_have_read_or_that_is_none_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateKeyFolder::make(&home.path().join("keys")).unwrap();
    let key = PrivateKey::generate().unwrap();
    let (id, file) = (key.public().id(), folder.write(&key).unwrap());
    let secret = std::fs::read_to_string(&file).unwrap();
    for wrong in [0o640, 0o604, 0o644, 0o602] {
        change(&file, wrong);
        let error = folder.read(id).unwrap_err();
        assert!(error.hint.as_deref().unwrap().contains("chmod 600"));
    }
    change(&file, 0o600);
    std::fs::write(&file, secret.replace("Ed25519", "X25519")).unwrap();
    let reported = format!("{:?}", folder.read(id).unwrap_err());
    let seed = secret
        .split("\"d\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(
        reported.contains("another kind") && !reported.contains(seed),
        "{reported}"
    );
    let elsewhere = home.path().join("copy");
    std::fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    let error = folder.read(id).unwrap_err();
    assert!(error.message.contains("symbolic link"), "{error}");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let error = folder.read(id).unwrap_err();
    assert!(error.message.contains("it is not a file"), "{error}");
}

#[test]
fn an_id_that_is_no_file_s_name_has_no_file() {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateKeyFolder::make(&home.path().join("keys")).unwrap();
    let long = "x".repeat(200);
    for id in ["", ".", "..", "../keys", "a/b", "a b", "a\0b", &long] {
        assert!(folder.read(id).unwrap().is_none(), "{id:?}");
        assert!(!folder.delete(id).unwrap(), "{id:?}");
    }
}

#[test]
fn the_place_is_that_of_the_specification() {
    let at = |config: Option<&str>, home: Option<&str>| {
        place_in(config.map(Into::into), home.map(Into::into))
    };
    let path = |text: &str| Some(PathBuf::from(text));
    assert_eq!(at(Some("/c"), Some("/h")), path("/c/chatctl/keys"));
    assert_eq!(at(Some("c"), Some("/h")), path("/h/.config/chatctl/keys"));
    assert_eq!(at(Some(""), Some("/h")), path("/h/.config/chatctl/keys"));
    assert_eq!(at(None, Some("")), None);
    assert_eq!(at(None, None), None);
}
