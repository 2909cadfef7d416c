//! `[template] overlay`, as a user meets it without AWS.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::project::{Project, finished, handlers, peer};

const CONFIG: &str = "[template]\noverlay = \"extra.yaml\"\n";

const EXTRA: &str = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n  DirectFunction:\n    Properties:\n      MemorySize: 512\n      \
                     Environment: { Variables: { QUEUE: !Ref Queue } }\nOutputs:\n  QueueUrl: { Value: !Ref Queue }\n  Memory: { Value: much }\n";

fn project(extra: &str) -> Project {
    let project = Project::new(CONFIG);
    std::fs::write(project.path().join("extra.yaml"), extra).unwrap();
    project
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn render_shows_the_result_and_an_overlay_of_nothing_is_none() {
    let rendered = project(EXTRA).run(&["render", "--format", "json"]);
    assert_eq!(rendered.code, 0, "{}", rendered.stderr);
    let template = json(&rendered.stdout);
    assert_eq!(template["Resources"]["Queue"]["Type"], "AWS::SQS::Queue");
    let function = &template["Resources"]["DirectFunction"]["Properties"];
    assert_eq!(function["MemorySize"], 512);
    assert_eq!(function["Handler"], "direct");
    let without = Project::new("").run(&["render"]).stdout;
    assert_eq!(project("Resources:\n").run(&["render"]).stdout, without);
}

#[test]
fn a_refused_overlay_stops_every_command_before_anything_is_touched_and_leaves_nothing() {
    let bad = project("Resources:\n  DirectFunction:\n    Properties:\n      Handler: mine\n");
    let deploy = [
        "deploy",
        "--local",
        "--handlers",
        handlers().to_str().unwrap(),
    ];
    for words in [
        &deploy[..],
        &["render"],
        &["diff"],
        &["deploy", "--yes"],
        &["eject"],
        &["policy"],
    ] {
        let refused = bad.run(words);
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (2, ""),
            "{words:?}"
        );
        refused.explains("extra.yaml:4:7: `Handler` of DirectFunction cannot be changed");
        refused.explains("a route with `handler`");
    }
    let mut left: Vec<_> = std::fs::read_dir(bad.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["chatctl.toml", "extra.yaml"]);
    // The key itself.
    let missing = Project::new(CONFIG).run(&["render"]);
    assert_eq!(missing.code, 2);
    missing.explains("chatctl.toml:2:11: the overlay extra.yaml cannot be read");
    missing.explains("make the file, or remove the key");
    let folder = project(EXTRA);
    folder.configure("[template]\noverlay = \".\"\n");
    folder.run(&["render"]).explains("it is not a file");
}

#[test]
fn this_machine_runs_what_it_supports_and_says_once_what_has_no_effect() {
    let project = project(EXTRA);
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let reported = "no effect on this machine: Queue (AWS::SQS::Queue)";
    assert_eq!(
        deployed.stderr.matches(reported).count(),
        1,
        "{}",
        deployed.stderr
    );
    let status = project.run(&["status", "--local"]);
    assert!(!status.stdout.contains("differs"), "{}", status.stdout);
    let outputs = project.run(&["outputs", "--local"]).stdout;
    assert!(
        outputs.contains("Memory") && !outputs.contains("QueueUrl"),
        "{outputs}"
    );
    // A change of the overlay is a change of the stack.
    std::fs::write(
        project.path().join("extra.yaml"),
        EXTRA.replace("512", "256"),
    )
    .unwrap();
    let status = project.run(&["status", "--local"]);
    assert!(status.stdout.contains("differs"), "{}", status.stdout);
    let again = project.deploy(&["--no-probe"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let gone = project.run(&["teardown", "--local", "--yes"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    assert!(!project.state().exists());
}

#[test]
fn the_policy_names_what_it_does_not_cover() {
    let extra = EXTRA.replace("AWS::SQS::Queue", "AWS::Kinesis::Stream");
    let printed = project(&extra).run(&[
        "policy",
        "--account",
        "123456789012",
        "--region",
        "eu-west-1",
    ]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    printed.explains(
        "may lack what CloudFormation needs for Queue (AWS::Kinesis::Stream) of the overlay",
    );
    let plain = Project::new("").run(&[
        "policy",
        "--account",
        "123456789012",
        "--region",
        "eu-west-1",
    ]);
    assert!(!plain.stderr.contains("overlay"), "{}", plain.stderr);
}

/// The table of attributes says what AWS publishes. `UPDATE_EXPECT=1` writes it anew, for the types that it names.
#[test]
fn the_attributes_and_tags_of_resource_types_are_those_that_aws_publishes() {
    let table = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/src/stack/overlay/types.txt"
    );
    let known = std::fs::read_to_string(table).unwrap();
    let types = known.lines().map(|line| line.split(' ').next().unwrap());
    let types: Vec<_> = types.collect();
    assert!(types.len() > 50 && types.is_sorted(), "{types:?}");
    let rendered = Project::new("").run(&["render"]).stdout;
    for line in rendered.lines() {
        if let Some(kind) = line.trim().strip_prefix("Type: AWS::") {
            assert!(types.contains(&format!("AWS::{kind}").as_str()), "{kind}");
        }
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/resource_types.py");
    let mut python = Command::new(peer("CHATCTL_CFN_LINT").with_file_name("python"))
        .args(["-I", "-B", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    input.write_all(types.join("\n").as_bytes()).unwrap();
    drop(input);
    let published = finished(python.wait_with_output().unwrap()).exits(0);
    expect_test::expect_file![table].assert_eq(&published.stdout);
}
