//! How many connections a local stack can have: each is an open file.

/// File descriptors that are kept for the time when all others are in use: one to accept a command, the rest for what
/// its answer reads.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<std::fs::File>);

impl Spare {
    const COUNT: usize = 4;

    /// Takes as many as are missing, if there are any to be had.
    pub(super) fn fill(&mut self) {
        while self.0.len() < Self::COUNT {
            match std::fs::File::open("/dev/null") {
                Ok(file) => self.0.push(file),
                Err(_) => return,
            }
        }
    }

    /// Frees them; false when none was kept.
    pub(super) fn free(&mut self) -> bool {
        let any = !self.0.is_empty();
        self.0.clear();
        any
    }
}

/// Raises this process's limit on open files as far as the system lets it.
///
/// Many systems start programs with 1,024 (macOS with 256), which a room of that size uses up.
pub(super) fn allow_many() {
    // Where it cannot be raised, the gateway says so once it matters.
    let _as_it_was = rlimit::increase_nofile_limit(u64::MAX);
}

#[cfg(test)]
mod tests {
    use super::Spare;

    #[test]
    fn spare_files_are_taken_and_freed() {
        let mut spare = Spare::default();
        assert!(!spare.free());
        spare.fill();
        assert_eq!(spare.0.len(), Spare::COUNT);
        assert!(spare.free() && !spare.free());
    }
}
