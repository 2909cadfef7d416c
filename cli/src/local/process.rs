//! The process that runs a local stack: how it is started and ended.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::folder::StateFolder;
use super::records::Running;
use super::unresponsive::{unresponsive, unresponsive_hint};
use super::{LocalTarget, control};
use crate::config::names::StackName;
use crate::engine::{Refusal, Stacks, TargetError};

/// Has glibc's allocator give memory back once it is free: large blocks at once, because they are mapped by themselves,
/// and the heap's end. Left to itself it maps ever larger blocks on the heap, where one small block that is in use keeps
/// all below it. See <https://man7.org/linux/man-pages/man3/mallopt.3.html>; other allocators do not look at these.
const MEMORY: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "32768"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

impl LocalTarget {
    /// Asks the process to stop and waits until it has let go of its folder.
    pub(super) async fn stop(&self, stack: &StackName) -> Result<(), TargetError> {
        let folder = self.folder(stack);
        if !folder.is_alive()? {
            return Ok(());
        }
        let Some(running) = folder.running()? else {
            return Err(unresponsive(&folder, None));
        };
        control::stop(&running)
            .await
            .map_err(|error| error.with_hint(unresponsive_hint(&folder, &running)))?;
        for _ in 0..1_000 {
            if !folder.is_alive()? {
                return Ok(());
            }
            self.pause(0).await;
        }
        Err(unresponsive(&folder, Some(&running)))
    }

    pub(super) fn spawn(&self, folder: &StateFolder, stack: &StackName) -> Result<(), TargetError> {
        let program = std::env::current_exe()
            .map_err(|error| TargetError::file("find", Path::new("chatctl"), error))?;
        let log = folder.open_log()?;
        let child = Command::new(program)
            .arg("local-stack")
            .arg(folder.path())
            .arg::<&str>(stack.as_ref())
            .envs(MEMORY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|source| TargetError {
                source: Some(Box::new(source)),
                ..TargetError::new(
                    Refusal::Unexpected,
                    "could not start the local stack's process",
                )
            })?;
        *self.started.borrow_mut() = Some(child);
        Ok(())
    }

    /// An error when the stack would be ended for a port that it cannot get.
    pub(super) fn check_port(&self, running: &Running) -> Result<(), TargetError> {
        let port = self.port.unwrap_or(running.port);
        let Err(error) = TcpListener::bind(("127.0.0.1", port)) else {
            return Ok(());
        };
        Err(TargetError {
            source: Some(Box::new(error)),
            ..TargetError::new(
                Refusal::Failed,
                format!("could not listen on port {port} of 127.0.0.1"),
            )
        }
        .with_hint(format!(
            "give another one with `--port`; the stack still serves on port {}",
            running.port
        )))
    }

    /// An error when the process that this command started has ended before its stack settled.
    pub(super) fn check_started(&self, folder: &StateFolder) -> Result<(), TargetError> {
        let mut started = self.started.borrow_mut();
        let Some(Ok(Some(status))) = started.as_mut().map(Child::try_wait) else {
            return Ok(());
        };
        let message = format!("the local stack's process ended while it started ({status})");
        Err(
            TargetError::new(Refusal::Failed, message).with_hint(format!(
                "its log is {}; it ends:\n{}",
                folder.log().display(),
                folder.log_end()
            )),
        )
    }
}
