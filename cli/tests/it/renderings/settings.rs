//! Renderings with the settings of handlers.

use super::{
    ANYWHERE, BACKEND_AND_HANDLER, EVERYTHING, GOVCLOUD, REVIEWED, examples, lint, lint_for,
};
use crate::project::Project;

/// Every setting of a handler.
const SETTINGS: &str = r#"
binary = "one"
memory = 10240
timeout = 29
log-level = "trace"
reserved-concurrency = 0
environment = { GREETING = "good ${morning} {{x}}", EMPTY = "" }
secrets = { A1 = { ssm = "/chat/key:3", kms-key = "arn:aws:kms:eu-west-1:123456789012:key/1" }, A2 = { ssm = "plain" }, B1 = { secretsmanager = "chat/db", json-key = "password" }, B2 = { secretsmanager = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:db-AbCdEf" } }
vpc = { subnets = ["subnet-0123456789abcdef0", "subnet-01234567"], security-groups = ["sg-0123456789abcdef0"] }
"#;

/// Settings of our own functions.
const OWN: &str = "\n[handlers]\nmemory = 512\nlog-level = \"debug\"\nvpc = { subnets = [\"subnet-01234567\"], security-groups = [\"sg-01234567\"] }\n";

/// `config` with every setting for each of its handlers and review functions.
pub(super) fn with_settings(config: &str) -> String {
    let of_reviews: String = SETTINGS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("timeout"))
        .map(|line| format!("\nreview-{line}"))
        .collect();
    let lines = config.lines().map(|line| {
        if line.starts_with("handler = ") {
            format!("{line}{SETTINGS}")
        } else if line.starts_with("review = ") {
            line.to_owned() + &of_reviews
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n") + OWN
}

/// The same without what belongs to one Region.
fn anywhere(config: &str) -> String {
    with_settings(config)
        .replace(
            ", kms-key = \"arn:aws:kms:eu-west-1:123456789012:key/1\"",
            "",
        )
        .replace(
            "arn:aws:secretsmanager:eu-west-1:210987654321:secret:db-AbCdEf",
            "db",
        )
}

#[test]
fn every_setting_of_handlers_passes_cfn_lint_in_every_partition() {
    let examples = examples();
    let of = |name: &str| {
        let found = examples.iter().find(|(example, _)| example == name);
        found.unwrap().1.clone()
    };
    let door = "[[routes]]\nkey = \"$default\"\n[auth]\nhandler = \"door\"\n";
    for config in [
        of("custom-handler"),
        of("own-authorizer"),
        EVERYTHING.to_owned(),
        BACKEND_AND_HANDLER.to_owned(),
        door.to_owned(),
        REVIEWED.to_owned(),
    ] {
        lint(&with_settings(&config), "yaml");
        lint_for(&anywhere(&config), "json", GOVCLOUD);
    }
    lint_for(&anywhere(EVERYTHING), "yaml", ANYWHERE);
}

#[test]
fn the_level_of_logs_reaches_functions_in_govcloud_by_a_variable() {
    let project = Project::new(&anywhere(EVERYTHING));
    let there = project.run(&["render", "--region", "us-gov-east-1"]).stdout;
    assert!(!there.contains("ApplicationLogLevel"), "{there}");
    assert!(
        there.contains("LOG_LEVEL: TRACE") && there.contains("LOG_LEVEL: DEBUG"),
        "{there}"
    );
}
