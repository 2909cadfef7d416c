//! Readings of `/proc` about a process and its children (Linux only).

use std::path::PathBuf;
use std::time::Duration;

/// The resources of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Bytes in memory. Shared pages count for each process.
    pub(crate) resident: u64,
    /// Bytes in memory. Each shared page is divided among its processes.
    pub(crate) proportional: u64,
    /// Processor time since its start.
    pub(crate) processor: Duration,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.resident += other.resident;
        self.proportional += other.proportional;
        self.processor += other.processor;
    }
}

/// The resources of `pid`, and the sum of its children's. A process that has just ended uses none.
pub(crate) fn usage(pid: u32) -> (Usage, Usage) {
    let mut all = Usage::default();
    for pid in descendants(pid) {
        all += usage_of(pid);
    }
    (usage_of(pid), all)
}

/// The largest peak memory of any running child of `pid`, in bytes.
pub(crate) fn largest(pid: u32) -> u64 {
    let peaks = descendants(pid).into_iter();
    let peaks = peaks.map(|pid| kilobytes(&read(pid, "status"), "VmHWM:"));
    peaks.max().unwrap_or_default()
}

/// The private memory of `pid` in bytes; `None` if it cannot be read.
pub(crate) fn private(pid: u32) -> Option<u64> {
    let rollup = read(pid, "smaps_rollup");
    (!rollup.is_empty()).then(|| kilobytes(&rollup, "Private_Dirty:"))
}

fn descendants(pid: u32) -> Vec<u32> {
    let (mut found, mut left) = (Vec::new(), children(pid));
    while let Some(pid) = left.pop() {
        found.push(pid);
        left.extend(children(pid));
    }
    found
}

/// The processes of a local stack's functions: the descendants of `pid` that run another program than it does.
pub(crate) fn functions(pid: u32) -> Vec<u32> {
    let own = program(pid);
    let mut all = descendants(pid);
    all.retain(|pid| program(*pid).is_some_and(|program| Some(program) != own));
    all
}

/// Whether `pid` is still running; what has ended and was not collected is not.
pub(crate) fn is_running(pid: u32) -> bool {
    let stat = read(pid, "stat");
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
    state.is_some_and(|rest| !rest.starts_with(['Z', 'X']))
}

fn program(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// The processor time of all work, on all cores together, since the machine started.
pub(crate) fn machine() -> Duration {
    busy(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
}

fn usage_of(pid: u32) -> Usage {
    let rollup = read(pid, "smaps_rollup");
    Usage {
        resident: kilobytes(&rollup, "Rss:"),
        proportional: kilobytes(&rollup, "Pss:"),
        processor: processor(&read(pid, "stat")),
    }
}

fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let lists =
        threads.into_iter().flatten().flatten().map(|thread| {
            std::fs::read_to_string(thread.path().join("children")).unwrap_or_default()
        });
    let pids = |list: String| -> Vec<u32> {
        let words = list.split_whitespace();
        words.filter_map(|pid| pid.parse().ok()).collect()
    };
    lists.flat_map(pids).collect()
}

fn read(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

/// The bytes of `name` in `smaps_rollup` or `status`.
fn kilobytes(file: &str, name: &str) -> u64 {
    let line = file.lines().find_map(|line| line.strip_prefix(name));
    let number = line.map(|line| line.trim().trim_end_matches(" kB").parse::<u64>());
    number.and_then(Result::ok).unwrap_or_default() * 1024
}

/// User and system time in `stat`: its 14th and 15th field, in clock ticks.
fn processor(stat: &str) -> Duration {
    // The second field, a name in parentheses, may contain spaces and parentheses.
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = rest.split(' ').skip(11).take(2);
    clock(ticks.filter_map(|field| field.parse::<u64>().ok()).sum())
}

/// All times in the first line of `/proc/stat` except idling, waiting for disks, and guests (which are counted twice
/// there).
fn busy(stat: &str) -> Duration {
    const IDLE: [usize; 2] = [3, 4];
    const FIELDS: usize = 8;
    let fields = stat.lines().next().unwrap_or_default().split_whitespace();
    let fields = fields.skip(1).take(FIELDS).enumerate();
    let busy = fields.filter(|(index, _)| !IDLE.contains(index));
    clock(
        busy.filter_map(|(_, field)| field.parse::<u64>().ok())
            .sum(),
    )
}

fn clock(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_a_name_with_parentheses_and_spaces() {
        let stat = "7 (a) b) (c) S 1 7 7 0 -1 4194560 1 0 0 0 25 75 0 0 20 0 3 0 1";
        let ticks = rustix::param::clock_ticks_per_second();
        assert_eq!(
            processor(stat),
            Duration::from_secs(100) / u32::try_from(ticks).unwrap()
        );
        let rollup = "55-7f ---p 00000000 00:00 0 [rollup]\nRss:    2048 kB\nPss:     100 kB\nPss_Dirty: 7 kB\n";
        assert_eq!(kilobytes(rollup, "Rss:"), 2048 * 1024);
        assert_eq!(kilobytes(rollup, "Pss:"), 100 * 1024);
    }

    #[test]
    fn idle_waiting_and_guest_times_do_not_count_as_busy() {
        let stat = "cpu  10 20 30 4000 500 5 15 20 7 7\ncpu0 9 9 9 9 9 9 9 9 0 0\n";
        assert_eq!(busy(stat), clock(100));
    }

    #[test]
    fn a_child_counts_to_its_parent() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let (own, descendants) = usage(std::process::id());
        assert!(own.proportional > 0 && own.resident >= own.proportional);
        assert!(descendants.resident > 0);
        assert!(largest(std::process::id()) > 0);
        assert!(private(child.id()) > Some(0));
        assert!(functions(std::process::id()).contains(&child.id()));
        assert!(is_running(child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!is_running(child.id()));
    }
}
