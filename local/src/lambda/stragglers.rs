//! Ends processes that have left their function's process group (`setsid`). On Lambda they would end with the sandbox.
//!
//! They are found by their inherited environment: the name of the log stream is random and belongs to one process of
//! one function. Only Linux shows the environment of other processes; elsewhere none is found.

/// Ends every process of this user whose environment contains `mark`, a `NAME=value` such as the log stream of a
/// function's process, which descendants inherit.
///
/// It reads files of every process of the user, which may take some milliseconds.
#[cfg(target_os = "linux")]
pub fn end_stragglers(mark: &str) {
    // Repeated, because one may have started another meanwhile; but limited, because one may do nothing else.
    for _ in 0..5 {
        if !end_marked(mark.as_bytes()) {
            return;
        }
    }
}

/// Ends every process of this user whose environment contains `mark`, on Linux.
#[cfg(not(target_os = "linux"))]
pub fn end_stragglers(_mark: &str) {}

/// Returns whether there was any.
#[cfg(target_os = "linux")]
fn end_marked(mark: &[u8]) -> bool {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let mut any = false;
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.parse().ok());
        let Some(pid) = id.and_then(Pid::from_raw) else {
            continue;
        };
        // The handle comes first, so that the environment is that of the process that the signal reaches.
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
            continue;
        };
        let environment = environment(&entry.path());
        if environment.split(|byte| *byte == 0).any(|it| it == mark) {
            any |= pidfd_send_signal(&handle, Signal::KILL).is_ok();
        }
    }
    any
}

/// The environment of the process in the folder `process`. Those of other users cannot be read; that of an ended process or of
/// a thread of the kernel is empty.
///
/// For a moment it is also empty of a process that has just begun another program (`execve`): its memory is new, and the
/// kernel has not written down yet where the environment lies in it. Such a process has a program (`exe`), and is read again.
#[cfg(target_os = "linux")]
fn environment(process: &std::path::Path) -> Vec<u8> {
    let read = || std::fs::read(process.join("environ")).unwrap_or_default();
    for _ in 0..10 {
        let environment = read();
        if !environment.is_empty() || std::fs::read_link(process.join("exe")).is_err() {
            return environment;
        }
        std::thread::yield_now();
    }
    read()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::Command;

    use super::*;

    #[test]
    fn only_marked_processes_are_ended() {
        let sleeper = |stream: &str| {
            let mut command = Command::new("sleep");
            command.arg("30").process_group(0);
            command.env("AWS_LAMBDA_LOG_STREAM_NAME", stream);
            command.spawn().unwrap()
        };
        let stream = format!("test-{}", std::process::id());
        let mut marked = sleeper(&stream);
        let mut other = sleeper(&format!("{stream}0"));
        end_stragglers(&format!("AWS_LAMBDA_LOG_STREAM_NAME={stream}"));
        assert_eq!(marked.wait().unwrap().signal(), Some(9));
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
