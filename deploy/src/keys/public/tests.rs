use std::os::unix::fs::symlink;

use chat_identity::PrivateKey;

use super::*;

fn key() -> PublicKey {
    PrivateKey::generate().unwrap().public().clone()
}

fn named(id: &str) -> PublicKey {
    let mut jwk = key().to_jwk();
    jwk["kid"] = json!(id);
    PublicKey::from_jwk(&jwk).unwrap()
}

fn load(folder: &Path) -> PublicKeyFile {
    PublicKeyFile::load_to_change(folder).unwrap()
}

fn text_in(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(FILE_NAME)).unwrap()
}

#[test]
fn keys_are_added_and_retired_and_the_rest_of_the_document_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (named("first"), named("second"));
    let mut jwk = first.to_jwk();
    jwk["note"] = json!("ours");
    let document = json!({"about": {"who": "us"}, "keys": [jwk], "more": [1]});
    std::fs::write(folder.path().join(FILE_NAME), document.to_string()).unwrap();
    assert_eq!(load(folder.path()).add(&second).unwrap(), Added::New);
    let added = load(folder.path()).add(&second).unwrap();
    assert_eq!(added, Added::AlreadyThere);
    assert_eq!(load(folder.path()).keys(), [first, second]);
    load(folder.path()).retire("second").unwrap();
    let left: Value = serde_json::from_str(&text_in(folder.path())).unwrap();
    assert_eq!(left, document);
    load(folder.path()).retire("first").unwrap();
    assert!(load(folder.path()).keys().is_empty());
    let names = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(names.count(), 1, "a temporary file was left");
}

#[test]
fn a_key_is_found_by_its_id_and_by_the_beginning_that_only_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = load(folder.path());
    for id in ["abc", "abcd", "xyz"] {
        file.add(&named(id)).unwrap();
    }
    let found = |id: &str| file.find(id).map(|key| key.id().to_owned());
    assert_eq!(found("abc").unwrap(), "abc");
    assert_eq!(found("x").unwrap(), "xyz");
    for (id, reason) in [("ab", "several"), ("no", "no key"), ("", "")] {
        let error = found(id).unwrap_err();
        assert!(error.message.contains(reason), "{error}");
        assert!(error.hint.unwrap().contains("chatctl keys list"));
    }
}

#[test]
fn a_second_key_of_an_id_a_key_of_two_ids_and_a_ninth_key_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = load(folder.path());
    let first = named("a");
    file.add(&first).unwrap();
    let error = file.add(&named("a")).unwrap_err();
    assert!(error.message.contains("another key has the id"), "{error}");
    let mut jwk = first.to_jwk();
    jwk["kid"] = json!("b");
    let error = file.add(&PublicKey::from_jwk(&jwk).unwrap()).unwrap_err();
    assert!(error.message.contains("the same key"), "{error}");
    for _ in 1..MAX_KEYS {
        file.add(&key()).unwrap();
    }
    let before = text_in(folder.path());
    let error = file.add(&key()).unwrap_err();
    assert!(error.hint.unwrap().contains("keys retire"));
    assert_eq!(text_in(folder.path()), before);
}

#[test]
fn a_file_that_cannot_be_kept_whole_is_refused_and_stays_as_it_is() {
    let secret = PrivateKey::generate().unwrap().to_secret_text();
    let other = key().to_jwk();
    for (text, reason) in [
        ("[]".to_owned(), "not a JSON object"),
        ("{".to_owned(), "not a JSON object"),
        (r#"{"a":1,"a":2,"keys":[]}"#.to_owned(), "a duplicate name"),
        (r#"{"keys":{}}"#.to_owned(), "no list `keys`"),
        (r#"{"kty":"OKP"}"#.to_owned(), "no list `keys`"),
        (format!("{{\"keys\":[{secret}]}}"), "a private key"),
        (r#"{"keys":[{"kty":"oct"}]}"#.to_owned(), "key 1 in it"),
        (format!("{{\"keys\":[{other},{other}]}}"), "the id"),
        ("x".repeat(100_000), "bytes"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), &text).unwrap();
        let error = PublicKeyFile::load_to_change(folder.path()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.contains(reason), "{}", error.message);
        assert!(!format!("{error:?}").contains("\"d\""));
        assert_eq!(text_in(folder.path()), text);
    }
}

#[test]
fn a_link_is_neither_read_nor_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere.json");
    std::fs::write(&elsewhere, r#"{"keys":[]}"#).unwrap();
    let mut before = PublicKeyFile::load(folder.path()).unwrap();
    symlink(&elsewhere, folder.path().join(FILE_NAME)).unwrap();
    let error = PublicKeyFile::load(folder.path()).unwrap_err();
    assert!(error.message.contains("symbolic link"), "{error}");
    // It came after the file was read.
    let error = before.add(&key()).unwrap_err();
    assert!(error.message.contains("symbolic link"), "{error}");
    assert_eq!(std::fs::read(&elsewhere).unwrap(), br#"{"keys":[]}"#);
}

#[test]
fn commands_that_add_keys_at_the_same_moment_lose_none() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..MAX_KEYS {
            scope.spawn(|| load(folder.path()).add(&key()).unwrap());
        }
    });
    assert_eq!(load(folder.path()).keys().len(), MAX_KEYS);
}
