//! What `[alarms]` accepts, and what is said of the rest.

use std::path::Path;

use crate::config::{ConfigError, Overrides, Settings};

fn read_for(text: &str, region: Option<&str>) -> Result<Settings, String> {
    let overrides = Overrides {
        region: region.map(|region| region.parse().unwrap()),
        ..Overrides::default()
    };
    match Settings::read(Path::new("chatctl.toml"), text, "".into(), overrides) {
        Ok(settings) => Ok(settings),
        Err(ConfigError::Invalid(snippet)) => Err(snippet.to_string()),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn refused(text: &str, place: &str, reason: &str) {
    let error = read_for(&format!("[alarms]\n{text}\n"), None).expect_err(text);
    assert!(
        error.starts_with(&format!("chatctl.toml:{place}:")),
        "{text}: {error}"
    );
    assert!(error.contains(reason), "{text}: {error}");
}

const EMAIL: &str = "email = \"ops@example.com\"\n";

#[test]
fn thresholds_have_defaults_are_set_by_numbers_and_removed_by_false() {
    let alarms = |more: &str| {
        let read = read_for(&format!("[alarms]\n{EMAIL}{more}\n"), None);
        read.unwrap().aws.alarms.unwrap()
    };
    let usual = alarms("");
    assert_eq!(
        (
            usual.thresholds.function_errors,
            usual.thresholds.connections_per_minute
        ),
        (Some(1), Some(24_000))
    );
    assert!(usual.has_dashboard && !usual.keeps_failed_events);
    let own = alarms(
        "client-errors = false\ntable-throttles = 7\ndashboard = false\nkeep-failed-events = true",
    );
    assert_eq!(
        (own.thresholds.client_errors, own.thresholds.table_throttles),
        (None, Some(7))
    );
    assert!(!own.has_dashboard && own.keeps_failed_events);
    assert_eq!(read_for("", None).unwrap().aws.alarms, None);
}

#[test]
fn alarms_have_one_receiver() {
    refused("", "1:1", "alarms need a receiver");
    refused("dashboard = false", "1:1", "alarms need a receiver");
    let topic = "topic = \"arn:aws:sns:eu-west-1:123456789012:ops\"";
    refused(
        &format!("{EMAIL}{topic}"),
        "3:9",
        "leave out one of the two",
    );
}

#[test]
fn addresses_topics_and_thresholds_of_another_form_are_refused_with_their_line() {
    for address in [
        "",
        "ops",
        "@example.com",
        "ops@",
        "ops@example",
        "a@b@example.com",
        "o ps@example.com",
        "ops@.com",
    ] {
        refused(
            &format!("email = \"{address}\""),
            "2:9",
            "is not an address for mail",
        );
    }
    for topic in [
        "ops",
        "arn:aws:sqs:eu-west-1:123456789012:ops",
        "arn:aws:sns:eu-west-1:123456789012:ops.fifo",
    ] {
        refused(
            &format!("topic = \"{topic}\""),
            "2:9",
            "is not a standard topic of SNS",
        );
    }
    for (value, reason) in [
        ("0", "0 would be an alarm at all times"),
        ("-1", "expected a whole number, 1 to 1000000000, or `false`"),
        (
            "1.5",
            "expected a whole number, 1 to 1000000000, or `false`",
        ),
        (
            "true",
            "expected a whole number, 1 to 1000000000, or `false`",
        ),
        (
            "\"1\"",
            "expected a whole number, 1 to 1000000000, or `false`",
        ),
        (
            "1000000001",
            "expected a whole number, 1 to 1000000000, or `false`",
        ),
    ] {
        refused(&format!("{EMAIL}function-errors = {value}"), "3:19", reason);
    }
    refused(
        &format!("{EMAIL}function-error = 1"),
        "3:1",
        "unknown field `function-error`",
    );
}

#[test]
fn a_topic_of_another_region_or_partition_is_refused_with_its_line() {
    let text = "[alarms]\ntopic = \"arn:aws:sns:eu-west-1:123456789012:ops\"\n";
    read_for(text, Some("eu-west-1")).unwrap();
    let region = read_for(text, Some("eu-west-2")).unwrap_err();
    assert!(
        region
            .starts_with("chatctl.toml:2:9: `topic` must be in the stack's own Region, eu-west-2"),
        "{region}"
    );
    let partition = read_for(text, Some("us-gov-west-1")).unwrap_err();
    assert!(
        partition.contains("it is in the partition aws"),
        "{partition}"
    );
}

#[test]
fn what_one_machine_does_not_have_is_said_in_one_line() {
    let said = |text: &str| read_for(text, None).unwrap().without_effect_here();
    assert_eq!(said(""), None);
    assert_eq!(
        said("[domain]\nname = \"chat.example.com\"\n").unwrap(),
        "`[domain]` has no effect on one machine: the endpoint stays on loopback, and the logs are files"
    );
    let all = format!("[domain]\nname = \"a.b\"\n[logs]\naccess = true\n[alarms]\n{EMAIL}");
    assert!(
        said(&all)
            .unwrap()
            .starts_with("`[domain]` and `[alarms]` and `access` under `[logs]` have no effect")
    );
}
