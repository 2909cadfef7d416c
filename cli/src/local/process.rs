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
use crate::stack::render::output;

impl LocalTarget {
    /// Asks the process to stop and waits until it has let go of its folder.
    pub(super) async fn stop(&self, stack: &StackName) -> Result<(), TargetError> {
        let folder = self.folder(stack);
        if !folder.is_alive()? {
            return self.end_left_behind(stack).await;
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

    /// The process of `stack` that still runs although its folder was removed, and its endpoint.
    pub(crate) fn left_behind(
        &self,
        stack: &StackName,
    ) -> Result<Option<(u32, String)>, TargetError> {
        let folder = self.folder(stack);
        if folder.is_alive()? {
            return Ok(None);
        }
        let left = super::register::find(folder.path());
        Ok(left.map(|mut left| {
            let endpoint = left.outputs.remove(output::URL);
            (left.pid, endpoint.unwrap_or_default())
        }))
    }

    /// Ends a process that [`LocalTarget::left_behind`] finds.
    pub(crate) async fn end_left_behind(&self, stack: &StackName) -> Result<(), TargetError> {
        let folder = self.folder(stack);
        if folder.is_alive()? {
            return Ok(());
        }
        let Some(left) = super::register::find(folder.path()) else {
            return Ok(());
        };
        // It may be about to end by itself: then it does not answer, and that is as good.
        let asked = control::stop(&left).await;
        for _ in 0..1_000 {
            if super::register::find(folder.path()).is_none() {
                return Ok(());
            }
            self.pause(0).await;
        }
        asked?;
        Err(unresponsive(&folder, Some(&left)))
    }

    pub(super) fn spawn(&self, folder: &StateFolder, stack: &StackName) -> Result<(), TargetError> {
        let program = std::env::current_exe()
            .map_err(|error| TargetError::file("find", Path::new("chatctl"), error))?;
        let log = folder.open_log()?;
        let child = Command::new(program)
            .arg("local-stack")
            .arg(folder.path())
            .arg::<&str>(stack.as_ref())
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
