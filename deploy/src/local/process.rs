//! Starts and ends the process that runs a local stack.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::folder::StateFolder;
use super::records::Running;
use super::secrets::References;
use super::unresponsive::{unresponsive, unresponsive_hint};
use super::{LocalTarget, control};
use crate::config::names::StackName;
use crate::engine::{ErrorKind, Machine, TargetError};
use crate::programs::SECRETS;

/// Makes glibc's allocator, which SQLite uses, return free memory: large blocks at once, because each is mapped separately,
/// and the end of the heap. By default it puts ever larger blocks on the heap, where one small block in use keeps all
/// below it. See <https://man7.org/linux/man-pages/man3/mallopt.3.html>; other allocators ignore these variables.
const MEMORY: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "4096"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

impl LocalTarget {
    /// Requests the process to stop, and waits until it has released its folder.
    pub(super) async fn stop(&self, stack: &StackName) -> Result<(), TargetError> {
        let folder = self.folder(stack)?;
        let Some(running) = self.running_soon(stack).await? else {
            return self.end_left_behind(stack).await;
        };
        control::stop(&running, &self.response_timeout)
            .await
            .map_err(|error| error.with_hint(unresponsive_hint(&folder, &running)))?;
        let has_ended = || Ok::<_, TargetError>((!folder.is_alive()?).then_some(()));
        match self.response_timeout.until(has_ended).await? {
            Some(()) => Ok(()),
            None => Err(unresponsive(&folder, "ended", Some(&running))),
        }
    }

    /// Like [`LocalTarget::stop`]; no process can start the stack until the returned value is dropped.
    pub(super) async fn stopped(
        &self,
        stack: &StackName,
    ) -> Result<impl Sized + use<>, TargetError> {
        let folder = self.folder(stack)?;
        // A process that another command started may begin in between; it is stopped too.
        for _ in 0..3 {
            self.stop(stack).await?;
            if let Some(held) = folder.lock_when_free().await? {
                return Ok(held);
            }
        }
        Err(unresponsive(&folder, "ended", None))
    }

    /// The record of the running process, `None` if there is none. Waits for a process that is still starting.
    pub(super) async fn running_soon(
        &self,
        stack: &StackName,
    ) -> Result<Option<Running>, TargetError> {
        let folder = self.folder(stack)?;
        let look = || {
            Ok::<_, TargetError>(match folder.is_alive()? {
                true => folder.running()?.map(Some),
                false => Some(None),
            })
        };
        match self.response_timeout.until(look).await? {
            Some(found) => Ok(found),
            None => Err(unresponsive(&folder, "started", None)),
        }
    }

    /// Ends a process that this command has started; `false` if it has ended already. A process that does not react to the
    /// request is killed.
    pub(super) async fn ended(&self, mut child: Child) -> bool {
        let pid = Pid::from_child(&child);
        if kill_process(pid, Signal::TERM).is_err() {
            return false;
        }
        let is_over = || Ok::<_, TargetError>(child.try_wait().map_or(Some(()), |it| it.map(drop)));
        if !matches!(self.response_timeout.until(is_over).await, Ok(Some(()))) {
            let _killed = child.kill();
            // The kernel ends it, also where it stands still.
            let _ended = child.wait();
        }
        true
    }

    /// Starts the process of `stack`, which reads the values of `references` from its standard input: neither its arguments nor
    /// its environment have them.
    pub(super) fn spawn(
        &self,
        folder: &StateFolder,
        stack: &StackName,
        references: &References,
    ) -> Result<(), TargetError> {
        let program = std::env::current_exe()
            .map_err(|error| TargetError::file("find", Path::new("chatctl"), error))?;
        let log = folder.open_log()?;
        let mut command = Command::new(program);
        // It lives long and makes no tokens.
        let hidden = self.hidden.iter().map(String::as_str);
        for variable in SECRETS.into_iter().chain(hidden) {
            command.env_remove(variable);
        }
        let mut child = command
            .arg("local-stack")
            .arg(folder.path())
            .arg::<&str>(stack.as_ref())
            .envs(MEMORY)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|source| TargetError {
                source: Some(Box::new(source)),
                ..TargetError::new(
                    ErrorKind::Unexpected,
                    "could not start the local stack's process",
                )
            })?;
        if let Some(mut input) = child.stdin.take() {
            let values = serde_json::to_vec(references).expect("texts have a JSON form");
            // Beside everything else, because a process that stands still reads nothing. If it has ended already, that is
            // noticed and explained elsewhere.
            std::thread::spawn(move || drop(input.write_all(&values)));
        }
        *self.started.borrow_mut() = Some(child);
        Ok(())
    }

    /// Fails if the stack would be stopped for a port that it cannot get.
    pub(super) fn check_port(&self, running: &Running) -> Result<(), TargetError> {
        let port = self.port.unwrap_or(running.port);
        let Err(error) = TcpListener::bind(("127.0.0.1", port)) else {
            return Ok(());
        };
        Err(TargetError {
            source: Some(Box::new(error)),
            ..TargetError::new(
                ErrorKind::Failed,
                format!("could not listen on port {port} of 127.0.0.1"),
            )
        }
        .with_hint(format!(
            "set another one with `--port`; the stack still serves on port {}",
            running.port
        )))
    }

    /// Fails if the process that this command started has ended before its stack settled.
    pub(super) fn check_started(&self, folder: &StateFolder) -> Result<(), TargetError> {
        let mut started = self.started.borrow_mut();
        let Some(Ok(Some(status))) = started.as_mut().map(Child::try_wait) else {
            return Ok(());
        };
        // Another command's process was faster, and serves the same request.
        if folder.is_alive()? {
            return Ok(());
        }
        let message = format!("the local stack's process ended while it started ({status})");
        Err(
            TargetError::new(ErrorKind::Failed, message).with_hint(format!(
                "its log is {}; it ends:\n{}",
                folder.log().display(),
                folder.log_end()
            )),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stack whose process holds the lock but has not written its record yet.
    fn starting() -> (tempfile::TempDir, LocalTarget, StackName, std::fs::File) {
        let project = tempfile::tempdir().unwrap();
        let (target, stack) = (
            LocalTarget::new(project.path(), None),
            "chat".parse().unwrap(),
        );
        let held = target.place(&stack).lock().unwrap().unwrap();
        (project, target, stack, held)
    }

    #[tokio::test]
    async fn a_process_that_is_still_starting_is_waited_for() {
        let (_project, target, stack, _held) = starting();
        let says = async {
            tokio::task::yield_now().await;
            let running = Running {
                pid: 1,
                port: 4711,
                control_port: 1,
                secret: "s".into(),
                applied: String::new(),
                template: None,
                outputs: Default::default(),
            };
            target.place(&stack).write_running(&running).unwrap();
        };
        let (running, ()) = tokio::join!(target.running_soon(&stack), says);
        assert_eq!(running.unwrap().unwrap().port, 4711);
    }

    #[tokio::test]
    async fn a_process_that_ends_while_it_starts_is_no_longer_waited_for() {
        let (_project, target, stack, held) = starting();
        let ends = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let (running, ()) = tokio::join!(target.running_soon(&stack), ends);
        assert_eq!(running.unwrap(), None);
    }
}
