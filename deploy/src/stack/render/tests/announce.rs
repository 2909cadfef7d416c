//! The function that announces, and what others may do because of it.

use expect_test::expect_file;
use serde_json::{Value, json};

use super::{ANNOUNCE, document, functions};

#[test]
fn functions_that_see_people_come_and_go_may_open_turns_and_invoke_the_announcer() {
    expect_file!["../snapshots/announce.txt"].assert_eq(&functions(ANNOUNCE));
}

#[test]
fn without_announcements_nothing_is_different() {
    let off = ANNOUNCE.replace("announce = true", "announce = false");
    let without = ANNOUNCE.replace("announce = true\n", "");
    assert_eq!(document(&off), document(&without));
    assert!(
        !document(&off)
            .to_string()
            .to_lowercase()
            .contains("announce")
    );
}

/// The actions of all statements that concern `role`, each as often as it is granted.
fn granted(document: &Value, role: &str) -> Vec<String> {
    let resources = document["Resources"].as_object().unwrap();
    let inline = resources[role]["Properties"]["Policies"].as_array();
    let inline = inline
        .into_iter()
        .flatten()
        .map(|policy| &policy["PolicyDocument"]);
    let beside = resources
        .values()
        .filter(|it| it["Properties"]["Roles"] == json!([{ "Ref": role }]));
    let beside = beside.map(|policy| &policy["Properties"]["PolicyDocument"]);
    let statements = inline
        .chain(beside)
        .flat_map(|it| it["Statement"].as_array().unwrap());
    let mut actions: Vec<String> = statements
        .flat_map(|statement| match &statement["Action"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        })
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    actions.sort();
    actions
}

#[test]
fn no_action_is_granted_twice_with_or_without_limits() {
    let limits = "[limits]\nmessages-per-second = 5\nconnections-per-name = 3\nroom-size = 50\n";
    for toml in [ANNOUNCE.to_owned(), format!("{limits}{ANNOUNCE}")] {
        let document = document(&toml);
        for role in [
            "ConnectRole",
            "DisconnectRole",
            "BroadcastRole",
            "DeliverRole",
            "KickRole",
        ] {
            let mut granted = granted(&document, role);
            // Two functions may invoke another one for large rooms as well.
            let invokes = granted.iter().filter(|it| *it == "lambda:InvokeFunction");
            let invoked = if role == "BroadcastRole" || role == "DeliverRole" {
                2
            } else {
                1
            };
            assert_eq!(invokes.count(), invoked, "{role}");
            granted.retain(|it| it != "lambda:InvokeFunction");
            // A limit lets `connect` read rooms; its permission to look for bans stays what it was.
            let mut once: Vec<_> = granted.clone();
            once.dedup();
            let repeated = granted.len() - once.len();
            let may_repeat = usize::from(role == "ConnectRole" && toml.contains("room-size"));
            assert_eq!(repeated, may_repeat, "{role}: {granted:?}");
            for action in ["dynamodb:Query", "dynamodb:UpdateItem"] {
                assert!(
                    granted.contains(&action.to_owned()),
                    "{role} lacks {action}"
                );
            }
        }
    }
}
