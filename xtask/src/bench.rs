//! Benchmarks: builds the programs as users do, then measures them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::run::{StepError, cargo, finish, root};
use crate::{peers, zipped};

const CURE: &str = "install a Rust toolchain";

/// Measures the local target; `more` is passed to the benchmark.
pub(crate) fn local(more: &[String]) -> Result<(), StepError> {
    // Separate builds, because in one build the features of one package would affect the others.
    let chatctl = build("chatctl", "chatctl", "release")?;
    let handlers = build("chat-lambdas", "chat", "lambda")?;
    let bench = build("chatctl-bench", "chatctl-bench", "release")?;
    let mut command = Command::new(bench);
    command
        .arg("local")
        .arg("--chatctl")
        .arg(chatctl)
        .arg("--handlers")
        .arg(handlers)
        .args(more);
    finish(command, CURE, "the benchmark")
}

/// Floods a local stack; `more` is passed to the benchmark, the minutes first.
pub(crate) fn soak(more: &[String]) -> Result<(), StepError> {
    let chatctl = build("chatctl", "chatctl", "release")?;
    let handlers = build("chat-lambdas", "chat", "lambda")?;
    let bench = build("chatctl-bench", "chatctl-bench", "release")?;
    let mut command = Command::new(bench);
    command
        .arg("soak")
        .arg("--chatctl")
        .arg(chatctl)
        .arg("--handlers")
        .arg(handlers)
        .args(more);
    finish(command, CURE, "the soak")
}

/// Measures a deployment to AWS against an emulator, compared with AWS's own command line; `more` is passed to the
/// benchmark.
pub(crate) fn deploy(more: &[String]) -> Result<(), StepError> {
    let peers = peers::set_up_for_deployments()?;
    let chatctl = build("chatctl", "chatctl", "release")?;
    let handlers = build("chat-lambdas", "chat", "lambda")?;
    let bench = build("chatctl-bench", "chatctl-bench", "release")?;
    let mut command = Command::new(bench);
    command
        .arg("deploy")
        .arg("--chatctl")
        .arg(chatctl)
        .arg("--handlers")
        .arg(handlers)
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
