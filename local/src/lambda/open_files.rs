//! The limit of a function's open files.

use tokio::process::Child;

/// Gives the process that has just been started Lambda's limit of open files, sockets included, instead of ours
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>, "File descriptors").
///
/// Only Linux allows this for another process; elsewhere it inherits chatctl's limit.
#[cfg(target_os = "linux")]
pub(super) fn limit_as_on_lambda(process: &Child) {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

    const OPEN_FILES: u64 = 1_024;

    let pid = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let Some(pid) = pid else {
        return;
    };
    let own = getrlimit(Resource::Nofile).maximum;
    let most = own.map_or(OPEN_FILES, |own| own.min(OPEN_FILES));
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    // A process that has ended needs none.
    let _over = prlimit(Some(pid), Resource::Nofile, limit);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn limit_as_on_lambda(_process: &Child) {}
