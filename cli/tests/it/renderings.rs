//! Every rendering is judged by cfn-lint, the template's security by checkov.

use std::process::Command;

use crate::project::{Project, finished, peer};

fn lint(config: &str, format: &str) {
    let project = Project::new(config);
    let rendered = project.run(&["render", "--format", format]);
    assert_eq!(rendered.code, 0, "{}", rendered.stderr);
    let file = project.path().join(format!("rendered.{format}"));
    std::fs::write(&file, &rendered.stdout).unwrap();
    let linted = finished(
        Command::new(peer("CHATCTL_CFN_LINT"))
            .arg(&file)
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

#[test]
fn the_default_rendering_passes_cfn_lint_as_yaml() {
    lint("", "yaml");
}

#[test]
fn the_default_rendering_passes_cfn_lint_as_json() {
    lint("", "json");
}

#[test]
fn a_rendering_with_every_setting_passes_cfn_lint() {
    let config = "stack = \"my-chat\"\nstage = \"beta_2\"\n[logs]\nretention-days = 365\n\
                  [[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"send-message\"\n[[routes]]\nkey = \"sendMessage\"\n";
    lint(config, "yaml");
}

#[test]
fn a_rendering_without_a_default_route_passes_cfn_lint() {
    lint("[[routes]]\nkey = \"send\"\n", "yaml");
}

#[test]
fn checkov_finds_nothing_but_what_is_kept_with_a_reason() {
    let project = Project::new("");
    let file = project.path().join("rendered.yaml");
    std::fs::write(&file, project.run(&["render"]).stdout).unwrap();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../templates/checkov.yaml");
    let mut checkov = Command::new(peer("CHATCTL_CHECKOV"));
    checkov.args(["--config-file", config, "--file"]).arg(&file);
    let checked = finished(checkov.output().unwrap());
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
}
