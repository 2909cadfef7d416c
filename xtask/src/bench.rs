//! Benchmarks: builds the programs as users do, then measures them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::run::{StepError, cargo, finish, root};
use crate::{peers, say, zipped};

const CURE: &str = "install a Rust toolchain";

/// The page with the figures, and the lines around those that are recorded.
const PAGE: &str = "docs/reference/benchmarks.md";
const BEGIN: &str = "<!-- `cargo xtask bench local --record` writes what follows. -->";
const END: &str = "<!-- The end of what it writes. -->";

/// Measures the local target; `more` is passed to the benchmark. The command is built as it is distributed, or with
/// `--clone` as a clone builds it. With `--record`, the table is also written into the page of figures.
pub(crate) fn local(more: &[String]) -> Result<(), StepError> {
    let (ours, more): (Vec<&String>, Vec<&String>) = more
        .iter()
        .partition(|word| ["--record", "--clone"].contains(&word.as_str()));
    let record = ours.iter().any(|word| *word == "--record");
    let profile = match ours.iter().any(|word| *word == "--clone") {
        true => "release",
        false => "dist",
    };
    let mut command = measuring("local", profile)?;
    command.args(more);
    if !record {
        return finish(command, CURE, "the benchmark");
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| StepError::Other(format!("the benchmark does not start: {error}")))?;
    let table = String::from_utf8_lossy(&output.stdout);
    say(&table);
    if !output.status.success() {
        let what = "the benchmark".to_owned();
        return Err(StepError::Failed { what });
    }
    let path = root().join(PAGE);
    let failed = |error| StepError::Other(format!("{PAGE}: {error}"));
    let page = std::fs::read_to_string(&path).map_err(failed)?;
    std::fs::write(&path, recorded(&page, table.trim_end())).map_err(failed)
}

/// `page` with `table` in place of the one that was recorded before, or at its end.
fn recorded(page: &str, table: &str) -> String {
    let section = format!("{BEGIN}\n```text\n{table}\n```\n{END}");
    let before = page.split_once(BEGIN);
    let parts = before.and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{section}{after}"),
        None => format!("{page}\n## The local target, as last recorded\n\n{section}\n"),
    }
}

/// Lets the members of a room all reconnect at once; `more` is passed to the benchmark.
pub(crate) fn storm(more: &[String]) -> Result<(), StepError> {
    let mut command = measuring("storm", "release")?;
    command.args(more);
    finish(command, CURE, "the storm")
}

/// Sends messages that are kept while connections, functions and the stack are killed; `more` is passed to the benchmark.
pub(crate) fn kept(more: &[String]) -> Result<(), StepError> {
    let mut command = measuring("kept", "release")?;
    command.args(more);
    finish(command, CURE, "the soak of history")
}

/// Floods a local stack; `more` is passed to the benchmark, the minutes first.
pub(crate) fn soak(more: &[String]) -> Result<(), StepError> {
    let mut command = measuring("soak", "release")?;
    command.args(more);
    finish(command, CURE, "the soak")
}

/// Builds the programs, the command with `profile`, and returns the call of the benchmark's part that measures both.
fn measuring(part: &str, profile: &str) -> Result<Command, StepError> {
    // Separate builds, because in one build the features of one package would affect the others.
    let chatctl = build("chatctl", "chatctl", profile)?;
    let handlers = build("chat-lambdas", "chat", "lambda")?;
    let mut command = Command::new(build("chatctl-bench", "chatctl-bench", "release")?);
    command
        .arg(part)
        .arg("--chatctl")
        .arg(chatctl)
        .arg("--handlers")
        .arg(handlers);
    Ok(command)
}

/// Measures a deployment to AWS against an emulator, compared with AWS's own command line; `more` is passed to the
/// benchmark.
pub(crate) fn deploy(more: &[String]) -> Result<(), StepError> {
    let peers = peers::set_up_for_deployments()?;
    let mut command = measuring("deploy", "release")?;
    command
        .arg("--ministack")
        .arg(peers.ministack)
        .arg("--aws")
        .arg(peers.aws)
        .args(more);
    finish(command, CURE, "the benchmark")
}

/// Measures the handlers' processes alone; `more` is passed to the benchmark.
pub(crate) fn functions(more: &[String]) -> Result<(), StepError> {
    let handlers = build("chat-lambdas", "chat", "lambda")?;
    zipped::check(&handlers)?;
    let bench = build("chatctl-bench", "chatctl-bench", "release")?;
    let mut command = Command::new(bench);
    command
        .arg("functions")
        .arg("--handlers")
        .arg(handlers)
        .args(more);
    finish(command, CURE, "the benchmark")
}

/// Simulates large rooms with the real handler.
pub(crate) fn rooms() -> Result<(), StepError> {
    let mut command = Command::new(cargo());
    command
        .args(["run", "--locked", "--package", "chat-lambdas"])
        .args(["--example", "rooms"])
        .current_dir(root());
    finish(command, CURE, "the simulation")
}

/// One line of cargo's `--message-format json`, with the fields that are used here.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds `binary` of `package`; returns its path.
fn build(package: &str, binary: &str, profile: &str) -> Result<PathBuf, StepError> {
    let what = format!("cargo build --package {package}");
    let mut command = Command::new(cargo());
    command
        .args([
            "build",
            "--locked",
            "--package",
            package,
            "--bin",
            binary,
            "--profile",
            profile,
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(root())
        .stderr(Stdio::inherit());
    let output = command.output().map_err(|_| StepError::Missing {
        program: cargo(),
        cure: CURE,
    })?;
    if !output.status.success() {
        return Err(StepError::Failed { what });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    executable(&text, binary)
        .ok_or_else(|| StepError::Other(format!("{what} built no binary `{binary}`")))
}

fn executable(messages: &str, binary: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| {
            message
                .target
                .as_ref()
                .is_some_and(|target| target.name == binary)
        })
        .find_map(|message| message.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_table_replaces_the_one_before_it_and_nothing_else() {
        let page = "# Figures\n\nOf a machine.\n";
        let first = recorded(page, "p50  1 ms");
        assert!(first.starts_with(page) && first.contains("```text\np50  1 ms\n```\n"));
        let first = format!("{first}\n## Deployments\n");
        let second = recorded(&first, "p50  2 ms");
        assert_eq!(second, first.replace("1 ms", "2 ms"));
    }

    #[test]
    fn the_executable_is_the_one_of_the_named_binary() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"chat"},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/t/other"}
{"reason":"compiler-artifact","target":{"name":"chat"},"executable":"/t/chat"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "chat"), Some("/t/chat".into()));
        assert_eq!(executable(messages, "none"), None);
    }
}
