//! Tries an archive as its users do: unpacked, on a machine without Rust.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;

use super::archive;
use crate::run::{StepError, at};
use crate::say;

/// Unpacks `archive` into an empty folder, deploys a chat on this machine with it, and prints how long that takes.
pub(super) fn check(archive: &Path) -> Result<(), StepError> {
    archive::check_sum(archive)?;
    let folder = tempfile::tempdir().map_err(|error| at(Path::new("a temporary folder"), error))?;
    let command = unpack(archive, folder.path())?;
    let (project, home) = (folder.path().join("project"), folder.path().join("home"));
    for made in [&project, &home] {
        std::fs::create_dir(made).map_err(|error| at(made, error))?;
    }
    let run = |words: &[&str]| run(&command, &project, &home, words);
    run(&["init"])?;
    let teardown = || run(&["teardown", "--local", "--yes"]);
    let deployments = || {
        let first = run(&["deploy", "--local"])?;
        teardown()?;
        Ok((first, run(&["deploy", "--local"])?))
    };
    let times = deployments();
    // Nothing of the check may go on running, whatever has failed.
    let torn_down = teardown();
    let (first, again) = times?;
    torn_down?;
    say(&format!(
        "{}: from the command to a chat that has answered {:.2} s, again {:.2} s, without Rust",
        archive.display(),
        first.as_secs_f64(),
        again.as_secs_f64()
    ));
    Ok(())
}

/// Unpacks `archive`, and answers the command in it.
fn unpack(archive: &Path, into: &Path) -> Result<PathBuf, StepError> {
    let file = std::fs::File::open(archive).map_err(|error| at(archive, error))?;
    let mut tar = tar::Archive::new(GzDecoder::new(file));
    tar.unpack(into).map_err(|error| at(archive, error))?;
    let mut folders = std::fs::read_dir(into).map_err(|error| at(into, error))?;
    let root = folders
        .next()
        .and_then(Result::ok)
        .map(|entry| entry.path());
    root.map(|root| root.join("bin/chatctl"))
        .filter(|command| command.is_file())
        .ok_or_else(|| StepError::Other(format!("{} contains no command", archive.display())))
}

/// Runs `command` where no program is found by name; answers how long it took.
fn run(command: &Path, project: &Path, home: &Path, words: &[&str]) -> Result<Duration, StepError> {
    let began = Instant::now();
    let output = Command::new(command)
        .args(words)
        .current_dir(project)
        .env_clear()
        .env("PATH", home)
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| at(command, error))?;
    let took = began.elapsed();
    match output.status.success() {
        true => Ok(took),
        false => Err(StepError::Other(format!(
            "chatctl {} ended with {}:\n{}",
            words.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}
