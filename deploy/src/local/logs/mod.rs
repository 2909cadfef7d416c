//! Writes the functions' logs: one file each, renamed when it has grown to its limit.
//!
//! A line is `MILLISECONDS STREAM SOURCE TEXT`. The time is since the Unix epoch, and the source is `function` or
//! `platform`.

mod tail;

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use chatctl_local::{LogLine, LogSource};

use super::folder::StateFolder;
use crate::directory::Directory;
use crate::engine::TargetError;
use crate::stack::logs::LogEntry;
pub use tail::LocalLogs;

/// The size in bytes beyond which a file becomes `NAME.log.1`, replacing the previous one.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The last line of each log of the stack in `folder`, by function.
pub(super) fn ends(folder: &StateFolder) -> Vec<(String, String)> {
    let Ok(Some(folder)) = folder.open_logs() else {
        return Vec::new();
    };
    let mut ends: Vec<_> = files(&folder)
        .into_iter()
        .filter_map(|(function, name)| {
            let text = folder.read(&name).ok()??;
            let text = String::from_utf8_lossy(&text);
            let line = text.lines().last()?;
            Some((function, words(line)?.text.to_owned()))
        })
        .collect();
    ends.sort();
    ends
}

/// Converts `line`, which a function has just written, to an entry.
pub(super) fn entry(line: &LogLine) -> LogEntry {
    let read = match line.source {
        LogSource::Platform => LogEntry::from_platform,
        _ => LogEntry::parse,
    };
    read(now(), &line.function, &line.stream, &line.text)
}

/// The log files in `folder`, each with its function.
fn files(folder: &Directory) -> Vec<(String, String)> {
    let names = folder
        .names()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| name.into_string().ok());
    let function = |name: &str| name.strip_suffix(END).map(str::to_owned);
    names
        .filter_map(|name| Some((function(&name)?, name)))
        .collect()
}

/// The suffix of log files.
const END: &str = ".log";

/// The suffix of a renamed, full log file.
const OLDER: &str = ".1";

/// The parts of a line.
struct Words<'a> {
    at: i64,
    stream: &'a str,
    platform: bool,
    text: &'a str,
}

/// Returns `None` for a line that is not ours, such as one that a crash cut off.
fn words(line: &str) -> Option<Words<'_>> {
    let mut words = line.splitn(4, ' ');
    let (at, stream, source) = (words.next()?, words.next()?, words.next()?);
    let platform = match source {
        "platform" => true,
        "function" => false,
        _ => return None,
    };
    Some(Words {
        at: at.parse().ok()?,
        stream,
        platform,
        text: words.next()?,
    })
}

fn parse(function: &str, line: &str) -> Option<LogEntry> {
    let words = words(line)?;
    let read = match words.platform {
        true => LogEntry::from_platform,
        false => LogEntry::parse,
    };
    Some(read(words.at, function, words.stream, words.text))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Log files of one stack, each created on the first write.
#[derive(Debug)]
pub(super) struct LogFiles {
    folder: StateFolder,
    open: Mutex<HashMap<String, (File, u64)>>,
}

impl LogFiles {
    pub(super) fn new(folder: StateFolder) -> Self {
        Self {
            folder,
            open: Mutex::default(),
        }
    }

    /// Appends `line` to its function's file. Failures are ignored, because a log must not stop a chat.
    pub(super) fn write(&self, line: &LogLine) {
        let source = match line.source {
            LogSource::Platform => "platform",
            _ => "function",
        };
        let text = format!("{} {} {source} {}\n", now(), line.stream, line.text);
        let mut open = self.open.lock().expect("no holder of this lock panics");
        let full = open
            .get(&line.function)
            .is_some_and(|(_, size)| *size > MAX_BYTES);
        if full || !open.contains_key(&line.function) {
            let Ok(file) = self.file(&line.function, full) else {
                return;
            };
            let size = file.metadata().map_or(0, |metadata| metadata.len());
            open.insert(line.function.clone(), (file, size));
        }
        if let Some((file, size)) = open.get_mut(&line.function)
            && file.write_all(text.as_bytes()).is_ok()
        {
            *size += text.len() as u64;
        }
    }

    /// The file for `function`'s next lines; a new one if the last one is `full`.
    fn file(&self, function: &str, full: bool) -> Result<File, TargetError> {
        let (folder, name) = (self.folder.make_logs()?, format!("{function}{END}"));
        if full {
            // If renaming fails, the file keeps growing.
            drop(folder.rename(&name, &format!("{name}{OLDER}")));
        }
        folder.appending(&name)
    }
}
