//! `chatctl eject`: what it writes and where, and its two scripts, which run here with stand-ins for the tools.

mod scripts;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::project::{Finished, Project, finished, handlers};
use crate::shell::checked;

const OVERLAY: &str = "[template]\noverlay = \"extra.yaml\"\n";

const EXTRA: &str = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\nOutputs:\n  QueueUrl: { Value: !Ref Queue }\n";

/// `eject` with handlers that are built already.
fn eject(project: &Project, more: &[&str]) -> Finished {
    let built = handlers().to_str().unwrap();
    let words = ["eject", "--handlers", built, "--region", "eu-west-1"];
    project.run(&[&words, more].concat())
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn ejected_are_the_template_that_is_deployed_the_code_its_sources_and_two_sound_scripts() {
    let project = Project::new(OVERLAY);
    std::fs::write(project.path().join("extra.yaml"), EXTRA).unwrap();
    let ejected = eject(&project, &["--out", "a/b"]).exits(0);
    ejected.explains("a/b/README.md");
    let out = project.path().join("a/b");
    // The same template has the same logical ids, so an update replaces nothing.
    let rendered = project.run(&["render", "--region", "eu-west-1"]);
    let template = read(&out, "template.yaml");
    assert_eq!(template.trim_end(), rendered.stdout.trim_end());
    assert!(out.join("code/CodeKey.zip").is_file());
    assert!(read(&out, "handlers/lambdas/src/main.rs").contains("fn main"));
    assert!(read(&out, "README.md").lines().count() <= 30);
    for script in ["deploy.sh", "build.sh"] {
        checked(&read(&out, script), "sh");
        let needs_chatctl = read(&out, script).contains("chatctl ");
        assert!(!needs_chatctl, "{script}");
    }
    let reported = eject(&project, &["--out", "c", "--output", "json"]);
    let reported: Value = serde_json::from_str(reported.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(reported["folder"], "c");
    let files = reported["files"].as_array().unwrap();
    assert!(files.contains(&"deploy.sh".into()));
}

/// An account with rules, and a name whose certificate is looked for.
const COMPANY: &str = r#"
[aws]
bucket = "our-code"
kms-key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
role-arn = "arn:aws:iam::123456789012:role/cloudformation"
notification-arns = ["arn:aws:sns:eu-west-1:123456789012:events"]
tags = { "cost center" = "chat team: 1" }
[domain]
name = "chat.example.com"
[alarms]
email = "a@example.com"
[handlers]
profile = "dev"
[[routes]]
key = "roll"
handler = "roll"
"#;

/// Backends only: there is no code.
const BACKENDS: &str = r#"
[[routes]]
key = "$connect"
http = "https://b.example"
[[routes]]
key = "$disconnect"
http = "https://b.example"
secret-header = { name = "x-secret", ssm = "/chat/backend" }
[[routes]]
key = "$default"
http = "https://b.example"
"#;

/// A crate that does nothing.
fn roll(project: &Project) {
    let folder = project.path().join("roll");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest =
        "[package]\nname = \"roll\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let lock = "version = 4\n\n[[package]]\nname = \"roll\"\nversion = \"0.0.0\"\n";
    std::fs::write(folder.join("Cargo.lock"), lock).unwrap();
    std::fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
}

#[test]
fn scripts_with_every_option_or_without_any_code_are_sound_and_contain_no_secret() {
    let project = Project::new(COMPANY);
    roll(&project);
    eject(&project, &["--out", "mine"]).exits(0);
    let out = project.path().join("mine");
    let script = read(&out, "deploy.sh");
    checked(&script, "sh");
    checked(&read(&out, "build.sh"), "sh");
    for part in [
        "bucket=${CODE_BUCKET:-our-code}\n",
        "--ssekms-key-id arn:aws:kms:eu-west-1:123456789012:key/",
        "--role-arn arn:aws:iam::123456789012:role/cloudformation",
        "--notification-arns arn:aws:sns:eu-west-1:123456789012:events",
        "--tags 'cost center=chat team: 1'",
        "${CERTIFICATE_ARN:+\"CertificateArn=$CERTIFICATE_ARN\"}",
        "put CodeKeyRoll\n",
    ] {
        assert!(script.contains(part), "no {part} in {script}");
    }
    assert!(out.join("code/CodeKeyRoll.zip").is_file());

    let project = Project::new(BACKENDS);
    eject(&project, &[]).exits(0);
    let out = project.path().join("ejected");
    checked(&read(&out, "deploy.sh"), "sh");
    let names = std::fs::read_dir(&out).unwrap();
    let names: BTreeSet<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    let expected = ["README.md", "deploy.sh", "template.yaml"];
    assert_eq!(names, expected.map(Into::into).into());
    // The reference alone, as in a deployment.
    let template = read(&out, "template.yaml");
    assert!(
        template.contains("{{resolve:ssm:/chat/backend"),
        "{template}"
    );
}

#[test]
fn only_an_empty_folder_of_the_user_s_is_written_to_and_others_stop_before_the_build() {
    let project = Project::new("");
    let canary = tempfile::tempdir().unwrap();
    let at = |name: &str| project.path().join(name);
    let link = |name: &str| std::os::unix::fs::symlink(canary.path(), at(name)).unwrap();
    std::fs::create_dir(at("full")).unwrap();
    std::fs::write(at("full/notes"), "mine").unwrap();
    std::fs::write(at("file"), "mine").unwrap();
    // A clone may have links where the files would go.
    link("ejected");
    link("folder");
    for (out, reason) in [
        (None, "ejected is a link"),
        (Some("ejected/"), "ejected is a link"),
        (Some("./ejected/."), "ejected is a link"),
        (Some("folder/new"), "folder is a link"),
        (Some("full"), "full is not empty"),
        (Some("file"), "file is not a folder"),
        (Some("file/new"), "file is not a folder"),
        (Some("."), ". is not empty"),
    ] {
        let words: Vec<_> = out.iter().flat_map(|out| ["--out", out]).collect();
        // Handlers that are not there show that the place is looked at first.
        let mut all = vec!["eject", "--handlers", "nowhere"];
        all.extend(words);
        let refused = project.run(&all).exits(2);
        refused.explains(reason);
        refused.explains("--out");
    }
    assert!(canary.path().read_dir().unwrap().next().is_none());
    assert_eq!(read(project.path(), "full/notes"), "mine");
    let entries = project.path().read_dir().unwrap().count();
    assert_eq!(entries, 5, "only what was there, and the config");
    // An empty folder is taken.
    std::fs::create_dir(at("empty")).unwrap();
    eject(&project, &["--out", "empty/"]).exits(0);
    assert!(at("empty/deploy.sh").is_file());
}

#[test]
fn a_disk_without_room_leaves_nothing_of_what_was_written() {
    let project = Project::new("");
    std::fs::create_dir(project.path().join("there")).unwrap();
    for out in ["there", "new/folder"] {
        // The zip of the handlers is larger than that.
        let limited = "trap '' XFSZ && ulimit -f 1000";
        let built = handlers().to_str().unwrap();
        let words = ["eject", "--handlers", built, "--out", out];
        let mut command = project.command_after(limited, &words);
        let failed = finished(command.output().unwrap()).exits(2);
        failed.explains(&format!("could not write {out}/code/CodeKey.zip"));
    }
    let left = project.path().join("there").read_dir().unwrap().count();
    assert_eq!(left, 0);
    assert!(!project.path().join("new").exists());
}
