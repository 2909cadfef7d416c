//! Every shell script is judged by shellcheck: those of the repository, of its workflows, and those that chatctl writes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::project::{finished, peer};

/// Panics if shellcheck finds anything in `text`, a script for `shell`.
#[track_caller]
pub(crate) fn checked(text: &str, shell: &str) {
    let found = findings(text, shell);
    assert_eq!(found, "", "{text}");
}

fn findings(text: &str, shell: &str) -> String {
    let mut shellcheck = Command::new(peer("CHATCTL_SHELLCHECK"))
        .args([
            "--norc",
            "--color=never",
            "--format=gcc",
            "--shell",
            shell,
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shellcheck.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let finished = finished(shellcheck.wait_with_output().unwrap());
    // 1 is for findings; another code says that nothing was judged.
    assert!(
        finished.code <= 1 && finished.stderr.is_empty(),
        "{finished:?}"
    );
    finished.stdout
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The files below `folder`, without what is built or fetched.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let skipped = ["target", ".git", "node_modules", "corpus", ".chatctl"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() && !skipped.iter().any(|name| entry.file_name() == *name) {
            files(&path, found);
        } else if kind.is_file() {
            found.push(path);
        }
    }
}

/// The shell of a script, by its first line.
fn shell_of(text: &str) -> Option<&str> {
    let program = text.lines().next()?.strip_prefix("#!")?;
    let shell = program.trim_end().rsplit(['/', ' ']).next()?;
    ["sh", "bash", "dash", "ksh"]
        .contains(&shell)
        .then_some(shell)
}

#[test]
fn every_script_of_the_repository_passes_shellcheck() {
    // Patterns, of which `eject` makes scripts: these are judged where they are made.
    let patterns = root().join("deploy/src/stack/eject");
    let mut all = Vec::new();
    files(root(), &mut all);
    let mut judged = Vec::new();
    for path in all.into_iter().filter(|path| !path.starts_with(&patterns)) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let is_named_so = path
            .extension()
            .is_some_and(|end| end == "sh" || end == "bash");
        let shell = shell_of(&text);
        assert!(
            shell.is_some() || !is_named_so,
            "{path:?} has no first line"
        );
        if let Some(shell) = shell {
            assert_eq!(findings(&text, shell), "", "{path:?}");
            judged.push(path);
        }
    }
    for script in [".ci/run", ".github/actions/deploy/deploy.sh"] {
        assert!(judged.contains(&root().join(script)), "{judged:?}");
    }
}

/// Every value under `run`, at any depth.
fn commands(document: &Value) -> Vec<&str> {
    match document {
        Value::Object(members) => {
            let members = members.iter();
            let found = members.flat_map(|(name, value)| match value.as_str() {
                Some(text) if name == "run" => vec![text],
                _ => commands(value),
            });
            found.collect()
        }
        Value::Array(items) => items.iter().flat_map(commands).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_command_of_a_workflow_passes_shellcheck() {
    let mut all = Vec::new();
    files(&root().join(".github"), &mut all);
    let mut count = 0;
    for path in all {
        if path
            .extension()
            .is_some_and(|end| end == "yml" || end == "yaml")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let document: Value = serde_saphyr::from_str(&text).unwrap();
            for command in commands(&document) {
                assert_eq!(findings(command, "bash"), "", "{path:?}: {command}");
                count += 1;
            }
        }
    }
    assert!(count > 4, "{count} commands");
}

#[test]
fn a_mistake_in_a_script_is_found() {
    let found = findings("#!/bin/sh\nrm -rf $1/*\n", "sh");
    assert!(found.contains("[SC2086]"), "{found}");
}
