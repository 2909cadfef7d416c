//! GitHub's workflows and the action in this repository: pinned, without permissions that they do not need, without text of
//! others in scripts, and with commands that there are.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use serde_json::Value;

use super::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The YAML files below `folder`, with what they say.
fn documents(folder: &str) -> Vec<(PathBuf, Value)> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let end = path.extension().unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if end == "yml" || end == "yaml" {
                let text = std::fs::read_to_string(&path).unwrap();
                let document = serde_saphyr::from_str(&text)
                    .unwrap_or_else(|error| panic!("{path:?}: {error}"));
                found.push((path, document));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(!found.is_empty(), "there is YAML");
    found
}

/// Every value under `key`, at any depth.
fn values<'a>(document: &'a Value, key: &str) -> Vec<&'a Value> {
    match document {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let own = (name == key).then_some(value);
                own.into_iter().chain(values(value, key))
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| values(item, key)).collect(),
        _ => Vec::new(),
    }
}

fn texts<'a>(document: &'a Value, key: &str) -> Vec<&'a str> {
    let values = values(document, key).into_iter();
    values.filter_map(Value::as_str).collect()
}

/// Every reason not to run `document`, a workflow or an action.
fn faults(document: &Value, is_workflow: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for action in texts(document, "uses") {
        let commit = action.rsplit_once('@').map_or("", |(_, commit)| commit);
        let is_pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_pinned && !action.starts_with("./") {
            faults.push(format!("{action} is not pinned by its commit"));
        }
        if action.starts_with("actions/checkout@")
            && !texts_of_steps(document).any(|with| with["persist-credentials"] == false)
        {
            faults.push("the checkout keeps its token".to_owned());
        }
    }
    // Expressions are replaced before a shell reads the script: a title or a branch could be a command.
    for script in texts(document, "run")
        .into_iter()
        .filter(|it| it.contains("${{"))
    {
        faults.push(format!("an expression becomes part of a script: {script}"));
    }
    if is_workflow {
        if document["permissions"] != serde_json::json!({}) {
            faults.push("all jobs get permissions together".to_owned());
        }
        let triggers = &document["on"];
        for trigger in ["pull_request_target", "workflow_run", "issue_comment"] {
            if triggers.get(trigger).is_some() || triggers == trigger {
                faults.push(format!("{trigger} gives permissions to code of others"));
            }
        }
        let jobs = document["jobs"].as_object().into_iter().flatten();
        for (name, job) in jobs.filter(|(_, job)| job.get("timeout-minutes").is_none()) {
            faults.push(format!("job {name} has no time limit: {job}"));
        }
    }
    faults
}

fn texts_of_steps(document: &Value) -> impl Iterator<Item = &Value> {
    values(document, "with").into_iter()
}

#[test]
fn every_workflow_and_action_is_pinned_and_has_no_more_permissions_than_it_needs() {
    let mut pinned = 0;
    for (path, document) in documents(".github/workflows") {
        assert_eq!(faults(&document, true), [""; 0], "{path:?}");
        pinned += texts(&document, "uses").len();
    }
    for (path, document) in documents(".github/actions") {
        assert_eq!(faults(&document, false), [""; 0], "{path:?}");
        pinned += texts(&document, "uses").len();
    }
    assert!(pinned > 4, "{pinned} actions");
}

#[test]
fn each_kind_of_weakness_in_a_workflow_is_found() {
    let sample = |text: &str| {
        let document: Value = serde_saphyr::from_str(text).unwrap();
        faults(&document, true)
    };
    let sound = "on: push\npermissions: {}\njobs: {a: {timeout-minutes: 5, steps: [{run: 'echo \"$X\"'}]}}\n";
    assert_eq!(sample(sound), [""; 0]);
    for (sound_part, weak_part) in [
        ("permissions: {}", "permissions: write-all"),
        ("permissions: {}\n", ""),
        ("on: push", "on: pull_request_target"),
        ("on: push", "on: {workflow_run: {}}"),
        ("timeout-minutes: 5, ", ""),
        ("echo \"$X\"", "echo ${{ github.event.pull_request.title }}"),
        ("run: 'echo \"$X\"'", "uses: actions/cache@v4"),
        (
            "run: 'echo \"$X\"'",
            "uses: actions/cache@main0000000000000000000000000000000000000",
        ),
        (
            "run: 'echo \"$X\"'",
            "uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd",
        ),
    ] {
        let weak = sound.replace(sound_part, weak_part);
        assert_ne!(weak, sound);
        assert_eq!(sample(&weak).len(), 1, "{weak}");
    }
}

/// What `chatctl` in `deploy.sh` is called with when GitHub tells of this event, and the script's exit code.
fn called(event: &str, action: &str, more: &[(&str, &str)]) -> (Vec<String>, i32) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("chatctl");
    let calls = folder.path().join("calls");
    let script = format!("echo \"$*\" >> '{}'", calls.display());
    testing::scripts::write(&program, &script);
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("bash");
    command
        .arg(root().join(".github/actions/deploy/deploy.sh"))
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("GITHUB_STEP_SUMMARY", folder.path().join("summary"))
        .envs([("EVENT", event), ("EVENT_ACTION", action)])
        .envs([("STACK", ""), ("PULL_REQUEST", ""), ("PREVIEWS", "false")])
        .envs(more.iter().copied())
        .current_dir(folder.path());
    let output = command.output().unwrap();
    let calls = std::fs::read_to_string(calls).unwrap_or_default();
    for call in calls.lines() {
        check_command(&format!("chatctl {call}"));
    }
    let calls = calls.lines().map(str::to_owned).collect();
    (calls, output.status.code().unwrap_or(-1))
}

/// Panics unless clap has `command`.
fn check_command(command: &str) {
    let words = command.split_whitespace();
    if let Err(error) = Cli::command().try_get_matches_from(words) {
        panic!("{command}: {error}");
    }
}

#[test]
fn the_action_deploys_pushes_shows_what_pull_requests_change_and_removes_previews() {
    let check = |event: &str, action: &str, more: &[(&str, &str)], expected: &[&str]| {
        let (calls, code) = called(event, action, more);
        assert_eq!(calls, expected, "{event}/{action}");
        assert_eq!(code, 0, "{event}/{action}");
    };
    let preview = [("PREVIEWS", "true"), ("PULL_REQUEST", "42")];
    check("push", "", &[], &["deploy --yes"]);
    check(
        "workflow_dispatch",
        "",
        &[("STACK", "prod")],
        &["deploy --yes --stack prod"],
    );
    check("pull_request", "opened", &[], &["diff"]);
    check("pull_request", "closed", &[], &[]);
    check(
        "pull_request",
        "synchronize",
        &preview,
        &["diff", "deploy --yes --stack chat-pr-42"],
    );
    let named = [preview[0], preview[1], ("STACK", "talk")];
    check(
        "pull_request",
        "closed",
        &named,
        &["teardown --yes --stack talk-pr-42"],
    );
}

#[test]
fn the_action_refuses_events_that_run_code_of_others_and_numbers_that_are_none() {
    for event in ["pull_request_target", "issue_comment", "workflow_run", ""] {
        assert_eq!(called(event, "", &[]), (Vec::new(), 2), "{event}");
    }
    let forged = [("PREVIEWS", "true"), ("PULL_REQUEST", "1 --region x")];
    let (calls, code) = called("pull_request", "closed", &forged);
    assert!(calls.is_empty() && code != 0, "{calls:?}, {code}");
}

#[test]
fn every_command_in_a_workflow_is_one_that_there_is() {
    let mut scripts: Vec<String> = Vec::new();
    for folder in [".github/workflows", ".github/actions"] {
        for (_, document) in documents(folder) {
            scripts.extend(texts(&document, "run").into_iter().map(str::to_owned));
        }
    }
    // What the guide has its readers write.
    let page = std::fs::read_to_string(root().join("docs/guide/ci.md")).unwrap();
    let blocks: Vec<_> = page.split("```").collect();
    let mut shown = 0;
    for block in blocks.into_iter().skip(1).step_by(2) {
        if let Some(yaml) = block.strip_prefix("yaml\n") {
            let document: Value = serde_saphyr::from_str(yaml).unwrap();
            scripts.extend(texts(&document, "run").into_iter().map(str::to_owned));
        }
        if let Some(shell) = block.strip_prefix("sh\n") {
            scripts.push(shell.to_owned());
        }
    }
    // Commands in the text.
    for code in page.split('`').skip(1).step_by(2) {
        scripts.push(code.to_owned());
    }
    for line in scripts.iter().flat_map(|script| script.lines()) {
        let line = line
            .trim()
            .split(['|', '#', '>'])
            .next()
            .unwrap_or_default();
        if line.starts_with("chatctl ") {
            check_command(line);
            shown += 1;
        }
    }
    assert!(shown > 3, "{shown} commands");
}
