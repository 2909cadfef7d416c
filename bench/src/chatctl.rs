//! Runs chatctl like a user: as a program, in a folder of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use testing::project::Project as Folder;
use testing::running::Running;

use crate::processes;

/// The executables to measure, which are already built.
#[derive(Debug, clap::Args)]
pub(crate) struct Programs {
    /// The command, built for release
    #[arg(long, value_name = "PATH", value_parser = absolute)]
    pub(crate) chatctl: PathBuf,
    /// The handlers' executable, built as it is deployed
    #[arg(long, value_name = "PATH", value_parser = absolute)]
    pub(crate) handlers: PathBuf,
}

/// chatctl runs in its own folders, where a relative path would have another meaning.
fn absolute(path: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

/// Why chatctl failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChatctlError {
    #[error("could not run `{command}`")]
    Run {
        command: String,
        source: std::io::Error,
    },
    #[error("`{command}` failed:\n{stderr}")]
    Failed { command: String, stderr: String },
    #[error("`chatctl status` printed unexpected output")]
    Status(#[source] serde_json::Error),
    #[error("the stack came back at {now}, and was at {before}")]
    Moved { before: String, now: String },
}

/// The output of `chatctl status --local --output json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) endpoint: String,
    pub(crate) pid: u32,
    pub(crate) functions: BTreeMap<String, FunctionStatus>,
    /// Of all processes, with shared pages counted once.
    pub(crate) memory_bytes: Option<u64>,
}

/// One of its functions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunctionStatus {
    pub(crate) in_flight: usize,
    pub(crate) invocations: u64,
}

/// Without limits of the stage, because the stack is measured.
const UNLIMITED: &str = "[stage]\nthrottle = false\n";

/// A folder with a config file without limits of the stage, and otherwise the default chat.
#[derive(Debug)]
pub(crate) struct Project<'a> {
    programs: &'a Programs,
    folder: Folder,
}

impl<'a> Project<'a> {
    pub(crate) fn new(programs: &'a Programs) -> Self {
        Self::with_config(programs, "")
    }

    /// Like [`Self::new`], with more in the config file.
    pub(crate) fn with_config(programs: &'a Programs, config: &str) -> Self {
        let config = format!("{UNLIMITED}{config}");
        let folder = Folder::with_programs(&config, &programs.chatctl, &programs.handlers);
        Self { programs, folder }
    }

    /// Runs the command `words` to its end; returns its stdout.
    pub(crate) fn run(&self, words: &[&str]) -> Result<String, ChatctlError> {
        let mut command = self.folder.command(words);
        let output = command.output();
        stdout_of(&command, output)
    }

    /// Starts the stack in the background; returns the command's duration.
    pub(crate) fn deploy(&self) -> Result<(Deployed<'_>, Duration), ChatctlError> {
        let deployed = Deployed { project: self };
        let started = Instant::now();
        let mut command = self.deployment();
        let output = command.output();
        stdout_of(&command, output)?;
        Ok((deployed, started.elapsed()))
    }

    /// Starts the stack in the foreground; returns the time until it printed its endpoint.
    pub(crate) fn dev(&self) -> Result<(Dev, Instant, Duration), ChatctlError> {
        let handlers = self.programs.handlers.to_string_lossy();
        let mut command = self.folder.command(&["dev", "--handlers", &handlers]);
        let failed = |source| ChatctlError::Run {
            command: spoken(&command),
            source,
        };
        let stderr = self.folder.path().join("stderr");
        let errors = File::create(&stderr).map_err(failed)?;
        let started = Instant::now();
        let mut child = Running::start(command.stdout(Stdio::piped()).stderr(errors));
        let endpoint = child.first_line();
        let took = started.elapsed();
        let dev = Dev { child, endpoint };
        if dev.endpoint.is_empty() {
            return Err(ChatctlError::Failed {
                command: spoken(&command),
                stderr: std::fs::read_to_string(&stderr).unwrap_or_default(),
            });
        }
        Ok((dev, started, took))
    }

    fn deployment(&self) -> Command {
        self.folder.deployment(&["--no-probe"])
    }
}

/// What `command` printed; an error unless it succeeded.
fn stdout_of(command: &Command, output: std::io::Result<Output>) -> Result<String, ChatctlError> {
    let output = output.map_err(|source| ChatctlError::Run {
        command: spoken(command),
        source,
    })?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(ChatctlError::Failed {
            command: spoken(command),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}

fn spoken(command: &Command) -> String {
    let words = command.get_args().map(|word| word.to_string_lossy());
    format!("chatctl {}", words.collect::<Vec<_>>().join(" "))
}

/// Sends SIGKILL; a process that has ended already is no failure.
pub(crate) fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _gone = kill_process(pid, Signal::KILL);
    }
}

/// A stack in the background. It is torn down when this is dropped.
#[derive(Debug)]
pub(crate) struct Deployed<'a> {
    project: &'a Project<'a>,
}

impl Deployed<'_> {
    pub(crate) fn status(&self) -> Result<Status, ChatctlError> {
        let words = ["status", "--local", "--output", "json"];
        let text = self.project.run(&words)?;
        serde_json::from_str(&text).map_err(ChatctlError::Status)
    }

    /// Kills the stack's process, whose id is `pid`, as a power failure would, and starts the stack again with its data.
    pub(crate) async fn restart(&self, pid: u32) -> Result<(), ChatctlError> {
        let before = self.status()?.endpoint;
        kill(pid);
        while processes::is_running(pid) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Not by `run`, which blocks: clients try to connect meanwhile.
        let mut command = tokio::process::Command::from(self.project.deployment());
        let output = command.output().await;
        stdout_of(command.as_std(), output)?;
        let now = self.status()?.endpoint;
        match now == before {
            true => Ok(()),
            false => Err(ChatctlError::Moved { before, now }),
        }
    }

    /// Waits until all functions are idle.
    pub(crate) async fn quiet(&self) -> Result<(), ChatctlError> {
        // A function that never ends is stopped by its own timeout.
        while !self.is_quiet()? {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Whether all functions are idle.
    pub(crate) fn is_quiet(&self) -> Result<bool, ChatctlError> {
        let functions = self.status()?.functions;
        Ok(functions.values().all(|it| it.in_flight == 0))
    }
}

impl Drop for Deployed<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.project.run(&["teardown", "--local", "--yes"]) {
            crate::complain(&error);
        }
    }
}

/// A stack in the foreground. It is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Dev {
    child: Running,
    pub(crate) endpoint: String,
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It fails if the program has already ended, which is the goal.
        let _gone = kill_process(Pid::from_child(&self.child), Signal::INT);
        let _status = self.child.wait();
    }
}
