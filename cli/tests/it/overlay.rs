//! `[template] overlay` and `chatctl eject`, as a user meets them without AWS.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::project::{Project, finished, handlers};

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
fn this_machine_runs_what_it_knows_and_says_once_what_has_no_effect() {
    let project = project(EXTRA);
    let deployed = project.deploy(&[]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    let told = "no effect on this machine: Queue (AWS::SQS::Queue)";
    assert_eq!(
        deployed.stderr.matches(told).count(),
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

/// `eject` with handlers that are built already.
fn eject(project: &Project, more: &[&str]) -> crate::project::Finished {
    let words = [
        "eject",
        "--handlers",
        handlers().to_str().unwrap(),
        "--region",
        "eu-west-1",
    ];
    project.run(&[&words, more].concat())
}

#[test]
fn ejected_are_the_template_that_is_deployed_the_code_its_sources_and_two_sound_scripts() {
    let project = project(EXTRA);
    let ejected = eject(&project, &["--out", "a/b"]);
    assert_eq!(ejected.code, 0, "{}", ejected.stderr);
    ejected.explains("a/b/README.md");
    let out = project.path().join("a/b");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    // The same template has the same logical ids, so an update replaces nothing.
    let rendered = project.run(&["render", "--region", "eu-west-1"]);
    assert_eq!(read("template.yaml").trim_end(), rendered.stdout.trim_end());
    assert!(out.join("code/CodeKey.zip").is_file());
    assert!(read("handlers/lambdas/src/main.rs").contains("fn main"));
    assert!(read("README.md").lines().count() <= 30);
    for script in ["deploy.sh", "build.sh"] {
        sound(&out.join(script));
        assert!(
            !read(script).contains("chatctl "),
            "{script} needs no chatctl"
        );
    }
    // A second time there is something.
    let refused = eject(&project, &["--out", "a/b"]);
    assert_eq!(refused.code, 2);
    refused.explains("a/b is not empty");
    refused.explains("--out");
    // A clone may have a link where the files would go by default.
    let canary = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(canary.path(), project.path().join("ejected")).unwrap();
    let refused = eject(&project, &[]);
    assert_eq!(refused.code, 2);
    refused.explains("ejected is a link");
    assert!(canary.path().read_dir().unwrap().next().is_none());
    let told = eject(&project, &["--out", "c", "--output", "json"]);
    let told = json(told.stdout.lines().last().unwrap());
    assert_eq!(told["folder"], "c");
    assert!(
        told["files"]
            .as_array()
            .unwrap()
            .contains(&"deploy.sh".into())
    );
}

/// A shell reads the script, and shellcheck finds nothing where it is installed.
fn sound(script: &Path) {
    let read = finished(Command::new("sh").arg("-n").arg(script).output().unwrap());
    assert_eq!(read.code, 0, "{}", read.stderr);
    if let Ok(checked) = Command::new("shellcheck").arg(script).output() {
        let checked = finished(checked);
        assert_eq!(checked.code, 0, "{}", checked.stdout);
    }
}
