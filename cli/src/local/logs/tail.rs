//! Reads the log files while somebody else writes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{files, parse};
use crate::stack::logs::LogEntry;

/// The logs of one local stack, read on from where they were left.
///
/// A file that is renamed away is read to its end first; one that is emptied, or removed and made anew, is read from
/// its beginning. So the stack may be updated, restarted or removed meanwhile.
#[derive(Debug)]
pub(crate) struct LocalLogs {
    folder: PathBuf,
    tails: BTreeMap<String, Tail>,
}

#[derive(Debug, Default)]
struct Tail {
    file: Option<File>,
    /// A line whose end has not been written yet.
    begun: Vec<u8>,
}

impl LocalLogs {
    pub(in crate::local) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            tails: BTreeMap::new(),
        }
    }

    /// The functions that have written anything.
    pub(crate) fn functions(&self) -> Vec<String> {
        let files = files(&self.folder).into_iter();
        files.map(|(function, _)| function).collect()
    }

    /// What was written before now, files that were renamed away included, oldest first.
    pub(crate) fn so_far(&mut self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        for (function, path) in files(&self.folder) {
            let older = std::fs::read(path.with_extension("log.1")).unwrap_or_default();
            let older = String::from_utf8_lossy(&older);
            entries.extend(older.lines().filter_map(|line| parse(&function, line)));
        }
        entries.extend(self.news());
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// What was written since the last question, oldest first.
    pub(crate) fn news(&mut self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        for (function, path) in files(&self.folder) {
            let tail = self.tails.entry(function.clone()).or_default();
            // What cannot be read now is tried again with the next question.
            let lines = tail.lines(&path).unwrap_or_default();
            entries.extend(lines.iter().filter_map(|line| parse(&function, line)));
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}

impl Tail {
    fn lines(&mut self, path: &Path) -> std::io::Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(File::open(path)?),
            };
            if file.metadata()?.len() < file.stream_position()? {
                file.seek(SeekFrom::Start(0))?;
                self.begun.clear();
            }
            file.read_to_end(&mut self.begun)?;
            let own = file.metadata()?.ino();
            let complete = self.begun.iter().rposition(|byte| *byte == b'\n');
            if let Some(end) = complete {
                let rest = self.begun.split_off(end + 1);
                let text = String::from_utf8_lossy(&self.begun).into_owned();
                lines.extend(text.lines().map(str::to_owned));
                self.begun = rest;
            }
            match std::fs::metadata(path) {
                // Another file has its name now: this one was read to its end.
                Ok(there) if there.ino() != own => {
                    self.file = None;
                    self.begun.clear();
                }
                _ => return Ok(lines),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn logs() -> (tempfile::TempDir, LocalLogs) {
        let folder = tempfile::tempdir().unwrap();
        let logs = LocalLogs::new(folder.path().to_owned());
        (folder, logs)
    }

    fn append(folder: &Path, function: &str, text: &str) {
        let path = folder.join(format!("{function}.log"));
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn messages(entries: Vec<LogEntry>) -> Vec<String> {
        entries.into_iter().map(|entry| entry.message).collect()
    }

    #[test]
    fn lines_of_several_functions_come_in_the_order_of_their_times() {
        let (folder, mut logs) = logs();
        append(folder.path(), "A", "1 s function one\n3 s platform three\n");
        append(folder.path(), "B", "2 s function two\nno line of ours\n");
        assert_eq!(messages(logs.so_far()), ["one", "two", "three"]);
        assert!(logs.news().is_empty());
    }

    #[test]
    fn half_a_line_is_left_until_its_end_is_written() {
        let (folder, mut logs) = logs();
        append(folder.path(), "A", "1 s function on");
        assert!(logs.news().is_empty());
        append(folder.path(), "A", "e\n2 s function tw");
        assert_eq!(messages(logs.news()), ["one"]);
    }

    #[test]
    fn a_file_that_was_renamed_away_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let (folder, mut logs) = logs();
        let path = folder.path().join("A.log");
        append(folder.path(), "A", "1 s function one\n");
        assert_eq!(messages(logs.news()), ["one"]);
        append(folder.path(), "A", "2 s function two\n");
        std::fs::rename(&path, folder.path().join("A.log.1")).unwrap();
        append(folder.path(), "A", "3 s function three\n");
        assert_eq!(messages(logs.news()), ["two", "three"]);
        let mut from_the_start = LocalLogs::new(folder.path().to_owned());
        assert_eq!(messages(from_the_start.so_far()), ["one", "two", "three"]);
    }

    #[test]
    fn emptied_and_removed_files_are_read_from_their_beginning() {
        let (folder, mut logs) = logs();
        let path = folder.path().join("A.log");
        append(folder.path(), "A", "1 s function a line of some length\n");
        logs.news();
        std::fs::write(&path, "2 s function short\n").unwrap();
        assert_eq!(messages(logs.news()), ["short"]);
        std::fs::remove_file(&path).unwrap();
        assert!(logs.news().is_empty());
        append(folder.path(), "A", "3 s function back\n");
        assert_eq!(messages(logs.news()), ["back"]);
    }
}
