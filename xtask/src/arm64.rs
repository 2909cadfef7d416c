//! `cargo xtask arm64`: the conversations, with handlers for arm64. On another processor, QEMU runs them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::cross::Processor;
use crate::run::{StepError, at, cargo, finish, root, target, write_program};
use crate::{peers, release, say};

const RUST: &str = "install a Rust toolchain";

/// Builds the handlers for arm64, and plays every conversation over local stacks that run them.
pub(crate) fn check() -> Result<(), StepError> {
    let began = Instant::now();
    let handlers = release::handlers(Processor::Arm64)?;
    let built = began.elapsed().as_secs_f64();
    let size = std::fs::metadata(&handlers).map_err(|error| at(&handlers, error))?;
    say(&format!(
        "arm64: handlers of {:.2} MB, built in {built:.0} s",
        size.len() as f64 / 1e6
    ));
    let runner = match cfg!(target_arch = "aarch64") {
        true => handlers,
        false => emulated(&handlers)?,
    };
    let began = Instant::now();
    let mut conversations = Command::new(cargo());
    conversations
        .args(["test", "--workspace", "--locked", "--test", "it"])
        .arg("conversations")
        .env("CHATCTL_TEST_HANDLERS", runner)
        .current_dir(root());
    finish(
        conversations,
        RUST,
        "the conversations with arm64's handlers",
    )?;
    say(&format!(
        "arm64: {} conversations hold, in {:.0} s",
        scripts()?,
        began.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// How many conversations are written down; a test of theirs checks that each is played.
fn scripts() -> Result<usize, StepError> {
    let folder = root().join("testing/scripts");
    let entries = std::fs::read_dir(&folder).map_err(|error| at(&folder, error))?;
    Ok(entries.count())
}

/// A program that runs `handlers` by QEMU. The local stack starts it as any other.
fn emulated(handlers: &Path) -> Result<PathBuf, StepError> {
    let root = peers::set_up_from_debian("qemu-arm64", "debian-qemu-arm64.txt")?;
    let script = format!(
        "#!/bin/sh\nexec '{}' -L '{}' '{}' \"$@\"\n",
        root.join("usr/bin/qemu-aarch64-static").display(),
        root.display(),
        handlers.display()
    );
    let path = target().join("arm64-handlers");
    write_program(&path, script.as_bytes())?;
    Ok(path)
}
