//! Each part of a bill names a key of the config that lowers it, and it does.

use super::*;

/// A config and a usage of which one part is the largest; the key that the advice must name; and the config that follows it.
struct Case {
    what: &'static str,
    before: &'static str,
    usage: Usage,
    key: &'static str,
    after: &'static str,
}

const BUSY: Usage = Usage {
    messages_per_day: 2_000,
    ..Usage::SAMPLE
};

const QUIET: Usage = Usage {
    messages_per_day: 0,
    hours_per_day: 1,
    visits_per_day: 24,
    ..Usage::SAMPLE
};

fn cases() -> Vec<Case> {
    let rooms = |size| Usage {
        room_size: size,
        ..BUSY
    };
    vec![
        Case {
            what: "messages",
            before: "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\n",
            usage: rooms(None),
            key: "room-size",
            after: "[limits]\nroom-size = 2\n[[routes]]\nkey = \"say\"\nreceivers = \"room\"\n",
        },
        Case {
            what: "GB seconds",
            before: "[[routes]]\nkey = \"say\"\nhandler = \"roll\"\nmemory = 10240\n",
            usage: BUSY,
            key: "architecture",
            after: "[[routes]]\nkey = \"say\"\nhandler = \"roll\"\nmemory = 10240\n[aws]\narchitecture = \"arm64\"\n",
        },
        Case {
            what: "write units",
            before: "[[routes]]\nkey = \"say\"\ntext = \"message\"\nenvelope = true\nhistory = \"1h\"\n",
            usage: Usage {
                message_bytes: 20_000,
                ..BUSY
            },
            key: "history",
            after: "[[routes]]\nkey = \"say\"\ntext = \"message\"\nenvelope = true\n",
        },
        Case {
            what: "write units",
            before: "[[routes]]\nkey = \"say\"\nhttp = \"https://example.com/x\"\n[[routes]]\nkey = \"room\"\nreceivers = \"room\"\n\
                     [limits]\nconnections-per-name = 3\n",
            usage: QUIET,
            key: "connections-per-name",
            after: "[[routes]]\nkey = \"say\"\nhttp = \"https://example.com/x\"\n[[routes]]\nkey = \"room\"\nreceivers = \"room\"\n",
        },
        Case {
            what: "write units",
            before: "[[routes]]\nkey = \"a\"\n[[routes]]\nkey = \"b\"\nreceivers = \"room\"\n",
            usage: QUIET,
            key: "receivers",
            after: "[[routes]]\nkey = \"a\"\n",
        },
        Case {
            what: "dashboards",
            before: "[alarms]\nemail = \"ops@example.com\"\n",
            usage: Usage::SAMPLE,
            key: "dashboard",
            after: "[alarms]\nemail = \"ops@example.com\"\ndashboard = false\n",
        },
        Case {
            what: "alarms",
            before: "[alarms]\nemail = \"ops@example.com\"\ndashboard = false\n",
            usage: Usage::SAMPLE,
            key: "[alarms]",
            after: "[alarms]\nemail = \"ops@example.com\"\ndashboard = false\nfunction-errors = false\n",
        },
        Case {
            what: "keys",
            before: "[aws]\nkms-key = \"arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\"\n",
            usage: Usage::SAMPLE,
            key: "kms-key",
            after: "",
        },
        Case {
            what: "GB seconds",
            before: "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\n[[routes]]\nkey = \"who\"\nanswers = \"who\"\nannounce = true\n",
            usage: Usage {
                visits_per_day: 50,
                messages_per_day: 1,
                ..Usage::SAMPLE
            },
            key: "announce",
            after: "[[routes]]\nkey = \"say\"\nreceivers = \"room\"\n[[routes]]\nkey = \"who\"\nanswers = \"who\"\n",
        },
        Case {
            what: "GB stored",
            before: "[[routes]]\nkey = \"say\"\ntext = \"message\"\nenvelope = true\nhistory = \"365d\"\n",
            usage: Usage {
                message_bytes: 1_400,
                ..BUSY
            },
            key: "history",
            after: "[[routes]]\nkey = \"say\"\ntext = \"message\"\nenvelope = true\nhistory = \"1d\"\n",
        },
    ]
}

#[test]
fn the_largest_part_is_lowered_by_the_key_that_the_advice_names() {
    for case in cases() {
        let before = computed(case.before, &case.usage);
        let (largest, _) = before.largest().unwrap();
        assert_eq!(
            largest.what, case.what,
            "{}: {:#?}",
            case.before, before.items
        );
        assert!(
            largest.lowered_by.contains(&format!("`{}", case.key)),
            "{}: {}",
            case.key,
            largest.lowered_by
        );
        let after = computed(case.after, &case.usage);
        let (before, after) = (part(&before, case.what).1, part(&after, case.what).1);
        assert!(after < before, "{}: {before}, then {after}", case.before);
    }
}

/// The words in backticks that look like keys or commands.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_advice_names_a_key_that_the_config_has() {
    let schema = include_str!("../../../../../templates/chatctl.schema.json");
    let everything = format!("{}{LIMITS}", super::by_hand::EVERYTHING);
    for toml in ["", &everything, super::by_hand::EVERYTHING] {
        for item in computed(toml, &Usage::SAMPLE).items {
            let words = quoted(&item.lowered_by);
            assert!(!words.is_empty(), "{}: {}", item.what, item.lowered_by);
            for word in words.iter().filter(|word| !word.starts_with(['[', '$'])) {
                let key = word.split(' ').next().unwrap();
                let known = schema.contains(&format!("\"{key}\""));
                assert!(known || key == "false", "`{key}` in {}", item.lowered_by);
            }
        }
    }
}
