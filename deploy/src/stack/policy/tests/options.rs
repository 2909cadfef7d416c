//! What each option of a config adds to the policy.

use super::*;

/// The actions that `more` adds to the policy of the chat with `plain`.
fn gains(plain: &str, more: &str) -> String {
    let before = actions(&rendered(plain, "eu-west-1", false).to_json());
    let after = actions(&rendered(&format!("{plain}{more}"), "eu-west-1", false).to_json());
    let added: Vec<_> = after.difference(&before).map(String::as_str).collect();
    let gone: Vec<_> = before
        .difference(&after)
        .map(|action| format!("-{action}"))
        .collect();
    format!("{} {}", added.join(" "), gone.join(" "))
        .trim()
        .to_owned()
}

#[test]
fn every_option_adds_exactly_the_actions_that_it_takes() {
    const HANDLER: &str = "[[routes]]\nkey = \"roll\"\nhandler = \"roll\"\n";
    const ROOM: &str = "[[routes]]\nkey = \"all\"\nreceivers = \"room\"\n";
    let vpc = "vpc = { subnets = [\"subnet-01234567\"], security-groups = [\"sg-01234567\"] }\n";
    let key = "arn:aws:kms:eu-west-1:123456789012:key/x";
    let topic = "arn:aws:sns:eu-west-1:123456789012:ops";
    let certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/x";
    let name = "[domain]\nname = \"chat.example.com\"\n";
    let mut text = String::new();
    for (plain, more) in [
        (
            HANDLER,
            "memory = 256\ntimeout = 5\nlog-level = \"debug\"\nenvironment = { AB = \"c\" }\n",
        ),
        (HANDLER, "secrets = { KEY = { ssm = \"/key\" } }\n"),
        (HANDLER, "reserved-concurrency = 5\n"),
        (HANDLER, vpc),
        ("", &format!("[handlers]\n{vpc}")),
        ("", "[logs]\naccess = true\n"),
        ("", &format!("[aws]\nnotification-arns = [\"{topic}\"]\n")),
        ("", "[aws]\ntags = { team = \"chat\" }\n"),
        ("", "[aws]\nbucket = \"my-code\"\n"),
        ("", &format!("[aws]\nkms-key = \"{key}\"\n")),
        (
            "",
            "[aws]\npermissions-boundary = \"arn:aws:iam::123456789012:policy/b\"\n",
        ),
        ("", "[aws]\nrole-path = \"/chats/\"\n"),
        ("", name),
        (
            "",
            &format!("{name}certificate = \"{certificate}\"\nzone = false\n"),
        ),
        (
            "",
            &format!("[alarms]\ntopic = \"{topic}\"\ndashboard = false\n"),
        ),
        ("", &format!("[alarms]\ntopic = \"{topic}\"\n")),
        (
            "",
            "[alarms]\nemail = \"ops@example.com\"\ndashboard = false\n",
        ),
        (
            ROOM,
            &format!(
                "[alarms]\ntopic = \"{topic}\"\ndashboard = false\nkeep-failed-events = true\n"
            ),
        ),
        ("", HANDLER),
        ("", ROOM),
        (
            "",
            "[[routes]]\nkey = \"say\"\nenvelope = true\nreview = \"filter\"\n",
        ),
        ("", "[auth]\nhandler = \"door\"\n"),
    ] {
        text.push_str(&format!("{}\n    {}\n", more.trim(), gains(plain, more)));
    }
    expect_file!["../snapshots/options.txt"].assert_eq(&text);
}

#[test]
fn a_topic_for_the_stack_s_events_may_be_published_to_and_no_other() {
    let topics = [
        "arn:aws:sns:eu-west-1:123456789012:a",
        "arn:aws:sns:eu-west-1:210987654321:b",
    ];
    let toml = format!("[aws]\nnotification-arns = {topics:?}\n");
    for (_, policy) in &rendered(&toml, "eu-west-1", true).named()[..2] {
        let statements = policy["Statement"].as_array().unwrap().iter();
        let of_topics: Vec<_> = statements
            .filter(|it| it["Action"].to_string().contains("sns:"))
            .collect();
        assert_eq!(of_topics.len(), 1, "{of_topics:?}");
        assert_eq!(of_topics[0]["Action"], json!(["sns:Publish"]));
        assert_eq!(of_topics[0]["Resource"], json!(topics));
    }
}
