//! Which processes there are.

use rustix::process::{Pid, test_kill_process};

/// Whether there is a process with this id; one that has ended counts until its parent has waited for it.
#[must_use]
pub fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Whether a process runs. One that has ended and that no process has waited for does not, where the system shows it.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    if !cfg!(target_os = "linux") {
        // Processes without a parent are waited for by the system at once.
        return exists(pid);
    }
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('Z'))
    })
}

/// The processes whose parent is `pid`.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let text = if cfg!(target_os = "linux") {
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default()
    } else {
        let mut pgrep = std::process::Command::new("pgrep");
        let output = pgrep.args(["-P", &pid.to_string()]).output();
        String::from_utf8(output.expect("pgrep runs").stdout).unwrap()
    };
    text.split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

/// The command line and the environment of a process, as its user can read them.
///
/// # Panics
/// They cannot be read.
#[must_use]
pub fn started_with(pid: u32) -> String {
    let bytes = if cfg!(target_os = "linux") {
        let read = |file| std::fs::read(format!("/proc/{pid}/{file}")).unwrap();
        [read("cmdline"), read("environ")].concat()
    } else {
        let mut ps = std::process::Command::new("ps");
        let output = ps.args(["-Eww", "-o", "command=", "-p", &pid.to_string()]);
        output.output().expect("ps runs").stdout
    };
    String::from_utf8_lossy(&bytes).into_owned()
}
