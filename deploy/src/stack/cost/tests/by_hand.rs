//! Three chats, each part of whose bill is computed again in steps that can be followed with a pocket calculator.

use super::*;

/// What 100 people do in a month who send 50 messages of 200 bytes each in 8 hours a day.
const MESSAGES: f64 = 150_000.0;
const MINUTES: f64 = 1_440_000.0;
const VISITS: f64 = 3_000.0;

/// A client that sends 50 messages in 480 minutes replaces its connection 38.4 times: 50 / (e^(50 × 8 / 480) - 1).
fn connections() -> f64 {
    VISITS * (1.0 + 50.0 / 1.300_975_89)
}

const GB: f64 = 1_073_741_824.0;

fn bill(found: &Estimate, expected: &[(&str, f64, f64)]) {
    let mut sum = 0.0;
    for (what, quantity, dollars) in expected {
        let (found, price) = part(found, what);
        assert!(
            (found / quantity - 1.0).abs() < 1e-6,
            "{what}: {found}, not {quantity}"
        );
        assert!(
            (price / dollars - 1.0).abs() < 1e-6,
            "{what}: {price}, not {dollars}"
        );
        sum += dollars;
    }
    assert_eq!(found.items.len(), expected.len(), "{:?}", found.items);
    assert!((found.dollars_per_month / sum - 1.0).abs() < 1e-6);
}

#[test]
fn between_friends() {
    let found = computed("", &Usage::SAMPLE);
    let c = connections();
    is(found.connections, c);
    // Three for a connection, one for a message.
    let calls = 3.0 * c + MESSAGES;
    let logs = 3.0 * c * 250.0 / GB;
    bill(
        &found,
        &[
            // Each comes in once and goes out once.
            ("messages", 300_000.0, 0.30),
            ("connection minutes", MINUTES, 0.36),
            ("calls", calls, calls * 0.20 / 1e6),
            // 128 MB for 10 ms.
            (
                "GB seconds",
                calls * 0.125 * 0.01,
                calls * 0.125 * 0.01 * 16.666_7 / 1e6,
            ),
            ("write units", 2.0 * c, 2.0 * c * 0.625 / 1e6),
            // A ban is looked for with each handshake, and the friend with each message.
            ("read units", c + 75_000.0, (c + 75_000.0) * 0.125 / 1e6),
            ("GB written", logs, logs * 0.50),
            // 14 days of 30.
            ("GB kept", logs * 14.0 / 30.0, logs * 14.0 / 30.0 * 0.03),
            (
                "GB to clients",
                MESSAGES * 200.0 / GB,
                MESSAGES * 200.0 / GB * 0.09,
            ),
        ],
    );
    assert_eq!((found.route.as_str(), found.room_size), ("$default", None));
}

/// With all that a chat of rooms can have.
pub(super) const EVERYTHING: &str = r#"
[[routes]]
key = "say"
receivers = "room"
text = "message"
envelope = true
history = "7d"
review = "filter"
[[routes]]
key = "history"
answers = "history"
[[routes]]
key = "delete"
answers = "delete"
[[routes]]
key = "who"
answers = "who"
announce = true
[alarms]
email = "ops@example.com"
[logs]
access = true
[aws]
kms-key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
"#;

#[test]
fn in_rooms_of_50_with_history_presence_a_review_alarms_access_logs_and_a_key() {
    let usage = Usage {
        room_size: Some(50),
        ..Usage::SAMPLE
    };
    let found = computed(EVERYTHING, &usage);
    let c = connections();
    let deletions = 1_500.0;
    // In a room, a change follows each 86,400,000 / (2 × 50 × connections) seconds, and an announcer waits for three.
    let seconds = MINUTES * 60.0;
    let runs = 2.0 * c / (1.0 + 3.0 * 2.0 * c * 50.0 / seconds);
    let different = 2.0 * VISITS / (1.0 + 3.0 * 2.0 * VISITS * 50.0 / seconds);
    // One in, 49 out and a receipt; a request and its answer with each connection, twice; a frame for each of 50 people.
    let messages = MESSAGES * 51.0 + 4.0 * c + different * 50.0 + deletions * 51.0;
    // Handshake and end, history, who; message and review; deletions; announcements.
    let calls = 5.0 * c + 2.0 * MESSAGES + deletions + runs;
    let gb_seconds = 5.0 * c * 0.125 * 0.01
        // 512 MB for a millisecond a member, and for the 10 ms of the review, which has 128 MB.
        + MESSAGES * (0.5 * 0.05 + 0.5 * 0.01 + 0.125 * 0.01)
        + deletions * 0.125 * 0.05
        // 256 MB for 3 seconds and the posts; for 6 where a person leaves; for 3.1 where there is nothing to say.
        + 0.25 * (different / 2.0 * 3.1 + different / 2.0 * 6.1 + (runs - different) * 3.1);
    let writes = 2.0 * c
        + MESSAGES
        + deletions * 2.0
        // The first of a window; the turn twice, and the names.
        + runs + runs * 2.0 + different;
    let reads = c
        + MESSAGES * 4.0
        // A page of 51 messages with 400 bytes; what was missed; who is there; each change.
        + VISITS * 5.0 + (c - VISITS) + 4.0 * c + 2.0 * c
        + deletions * 5.0
        // The names and the room, which is looked at twice where a person leaves.
        + different / 2.0 * 5.0 + different / 2.0 * 9.0 + (runs - different) * 5.0;
    let stored = 5_000.0 * 7.0 * 500.0 / GB;
    // Two for a connection, and one for what comes in.
    let accesses = 2.0 * c + MESSAGES + 2.0 * c + deletions;
    let logs = ((3.0 * c + deletions + runs) * 250.0 + accesses * 450.0) / GB;
    let traffic = (MESSAGES * 50.0 * 400.0
        + VISITS * 50.0 * 400.0
        + (c - VISITS) * 100.0
        + c * (100.0 + 50.0 * 71.0)
        + different * 50.0 * 200.0
        + deletions * 50.0 * 200.0)
        / GB;
    let alarms = part(&found, "alarms").0;
    let keys = part(&found, "requests").0;
    bill(
        &found,
        &[
            ("messages", messages, messages / 1e6),
            ("connection minutes", MINUTES, 0.36),
            ("calls", calls, calls * 0.20 / 1e6),
            ("GB seconds", gb_seconds, gb_seconds * 16.666_7 / 1e6),
            ("write units", writes, writes * 0.625 / 1e6),
            ("read units", reads, reads * 0.125 / 1e6),
            ("GB stored", stored, stored * 0.25),
            ("GB written", logs, logs * 0.50),
            ("GB kept", logs * 14.0 / 30.0, logs * 14.0 / 30.0 * 0.03),
            ("GB to clients", traffic, traffic * 0.09),
            ("alarms", alarms, alarms * 0.10),
            ("dashboards", 1.0, 3.0),
            ("keys", 1.0, 1.0),
            ("requests", keys, keys * 0.03 / 1e4),
        ],
    );
    // Errors and throttles of ten functions, dropped events of two, four of the API, two of the table.
    is(alarms, 20.0 + 2.0 + 4.0 + 2.0);
    // All functions but the authorizer use the table.
    is(keys, 9.0 * 8_640.0);
}

#[test]
fn a_backend_alone_has_messages_minutes_and_a_secret() {
    let header = "secret-header = { name = \"x-secret\", secretsmanager = \"chat/backend\", variable = \"SECRET\" }\n";
    let routes = ["$connect", "$disconnect", "$default"].map(|key| {
        format!("[[routes]]\nkey = \"{key}\"\nhttp = \"https://example.com/x\"\n{header}")
    });
    let found = computed(&routes.concat(), &Usage::SAMPLE);
    bill(
        &found,
        &[
            ("messages", MESSAGES, 0.15),
            ("connection minutes", MINUTES, 0.36),
            ("secrets", 1.0, 0.40),
        ],
    );
    let left_out = found
        .not_counted
        .iter()
        .filter(|it| it.starts_with("your backend"));
    assert_eq!(left_out.count(), 2);
    assert!(
        !found
            .assumptions
            .iter()
            .any(|it| it.contains("functions that run"))
    );
}
