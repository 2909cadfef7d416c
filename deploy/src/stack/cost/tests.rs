use super::*;
use crate::config::Overrides;

fn settings(toml: &str) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
    Settings::load(folder.path(), Overrides::default()).unwrap()
}

fn computed(toml: &str, usage: &Usage) -> Estimate {
    estimate(&settings(toml), usage, Some("us-east-1")).unwrap()
}

/// The quantity and the price of a part.
fn part(estimate: &Estimate, what: &str) -> (f64, f64) {
    let found = estimate.items.iter().find(|item| item.what == what);
    found.map_or((0.0, 0.0), |item| (item.quantity, item.dollars))
}

fn is(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < expected.abs() * 1e-6 + 1e-9,
        "{found} is not {expected}"
    );
}

const ROOM: &str = "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\ntext = \"message\"\n";
const LIMITS: &str =
    "[limits]\nmessages-per-second = 1\nconnections-per-name = 3\nroom-size = 50\n";

/// 100 people open 4 connections a day each, 12,000 in 30 days, and send 150,000 messages.
#[test]
fn between_friends_the_parts_are_what_a_calculation_by_hand_makes_them() {
    let found = computed("", &Usage::SAMPLE);
    let expected = [
        // Each message comes in once and goes out once.
        ("messages", 300_000.0, 0.30),
        ("connection minutes", 1_440_000.0, 0.36),
        // Three for a connection, one for a message, at 128 MB and 10 ms.
        ("calls", 186_000.0, 0.037_2),
        ("GB seconds", 232.5, 0.003_875_007_75),
        ("write units", 24_000.0, 0.015),
        ("read units", 87_000.0, 0.010_875),
        ("GB written", 0.008_381_903_17, 0.004_190_951_59),
        ("GB to clients", 0.027_939_677_24, 0.002_514_570_95),
    ];
    let mut sum = 0.0;
    for (what, quantity, dollars) in expected {
        let (found, price) = part(&found, what);
        is(found, quantity);
        is(price, dollars);
        sum += dollars;
    }
    assert_eq!(found.items.len(), expected.len());
    is(found.dollars_per_month, sum);
    let (largest, share) = found.largest().unwrap();
    assert_eq!(largest.what, "connection minutes");
    is(share, 0.36 / sum);
    assert_eq!((found.route.as_str(), found.room_size), ("$default", None));
}

#[test]
fn a_message_to_a_room_goes_out_to_every_other_member_and_reads_all_of_them() {
    let usage = Usage {
        room_size: Some(1_000),
        ..Usage::SAMPLE
    };
    let found = computed(ROOM, &usage);
    is(part(&found, "messages").0, 150_000.0 * 1_000.0);
    // 16 units for a message; a ban is looked for with each handshake.
    is(part(&found, "read units").0, 150_000.0 * 16.0 + 12_000.0);
    // 512 MB for a millisecond a member; 128 MB for 10 ms in three functions of a connection.
    is(
        part(&found, "GB seconds").0,
        150_000.0 * 0.5 + 36_000.0 * 0.125 * 0.01,
    );
    let (largest, _) = found.largest().unwrap();
    assert_eq!(largest.what, "messages");
    assert!(largest.lowered_by.as_ref().unwrap().contains("room-size"));
}

#[test]
fn a_larger_room_is_served_by_four_functions_more() {
    let usage = Usage {
        room_size: Some(2_000),
        ..Usage::SAMPLE
    };
    let found = computed(ROOM, &usage);
    is(part(&found, "calls").0, 150_000.0 * 5.0 + 36_000.0);
    is(part(&found, "read units").0, 150_000.0 * 52.0 + 12_000.0);
}

#[test]
fn limits_envelopes_and_long_texts_cost_what_the_docs_say() {
    let plain = computed(ROOM, &Usage::SAMPLE);
    assert_eq!(plain.room_size, Some(Usage::ROOM_SIZE));
    is(part(&plain, "write units").0, 24_000.0);
    let limited = computed(&format!("{ROOM}{LIMITS}"), &Usage::SAMPLE);
    // Found by name, too: two items for a connection, and a write for each message.
    is(part(&limited, "write units").0, 48_000.0 + 150_000.0);
    // A ban, a count of the name, and four units for the room.
    is(
        part(&limited, "read units").0,
        12_000.0 * 6.0 + 150_000.0 * 4.0,
    );
    let writes = limited.items.iter().find(|item| item.what == "write units");
    let lower = writes.unwrap().lowered_by.clone().unwrap();
    assert!(lower.contains("messages-per-second"), "{lower}");
    let envelope = computed(&format!("{ROOM}envelope = true\n"), &Usage::SAMPLE);
    is(part(&envelope, "messages").0, 150_000.0 * 11.0);
    let long = Usage {
        message_bytes: 33 * 1_024,
        ..Usage::SAMPLE
    };
    is(part(&computed("", &long), "messages").0, 600_000.0);
}

/// 5,000 messages a day are kept for 7 days.
#[test]
fn kept_messages_are_written_and_lie_in_the_table() {
    let kept = format!("{ROOM}envelope = true\nhistory = \"7d\"\n");
    let found = computed(&kept, &Usage::SAMPLE);
    is(part(&found, "write units").0, 24_000.0 + 150_000.0);
    is(part(&found, "read units").0, 12_000.0 + 150_000.0 * 4.0);
    let stored = 35_000.0 * 440.0 / 1_073_741_824.0;
    is(part(&found, "GB stored").1, stored * 0.25);
    let friends = "[[routes]]\nkey = \"say\"\nreceivers = \"friend\"\ntext = \"message\"\nenvelope = true\nhistory = \"7d\"\n";
    let long = Usage {
        message_bytes: 10_000,
        ..Usage::SAMPLE
    };
    let found = computed(friends, &long);
    is(part(&found, "write units").0, 24_000.0 + 150_000.0 * 10.0);
    is(part(&found, "read units").0, 12_000.0 + 150_000.0);
}

#[test]
fn messages_beyond_a_thousand_million_cost_less() {
    let usage = Usage {
        people: 1_000_000,
        ..Usage::SAMPLE
    };
    let found = computed("", &usage);
    is(part(&found, "messages").1, 1_000.0 + 2_000.0 * 0.8);
}

#[test]
fn what_a_backend_or_a_function_of_the_users_does_is_not_guessed() {
    let http: String = ["$connect", "$disconnect", "$default"]
        .map(|key| format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://example.com/x\"\n"))
        .concat();
    let found = computed(&http, &Usage::SAMPLE);
    is(part(&found, "messages").0, 150_000.0);
    assert_eq!(part(&found, "calls").0, 0.0);
    assert_eq!(part(&found, "write units").0, 0.0);
    assert!(
        found
            .not_counted
            .iter()
            .any(|it| it.starts_with("your backend"))
    );
}

#[test]
fn a_region_without_known_prices_gets_those_of_us_east_1_and_says_so() {
    let found = estimate(&settings(""), &Usage::SAMPLE, Some("eu-west-1")).unwrap();
    assert_eq!(found.region.as_deref(), Some("eu-west-1"));
    assert_eq!(found.prices_of, "us-east-1");
}

#[test]
fn arm_costs_a_fifth_less_of_the_time_and_the_advice_says_so_only_before() {
    let advice = |found: &Estimate| {
        let item = found.items.iter().find(|item| item.what == "GB seconds");
        item.unwrap().lowered_by.clone().unwrap()
    };
    let intel = computed("", &Usage::SAMPLE);
    let arm = computed("[aws]\narchitecture = \"arm64\"\n", &Usage::SAMPLE);
    is(
        part(&arm, "GB seconds").1 / part(&intel, "GB seconds").1,
        13.333_4 / 16.666_7,
    );
    assert!(advice(&intel).contains("arm64") && !advice(&arm).contains("arm64"));
}

#[test]
fn a_usage_that_the_config_does_not_allow_is_refused() {
    let rooms = |size| Usage {
        room_size: Some(size),
        ..Usage::SAMPLE
    };
    let refused = |toml: &str, size| estimate(&settings(toml), &rooms(size), None).unwrap_err();
    assert_eq!(refused("", 10), CostError::NoRooms);
    let limited = format!("{ROOM}{LIMITS}");
    assert_eq!(
        refused(&limited, 51).to_string(),
        "rooms of 51 are beyond `room-size = 50` under `[limits]`"
    );
    assert!(estimate(&settings(&limited), &rooms(50), None).is_ok());
}

/// The pages name the prices that are computed with.
#[test]
fn the_docs_name_the_same_prices_and_figures() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/concepts");
    let read = |name: &str| std::fs::read_to_string(format!("{docs}/{name}")).unwrap();
    let page = read("data-and-cost.md");
    let sample = computed("", &Usage::SAMPLE).dollars_per_month;
    let rooms = Usage {
        room_size: Some(50),
        ..Usage::SAMPLE
    };
    let rooms = computed(ROOM, &rooms).dollars_per_month;
    for figure in [
        format!("${sample:.2}"),
        format!("${rooms:.2}"),
        prices::LOOKED_UP.to_owned(),
    ] {
        assert!(
            page.contains(&figure),
            "{figure} is not in data-and-cost.md"
        );
    }
    for (_, source) in prices::SOURCES {
        assert!(read("hostile-clients.md").contains(source), "{source}");
    }
}
