//! Measures the memory of this process and its children.

/// In bytes, with shared pages counted once; `None` without `/proc`, that is, on systems other than Linux.
pub(super) fn used_by_this_process_and_its_children() -> Option<u64> {
    let own = std::process::id();
    let mut total = proportional(own)?;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        if parent(pid) == Some(own) {
            // A child that ends meanwhile uses no memory.
            total += proportional(pid).unwrap_or_default();
        }
    }
    Some(total)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain anything, including parentheses and spaces.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn proportional(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn it_is_more_than_nothing_and_less_than_everything() {
        let bytes = super::used_by_this_process_and_its_children().unwrap();
        assert!((100_000..50_000_000_000).contains(&bytes), "{bytes}");
    }
}
