//! What `[limits]` makes of a template.

use chat_protocol::variable;

use super::super::*;

const LIMITS: &str =
    "[limits]\nmessages-per-second = 5\nconnections-per-name = 10\nroom-size = 500\n";

fn gains(without: &str, with: &str) -> Vec<String> {
    let (before, after) = (render(&settings(without)), render(&settings(with)));
    let mut reported: Vec<_> = gained(Some(&before), &after)
        .iter()
        .map(ToString::to_string)
        .collect();
    reported.sort();
    reported
}

#[test]
fn without_limits_nothing_changes() {
    let empty = format!("{FULL}[limits]\n");
    assert_eq!(document(&empty), document(FULL));
    for variable in [
        variable::MESSAGES_PER_SECOND,
        variable::CONNECTIONS_PER_NAME,
        variable::ROOM_SIZE,
    ] {
        assert!(!document(FULL).to_string().contains(variable), "{variable}");
    }
}

#[test]
fn each_limit_gives_those_who_count_what_counting_takes_and_the_others_nothing() {
    let table = "on Connections.Arn";
    let post =
        "may execute-api:ManageConnections on execute-api:${Api}/${StageName}/POST/@connections/*";
    let reported = gains(FULL, &format!("{FULL}[limits]\nmessages-per-second = 5\n"));
    let update = |role: &str| format!("{role} may dynamodb:UpdateItem {table}");
    // The other handler of the user's may already do both.
    for permission in [update("BroadcastRole"), update("DirectRole")] {
        assert!(reported.contains(&permission), "{reported:#?}");
    }
    let may_only_count = |permission: &String| {
        permission.ends_with(post) || permission.contains("may dynamodb:UpdateItem")
    };
    assert!(reported.iter().all(may_only_count), "{reported:#?}");
    assert!(
        reported
            .iter()
            .all(|permission| !permission.starts_with("Connect")
                && !permission.starts_with("Authorize")
                && !permission.starts_with("Deliver"))
    );
    for limit in ["connections-per-name = 10", "room-size = 500"] {
        let reported = gains(FULL, &format!("{FULL}[limits]\n{limit}\n"));
        let expected = ["DeleteItem", "Query"]
            .map(|action| format!("ConnectRole may dynamodb:{action} {table}"));
        assert_eq!(reported, expected, "{limit}");
    }
}

#[test]
fn each_limit_reaches_the_functions_that_count() {
    let rendered = document(&format!("{FULL}{LIMITS}"));
    let variables = |family: &str| {
        let function = format!("/Resources/{family}Function/Properties/Environment/Variables");
        rendered.pointer(&function).cloned().unwrap_or_default()
    };
    for family in ["Direct", "Broadcast", "HandlerRoll", "HandlerCount"] {
        let reported = &variables(family)[variable::MESSAGES_PER_SECOND];
        assert_eq!(reported, "5", "{family}");
    }
    assert_eq!(variables("Connect")[variable::CONNECTIONS_PER_NAME], "10");
    assert_eq!(variables("Connect")[variable::ROOM_SIZE], "500");
    for family in ["Authorize", "Disconnect", "Deliver"] {
        let reported = variables(family).to_string();
        assert!(
            !reported.contains("PER_") && !reported.contains("ROOM"),
            "{reported}"
        );
    }
}

#[test]
fn a_limit_on_names_has_them_recorded_in_a_chat_of_rooms_too() {
    let limited = format!("{ROOM}[limits]\nconnections-per-name = 1\n");
    let index = |toml: &str| {
        ["Connect", "Disconnect"].map(|family| {
            let at = format!("/Resources/{family}Function/Properties/Environment/Variables/INDEX");
            document(toml).pointer(&at).cloned().unwrap_or_default()
        })
    };
    assert_eq!(index(ROOM), ["room", "room"]);
    assert_eq!(index(&limited), ["friend,room", "friend,room"]);
}
