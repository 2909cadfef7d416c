//! A name of the user's own, alarms and access logs, beside everything else.

use super::*;

#[test]
fn every_example_with_a_name_alarms_and_access_logs_passes_cfn_lint() {
    for (_, config) in examples() {
        lint(&of_a_company(&config), "yaml");
    }
}

#[test]
fn names_alarms_and_access_logs_pass_cfn_lint_in_every_partition_and_under_every_rule() {
    for config in [EVERYTHING, BACKEND_AND_HANDLER] {
        lint_for(&of_a_company(config), "yaml", ANYWHERE);
        lint_for(&of_a_company(config), "json", GOVCLOUD);
    }
    lint(&of_a_company(&format!("{EVERYTHING}{ACCOUNT}")), "json");
    let named = r#"
[domain]
name = "chat.example.com"
certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/1234abcd"
zone = "Z0123456789"
disable-default-endpoint = true
[alarms]
topic = "arn:aws:sns:eu-west-1:123456789012:ops"
dashboard = false
"#;
    lint(&format!("{EVERYTHING}{named}"), "yaml");
    lint(
        "[domain]\nname = \"chat.example.com\"\nzone = false\n",
        "yaml",
    );
}

#[test]
fn the_stack_of_the_role_for_logs_passes_cfn_lint() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../templates/log-role.yaml");
    let mut linter = Command::new(peer("CHATCTL_CFN_LINT"));
    let linted = finished(
        linter
            .arg(file)
            .args(["--regions", "eu-west-1"])
            .output()
            .unwrap(),
    );
    assert_eq!(
        (linted.code, linted.stdout.trim()),
        (0, ""),
        "{}",
        linted.stderr
    );
}
