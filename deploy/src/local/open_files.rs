//! The limit of open files, which limits the connections of a local stack.

/// A reserve of file descriptors for the time when all others are in use: one to accept a command, the others for its
/// response.
#[derive(Debug, Default)]
pub(super) struct ReservedFiles(Vec<std::fs::File>);

impl ReservedFiles {
    const COUNT: usize = 4;

    /// Refills the reserve as far as possible.
    pub(super) fn fill(&mut self) {
        while self.0.len() < Self::COUNT {
            match std::fs::File::open("/dev/null") {
                Ok(file) => self.0.push(file),
                Err(_) => return,
            }
        }
    }

    /// Closes the reserved files; returns false if there were none.
    pub(super) fn release(&mut self) -> bool {
        let any = !self.0.is_empty();
        self.0.clear();
        any
    }
}

/// Raises this process's limit of open files as far as the system allows.
///
/// Many systems start programs with 1,024 (macOS with 256), which a room of that size uses up.
pub(super) fn allow_many() {
    // If it cannot be raised, the gateway warns when the limit is reached.
    let _as_it_was = rlimit::increase_nofile_limit(u64::MAX);
}

#[cfg(test)]
mod tests {
    use super::ReservedFiles;

    #[test]
    fn spare_files_are_taken_and_released() {
        let mut reserved = ReservedFiles::default();
        assert!(!reserved.release());
        reserved.fill();
        assert_eq!(reserved.0.len(), ReservedFiles::COUNT);
        assert!(reserved.release() && !reserved.release());
    }
}
