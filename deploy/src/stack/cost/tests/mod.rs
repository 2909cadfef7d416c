mod by_hand;
mod hints;

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

/// So much is sent that a connection lasts two hours: 4 in 8 hours, 12,000 of 100 people in a month.
const BUSY: Usage = Usage {
    messages_per_day: 50_000,
    ..Usage::SAMPLE
};

/// The messages of a month of [`BUSY`].
const MANY: f64 = 150e6;

fn busy(people: u32, members: u32) -> Usage {
    Usage {
        people,
        room_size: Some(members),
        ..BUSY
    }
}

#[test]
fn a_message_to_a_room_goes_out_to_every_other_member_and_reads_all_of_them() {
    let found = computed(ROOM, &busy(1_000, 1_000));
    let (connections, messages) = (120_000.0, 10.0 * MANY);
    is(found.connections, connections);
    is(part(&found, "messages").0, messages * 1_000.0);
    // 16 units for a message; a ban is looked for with each handshake.
    is(part(&found, "read units").0, messages * 16.0 + connections);
    // 512 MB for a millisecond a member; 128 MB for 10 ms in three functions of a connection.
    is(
        part(&found, "GB seconds").0,
        messages * 0.5 + 3.0 * connections * 0.125 * 0.01,
    );
    let (largest, _) = found.largest().unwrap();
    assert_eq!(largest.what, "messages");
    assert!(largest.lowered_by.contains("room-size"));
}

#[test]
fn a_larger_room_is_served_by_four_functions_more_which_log() {
    let found = computed(ROOM, &busy(2_000, 2_000));
    let (connections, messages) = (240_000.0, 20.0 * MANY);
    is(part(&found, "calls").0, messages * 5.0 + 3.0 * connections);
    is(part(&found, "read units").0, messages * 52.0 + connections);
    let lines = messages * 5.0 + 3.0 * connections;
    is(
        part(&found, "GB written").0,
        lines * 250.0 / 1_073_741_824.0,
    );
    let silent = format!("{ROOM}[handlers]\nlog-level = \"warn\"\n");
    let found = computed(&silent, &busy(2_000, 2_000));
    is(part(&found, "GB written").0, 0.0);
}

#[test]
fn limits_envelopes_and_long_texts_cost_what_the_docs_say() {
    let plain = computed(ROOM, &BUSY);
    assert_eq!(plain.room_size, Some(Usage::ROOM_SIZE));
    is(part(&plain, "write units").0, 24_000.0);
    let limited = computed(&format!("{ROOM}{LIMITS}"), &BUSY);
    // Found by name, too: two items for a connection, and a write for each message.
    is(part(&limited, "write units").0, 48_000.0 + MANY);
    // A ban, a count of the name, and four units for the room.
    is(part(&limited, "read units").0, 12_000.0 * 6.0 + MANY * 4.0);
    let writes = limited.items.iter().find(|item| item.what == "write units");
    let lower = &writes.unwrap().lowered_by;
    assert!(lower.contains("messages-per-second"), "{lower}");
    let envelope = computed(&format!("{ROOM}envelope = true\n"), &BUSY);
    is(part(&envelope, "messages").0, MANY * 11.0);
    let long = Usage {
        message_bytes: 33 * 1_024,
        ..BUSY
    };
    is(part(&computed("", &long), "messages").0, MANY * 4.0);
}

#[test]
fn who_comes_once_in_an_hour_needs_more_connections_than_who_stays() {
    let visits = |visits_per_day| {
        let usage = Usage {
            visits_per_day,
            ..Usage::SAMPLE
        };
        computed("", &usage).connections
    };
    let ratio = visits(8) / visits(1);
    assert!(ratio > 1.1 && ratio < 1.3, "{ratio}");
    // Minutes are those of the hours.
    is(
        part(
            &computed(
                "",
                &Usage {
                    visits_per_day: 8,
                    ..Usage::SAMPLE
                },
            ),
            "connection minutes",
        )
        .0,
        1_440_000.0,
    );
}

/// 5,000 messages a day are kept for 7 days.
#[test]
fn kept_messages_are_written_and_lie_in_the_table() {
    let kept = format!("{ROOM}envelope = true\nhistory = \"7d\"\n");
    let found = computed(&kept, &BUSY);
    is(part(&found, "write units").0, 24_000.0 + MANY);
    is(part(&found, "read units").0, 12_000.0 + MANY * 4.0);
    let stored = MANY / 30.0 * 7.0 * 500.0 / 1_073_741_824.0;
    is(part(&found, "GB stored").1, stored * 0.25);
    let friends = "[[routes]]\nkey = \"say\"\nreceivers = \"friend\"\ntext = \"message\"\nenvelope = true\nhistory = \"7d\"\n";
    let long = Usage {
        message_bytes: 10_000,
        ..BUSY
    };
    let found = computed(friends, &long);
    is(part(&found, "write units").0, 24_000.0 + MANY * 10.0);
    is(part(&found, "read units").0, 12_000.0 + MANY);
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
fn what_a_function_of_the_users_does_is_not_guessed_but_its_time_is_charged() {
    let toml = "[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\nmemory = 1024\n\
                secrets = { KEY = { secretsmanager = \"chat/key\", variable = \"KEY\" } }\n";
    let found = computed(toml, &BUSY);
    is(
        part(&found, "GB seconds").0,
        MANY * 0.01 + 36_000.0 * 0.125 * 0.01,
    );
    assert!(
        found
            .not_counted
            .iter()
            .any(|it| it.starts_with("what your function"))
    );
    is(part(&found, "secrets").1, 0.40);
    is(part(&found, "reads").0, 8_640.0);
}

#[test]
fn smallest_and_largest_numbers_have_finite_results() {
    let one = Usage {
        people: 1,
        messages_per_day: 0,
        hours_per_day: 1,
        message_bytes: 1,
        ..Usage::SAMPLE
    };
    let found = computed(ROOM, &one);
    assert_eq!(found.room_size, Some(1));
    // Nothing is sent.
    is(part(&found, "messages").0, 0.0);
    assert!(found.dollars_per_month > 0.0 && found.dollars_per_month < 0.01);
    let alone = Usage {
        messages_per_day: 100,
        ..one
    };
    is(part(&computed(ROOM, &alone), "messages").0, 3_000.0);
    let all = Usage {
        people: 10_000_000,
        messages_per_day: 100_000,
        room_size: Some(1_000_000),
        hours_per_day: 24,
        visits_per_day: 100,
        message_bytes: 32_768,
    };
    let found = computed(ROOM, &all);
    assert!(
        found
            .items
            .iter()
            .all(|item| item.dollars.is_finite() && item.quantity.is_finite())
    );
    assert!(found.dollars_per_month > 1e12);
    assert_eq!(found.refused.len(), 2, "{:?}", found.refused);
    assert!(computed(ROOM, &Usage::SAMPLE).refused.is_empty());
}

#[test]
fn messages_that_the_config_refuses_even_if_they_come_evenly_are_named() {
    let refused = |toml: &str, usage: &Usage| computed(toml, usage).refused;
    let at_once = Usage {
        messages_per_day: 3_600,
        hours_per_day: 1,
        ..Usage::SAMPLE
    };
    let limited = format!("{ROOM}[limits]\nmessages-per-second = 1\n");
    assert!(refused(&limited, &at_once).is_empty());
    let more = Usage {
        messages_per_day: 4_000,
        ..at_once
    };
    let [one] = &refused(&limited, &more)[..] else {
        panic!("one is refused");
    };
    assert_eq!(
        one,
        "1.1 messages come from each person in a second, and a connection (`messages-per-second` under `[limits]`) takes 1"
    );
    let throttled = "[stage]\nthrottle = { rate = 1, burst = 1 }\n";
    assert_eq!(
        refused(throttled, &more)[0],
        "4.6 messages come in a second, and a route (`throttle` under `[stage]`) takes 1"
    );
    assert!(refused("[stage]\nthrottle = false\n", &more).is_empty());
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
        item.unwrap().lowered_by.clone()
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
    assert_eq!(
        refused(ROOM, 101).to_string(),
        "rooms of 101 have more members than the 100 people who use the chat"
    );
    let long = Usage {
        message_bytes: 32_769,
        ..Usage::SAMPLE
    };
    let error = estimate(&settings(ROOM), &long, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "route `say` takes texts of up to 32768 bytes (`max-text-bytes`), and these have 32769"
    );
    assert!(error.hint().contains("--message-bytes"));
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
