//! Ends every process that chatctl has started, however chatctl itself ends, even by a signal that cannot be caught.
//!
//! Builds and functions are process groups of their own, so neither the kernel nor the terminal ends them with chatctl.
//! Therefore chatctl starts a second, small process (`guard` as the only argument) and writes the id of each group to a pipe whose
//! only other end the guard holds. When chatctl ends, the kernel closes the pipe; the guard then ends the remaining
//! groups, and itself.
//!
//! The guard is started with the first group. It has a group of its own, so that Ctrl-C and the end of a terminal do
//! not reach it. The ids come from the process that started the groups, while or shortly after it holds their leaders;
//! they are never read from a file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// The time between SIGTERM and SIGKILL for a group.
const GRACE: Duration = Duration::from_millis(500);

/// The time that the guard may take at the end.
const TIMEOUT: Duration = Duration::from_secs(5);

static GUARD: Mutex<Guard> = Mutex::new(Guard::Off);

enum Guard {
    /// Nothing is guarded.
    Off,
    /// The guard's process, once there is something to guard.
    On(Option<Child>),
    /// This process is about to end: a process that starts now is ended at once.
    Over,
}

/// Turns guarding on. It is off by default, because a test's process is not chatctl.
pub fn enable() {
    *guard() = Guard::On(None);
}

/// Registers the process group `group` to be ended with this process.
///
/// `mark` is a variable (`NAME=value`) that only the group's environment has. By it the guard also finds descendants
/// outside of the group; with an empty mark it leaves them alone. If no guard can be started, the group is only ended
/// when this process ends in good order.
pub(crate) fn group_started(group: u32, mark: &str) {
    let mut guard = guard();
    guard.tell(&format!("+ {group} {mark}\n"));
    if matches!(*guard, Guard::Over)
        && let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw)
    {
        let _gone = kill_process_group(group, Signal::KILL);
    }
}

/// Registers a process that is about to start, so that it is ended even if its group is never registered. It is found
/// by `mark`, a variable (`NAME=value`) that only its environment has. `group_started` with the same mark, or
/// `process_starts_no_more`, ends the registration.
pub fn process_starts(mark: &str) {
    guard().tell(&format!("? 0 {mark}\n"));
}

/// The process was not started, or its group was registered without the mark.
pub(crate) fn process_starts_no_more(mark: &str) {
    guard().tell(&format!("! 0 {mark}\n"));
}

/// `group` has ended by itself.
pub(crate) fn group_ended(group: u32) {
    guard().tell(&format!("- {group}\n"));
}

/// Ends every remaining group and waits for that. Call it only when this process is about to end.
pub fn dismiss() {
    let Guard::On(Some(mut guard)) = std::mem::replace(&mut *guard(), Guard::Over) else {
        return;
    };
    drop(guard.stdin.take());
    let deadline = Instant::now() + TIMEOUT;
    while let Ok(None) = guard.try_wait()
        && Instant::now() < deadline
    {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn guard() -> MutexGuard<'static, Guard> {
    GUARD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guard {
    /// Writes to the guard's process, which is started if necessary.
    fn tell(&mut self, line: &str) {
        let Self::On(process) = self else { return };
        if process.is_none() {
            *process = start().ok();
        }
        let pipe = process.as_mut().and_then(|process| process.stdin.as_mut());
        if pipe.is_some_and(|pipe| pipe.write_all(line.as_bytes()).is_ok()) {
            return;
        }
        // A guard that misses the end of a group could end a foreign one, because the id may have been reused.
        if let Some(mut process) = process.take() {
            drop(process.kill().and_then(|()| process.wait()));
        }
        *self = Self::Off;
    }
}

fn start() -> std::io::Result<Child> {
    let guard = Command::new(std::env::current_exe()?)
        .arg("guard")
        // A working folder of its own would keep that folder in use.
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    // A line is short enough that a pipe takes it whole or not at all. A stopped guard must not block this process.
    if let Some(pipe) = &guard.stdin {
        rustix::io::ioctl_fionbio(pipe, true)?;
    }
    Ok(guard)
}

/// The guard's main loop: follows `input` to its end, then ends every group that is left.
pub fn run(input: impl BufRead) {
    let mut groups: BTreeMap<i32, String> = BTreeMap::new();
    let mut starting: BTreeSet<String> = BTreeSet::new();
    for line in input.lines().map_while(Result::ok) {
        let mut words = line.splitn(3, ' ');
        let (sign, group) = (words.next(), words.next().and_then(|id| id.parse().ok()));
        let mark = words.next().unwrap_or_default();
        match (sign, group) {
            (Some("?"), _) => drop(starting.insert(mark.to_owned())),
            (Some("!"), _) => drop(starting.remove(mark)),
            (Some("+"), Some(group)) => {
                starting.remove(mark);
                groups.insert(group, mark.to_owned());
            }
            (Some("-"), Some(group)) => drop(groups.remove(&group)),
            _ => {}
        }
    }
    let pids = || groups.keys().filter_map(|group| Pid::from_raw(*group));
    for group in pids() {
        // It may have ended a moment ago.
        let _gone = kill_process_group(group, Signal::TERM);
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline
        && (!starting.is_empty() || pids().any(|group| test_kill_process_group(group).is_ok()))
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    for group in pids() {
        let _gone = kill_process_group(group, Signal::KILL);
    }
    // The processes that were starting have their own environment by now.
    let marks = groups.values().chain(&starting);
    for mark in marks.filter(|mark| !mark.is_empty()) {
        chatctl_local::end_stragglers(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_function_that_was_about_to_start_is_ended_although_its_group_was_never_registered() {
        let sleeper = |stream: &str| {
            let mut command = Command::new("sleep");
            command.arg("600").process_group(0);
            command.env("AWS_LAMBDA_LOG_STREAM_NAME", stream);
            command.spawn().unwrap()
        };
        let stream = |name: &str| format!("guard-{name}-{}", std::process::id());
        let mark = |name: &str| format!("AWS_LAMBDA_LOG_STREAM_NAME={}", stream(name));
        let mut starting = sleeper(&stream("starting"));
        let mut other = sleeper(&stream("other"));
        let reported = format!(
            "? 0 {}\n? 0 {}\n! 0 {}\n",
            mark("starting"),
            mark("other"),
            mark("other")
        );
        run(reported.as_bytes());
        assert_eq!(starting.wait().unwrap().signal(), Some(9));
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_group_that_ignores_sigterm_is_killed() {
        let start = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).process_group(0);
            command.stdout(Stdio::piped()).spawn().unwrap()
        };
        let mut gentle = start("echo; sleep 600");
        let mut stubborn = start("trap '' TERM; echo; while :; do sleep 1; done");
        let mut stays = start("echo; sleep 600");
        for child in [&mut gentle, &mut stubborn, &mut stays] {
            let mut line = String::new();
            let stdout = child.stdout.take().unwrap();
            std::io::BufReader::new(stdout)
                .read_line(&mut line)
                .unwrap();
        }
        let reported = format!(
            "+ {} \n+ {} \n+ {} \nnonsense\n- {}\n",
            gentle.id(),
            stubborn.id(),
            stays.id(),
            stays.id()
        );
        run(reported.as_bytes());
        assert_eq!(gentle.wait().unwrap().signal(), Some(15));
        assert_eq!(stubborn.wait().unwrap().signal(), Some(9));
        assert!(stays.try_wait().unwrap().is_none());
        let group = Pid::from_child(&stays);
        kill_process_group(group, Signal::KILL).unwrap();
        stays.wait().unwrap();
    }
}
