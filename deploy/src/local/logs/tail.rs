//! Reads the log files while another process writes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

use super::{OLDER, files, parse};
use crate::directory::Directory;
use crate::local::folder::StateFolder;
use crate::stack::logs::LogEntry;

/// The most bytes that are read at once. No log file of ours is that large.
const MAX_READ: u64 = 64 << 20;

/// A reader of the logs of one local stack, which continues where it stopped.
///
/// A file that is renamed is read to its end first. A file that is emptied, or removed and created again, is read from
/// its beginning. So the stack may be updated, restarted or removed meanwhile.
#[derive(Debug)]
pub struct LocalLogs {
    folder: StateFolder,
    tails: BTreeMap<String, Tail>,
}

#[derive(Debug, Default)]
struct Tail {
    file: Option<File>,
    /// The unfinished line at the end of the file.
    begun: Vec<u8>,
}

impl LocalLogs {
    pub(in crate::local) fn new(folder: StateFolder) -> Self {
        Self {
            folder,
            tails: BTreeMap::new(),
        }
    }

    /// The functions that have written anything.
    pub fn functions(&self) -> Vec<String> {
        let files = self
            .open()
            .map(|folder| files(&folder))
            .into_iter()
            .flatten();
        files.map(|(function, _)| function).collect()
    }

    /// Returns all previous entries, including those of renamed files, oldest first.
    pub fn so_far(&mut self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        let Some(folder) = self.open() else {
            return entries;
        };
        for (function, name) in files(&folder) {
            let older = folder
                .read(&format!("{name}{OLDER}"))
                .ok()
                .flatten()
                .unwrap_or_default();
            let older = String::from_utf8_lossy(&older);
            entries.extend(older.lines().filter_map(|line| parse(&function, line)));
        }
        entries.extend(self.news());
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// Returns the entries since the last call, oldest first.
    pub fn news(&mut self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        let Some(folder) = self.open() else {
            return entries;
        };
        for (function, name) in files(&folder) {
            let tail = self.tails.entry(function.clone()).or_default();
            // A file that cannot be read now is tried again in the next call.
            let lines = tail.lines(&folder, &name).unwrap_or_default();
            entries.extend(lines.iter().filter_map(|line| parse(&function, line)));
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// Opens the folder again, because it may have been removed and created again. A folder that is not ours counts as
    /// missing.
    fn open(&self) -> Option<Directory> {
        self.folder.open_logs().ok().flatten()
    }
}

impl Tail {
    fn lines(&mut self, folder: &Directory, name: &str) -> std::io::Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let file = match &mut self.file {
                Some(file) => file,
                none => {
                    let file = folder.reading(name).map_err(Error::other)?;
                    none.insert(file.ok_or(ErrorKind::NotFound)?)
                }
            };
            if file.metadata()?.len() < file.stream_position()? {
                file.seek(SeekFrom::Start(0))?;
                self.begun.clear();
            }
            Read::take(&mut *file, MAX_READ).read_to_end(&mut self.begun)?;
            if self.begun.len() as u64 >= MAX_READ && !self.begun.contains(&b'\n') {
                // No line of ours is that long: the file came with an archive.
                self.begun.clear();
            }
            let own = file.metadata()?;
            let own = (own.dev(), own.ino());
            let complete = self.begun.iter().rposition(|byte| *byte == b'\n');
            if let Some(end) = complete {
                let rest = self.begun.split_off(end + 1);
                let text = String::from_utf8_lossy(&self.begun).into_owned();
                lines.extend(text.lines().map(str::to_owned));
                self.begun = rest;
            }
            match folder.identity(name) {
                // Another file has its name now: this one has been read to its end.
                Ok(Some(there)) if there != own => {
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

    fn logs() -> (Folder, LocalLogs) {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::new(root.path().join(".chatctl/chat"));
        let logs = LocalLogs::new(state.clone());
        (Folder(root, state.make_logs().unwrap()), logs)
    }

    /// A folder of logs in a temporary one.
    struct Folder(tempfile::TempDir, Directory);

    fn append(folder: &Folder, function: &str, text: &str) {
        let mut file = folder.1.appending(&format!("{function}.log")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn messages(entries: Vec<LogEntry>) -> Vec<String> {
        entries.into_iter().map(|entry| entry.message).collect()
    }

    #[test]
    fn lines_of_several_functions_are_ordered_by_time() {
        let (folder, mut logs) = logs();
        append(&folder, "A", "1 s function one\n3 s platform three\n");
        append(&folder, "B", "2 s function two\nno line of ours\n");
        assert_eq!(messages(logs.so_far()), ["one", "two", "three"]);
        assert!(logs.news().is_empty());
    }

    #[test]
    fn an_unfinished_line_is_left_until_its_end_is_written() {
        let (folder, mut logs) = logs();
        append(&folder, "A", "1 s function on");
        assert!(logs.news().is_empty());
        append(&folder, "A", "e\n2 s function tw");
        assert_eq!(messages(logs.news()), ["one"]);
    }

    #[test]
    fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let (folder, mut logs) = logs();
        append(&folder, "A", "1 s function one\n");
        assert_eq!(messages(logs.news()), ["one"]);
        append(&folder, "A", "2 s function two\n");
        folder.1.rename("A.log", "A.log.1").unwrap();
        append(&folder, "A", "3 s function three\n");
        assert_eq!(messages(logs.news()), ["two", "three"]);
        let state = StateFolder::new(folder.0.path().join(".chatctl/chat"));
        let mut from_the_start = LocalLogs::new(state);
        assert_eq!(messages(from_the_start.so_far()), ["one", "two", "three"]);
    }

    #[test]
    fn emptied_and_removed_files_are_read_from_their_beginning() {
        let (folder, mut logs) = logs();
        append(&folder, "A", "1 s function a line of some length\n");
        logs.news();
        let path = folder.1.path().join("A.log");
        std::fs::write(&path, "2 s function short\n").unwrap();
        assert_eq!(messages(logs.news()), ["short"]);
        std::fs::remove_file(&path).unwrap();
        assert!(logs.news().is_empty());
        append(&folder, "A", "3 s function back\n");
        assert_eq!(messages(logs.news()), ["back"]);
    }
}
