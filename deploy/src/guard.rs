//! Nothing that chatctl has started outlives it, however it ends: by a signal that cannot be caught, too.
//!
//! Builds and functions are process groups of their own, so neither the kernel nor the terminal ends them with chatctl.
//! Therefore a second, small process (`chatctl guard`) is told of each group, over a pipe of which chatctl holds the only
//! other end. The kernel closes that end with the process that holds it; then the guard ends what is left, and itself.
//!
//! The guard is started with the first group. It lies in a group of its own, so that Ctrl-C and the end of a terminal do
//! not reach it. Its ids come from the very process that started the groups and has not waited for their leaders to end
//! yet, or a moment ago: they are never read from a file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// How long a group has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_millis(500);

/// How long the guard may take in the end.
const PATIENCE: Duration = Duration::from_secs(5);

static GUARD: Mutex<Guard> = Mutex::new(Guard::Off);

enum Guard {
    /// Nothing is guarded.
    Off,
    /// The guard's process, once there is something to guard.
    On(Option<Child>),
    /// This process is about to end: whatever starts now ends at once.
    Over,
}

/// Has groups guarded from now on. Without it nothing is: a test's process is not chatctl.
pub fn enable() {
    *guard() = Guard::On(None);
}

/// Has the process group `group` ended with this process.
///
/// By `mark`, a variable (`NAME=value`) that its environment has and no other, its descendants are found outside of the
/// group, too; an empty one leaves them alone. Where no guard
/// can be started, the group is ended only when this process ends in good order.
pub fn group_started(group: u32, mark: &str) {
    let mut guard = guard();
    guard.tell(&format!("+ {group} {mark}\n"));
    if matches!(*guard, Guard::Over)
        && let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw)
    {
        let _gone = kill_process_group(group, Signal::KILL);
    }
}

/// Has what is about to start ended with this process, also if its group is never told: by `mark`, a variable
/// (`NAME=value`) that its environment has and no other. [`group_started`] with the same mark, or
/// [`process_starts_no_more`], ends that.
pub fn process_starts(mark: &str) {
    guard().tell(&format!("? 0 {mark}\n"));
}

/// It was not started, or its group was told without the mark.
pub fn process_starts_no_more(mark: &str) {
    guard().tell(&format!("! 0 {mark}\n"));
}

/// `group` has ended by itself.
pub fn group_ended(group: u32) {
    guard().tell(&format!("- {group}\n"));
}

/// Ends every group that is still there, and waits for that. Then this process is to end, too.
pub fn dismiss() {
    let Guard::On(Some(mut guard)) = std::mem::replace(&mut *guard(), Guard::Over) else {
        return;
    };
    drop(guard.stdin.take());
    let deadline = Instant::now() + PATIENCE;
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
    /// Tells the guard's process, which is started if need be.
    fn tell(&mut self, line: &str) {
        let Self::On(process) = self else { return };
        if process.is_none() {
            *process = start().ok();
        }
        let pipe = process.as_mut().and_then(|process| process.stdin.as_mut());
        if pipe.is_some_and(|pipe| pipe.write_all(line.as_bytes()).is_ok()) {
            return;
        }
        // A guard that misses the end of a group would end a stranger, which may have got the group's id meanwhile.
        if let Some(mut process) = process.take() {
            drop(process.kill().and_then(|()| process.wait()));
        }
        *self = Self::Off;
    }
}

fn start() -> std::io::Result<Child> {
    let guard = Command::new(std::env::current_exe()?)
        .arg("guard")
        // It must not keep a folder in use.
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    // A line is shorter than what a pipe takes whole or not at all. A guard that was stopped must not stop this process.
    if let Some(pipe) = &guard.stdin {
        rustix::io::ioctl_fionbio(pipe, true)?;
    }
    Ok(guard)
}

/// What the guard does: follows `input` to its end, then ends every group that has not ended.
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
    // Those that were starting have their own environment by now.
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
    fn a_function_that_was_about_to_start_is_ended_although_its_group_was_never_told() {
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
        let told = format!(
            "? 0 {}\n? 0 {}\n! 0 {}\n",
            mark("starting"),
            mark("other"),
            mark("other")
        );
        run(told.as_bytes());
        assert_eq!(starting.wait().unwrap().signal(), Some(9));
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn what_was_not_told_to_have_ended_is_ended_even_if_it_ignores_the_gentle_way() {
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
        let told = format!(
            "+ {} \n+ {} \n+ {} \nnonsense\n- {}\n",
            gentle.id(),
            stubborn.id(),
            stays.id(),
            stays.id()
        );
        run(told.as_bytes());
        assert_eq!(gentle.wait().unwrap().signal(), Some(15));
        assert_eq!(stubborn.wait().unwrap().signal(), Some(9));
        assert!(stays.try_wait().unwrap().is_none());
        let group = Pid::from_child(&stays);
        kill_process_group(group, Signal::KILL).unwrap();
        stays.wait().unwrap();
    }
}
