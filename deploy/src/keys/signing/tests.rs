use chat_identity::{KeySet, Rules, Verifier};

use super::*;

/// A chat with `count` keys, all of whose private parts are here.
fn chat(count: usize) -> (tempfile::TempDir, PublicKeyFile, PrivateKeyFolder) {
    let home = tempfile::tempdir().unwrap();
    let folder = PrivateKeyFolder::make(&home.path().join("keys")).unwrap();
    let mut file = PublicKeyFile::load_to_change(home.path()).unwrap();
    for _ in 0..count {
        let key = PrivateKey::generate().unwrap();
        folder.write(&key).unwrap();
        file.add(key.public()).unwrap();
    }
    (home, file, folder)
}

fn copied(key: &PrivateKey) -> PrivateKey {
    PrivateKey::from_secret_text(&key.to_secret_text()).unwrap()
}

fn signing(states: &[KeyState<'_>]) -> Vec<bool> {
    states.iter().map(|state| state.signs).collect()
}

#[test]
fn the_oldest_key_signs_until_it_is_retired() {
    let (_home, mut file, folder) = chat(2);
    let [old, new] = [0, 1].map(|place| file.keys()[place].id().to_owned());
    let (states, key) = found_in(&file, Some(&folder), None).unwrap();
    assert_eq!(signing(&states), [true, false]);
    assert_eq!(key.unwrap().public().id(), old);
    file.retire(&old).unwrap();
    let (states, key) = found_in(&file, Some(&folder), None).unwrap();
    assert_eq!(signing(&states), [true]);
    assert_eq!(key.unwrap().public().id(), new);
}

#[test]
fn only_a_key_whose_private_part_is_here_signs() {
    let (_home, mut file, folder) = chat(0);
    let elsewhere = PrivateKey::generate().unwrap();
    file.add(elsewhere.public()).unwrap();
    let (states, key) = found_in(&file, Some(&folder), None).unwrap();
    assert!(states[0].private.is_none() && key.is_none());
    let (states, key) = found_in(&file, None, Some(copied(&elsewhere))).unwrap();
    assert_eq!(states[0].private, Some(PrivateKeyLocation::Environment));
    assert!(states[0].signs && key.is_some());
}

#[test]
fn a_key_in_the_environment_signs_instead_of_those_in_files() {
    let (_home, file, folder) = chat(2);
    let given = folder.read(file.keys()[1].id()).unwrap();
    let (states, key) = found_in(&file, Some(&folder), given).unwrap();
    assert_eq!(signing(&states), [false, true]);
    assert_eq!(key.unwrap().public(), &file.keys()[1]);
}

#[test]
fn a_token_says_what_was_wished_for_and_for_which_stack() {
    let (_home, file, folder) = chat(1);
    let (_, key) = found_in(&file, Some(&folder), None).unwrap();
    let signer = Signer {
        key: key.unwrap(),
        stack: "mine".parse().unwrap(),
    };
    let [tom, jerry, tea] = ["Tom", "Jerry", "tea"].map(|name| name.parse().unwrap());
    let minted = signer
        .mint(&NewToken {
            name: &tom,
            to: Some(&jerry),
            room: Some(&tea),
            can: Some(vec!["send".into()]),
            lifetime: Duration::from_secs(60),
        })
        .unwrap();
    assert_eq!(minted.token.expires_at(), Some(minted.expires_at));
    let keys = KeySet::new(file.keys().iter().cloned()).unwrap();
    let rules = |audience: &str| Rules {
        issuer: Some("chatctl".into()),
        audience: vec![audience.to_owned()],
        ..Rules::default()
    };
    let verified = |audience: &str| {
        let verifier = Verifier::new(keys.clone(), rules(audience));
        verifier.verify(minted.token.secret(), minted.expires_at - 60)
    };
    let claims = verified("mine").unwrap();
    assert_eq!(claims.name, "Tom");
    assert_eq!(claims.to.unwrap(), ["Jerry"]);
    assert_eq!(claims.rooms.unwrap(), ["tea"]);
    assert_eq!(claims.can.unwrap(), ["send"]);
    verified("other").unwrap_err();
}
