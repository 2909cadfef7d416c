//! The functions' logs: one file each, renamed away once it has grown enough.
//!
//! A line is `MILLISECONDS STREAM SOURCE TEXT`: since the Unix epoch, `function` or `platform`.

mod tail;

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use chatctl_local::{LogLine, LogSource};

use super::directory::Directory;
use super::folder::StateFolder;
use crate::engine::TargetError;
use crate::stack::logs::LogEntry;
pub use tail::LocalLogs;

/// A file that has grown past this becomes `NAME.log.1`, and the one before that goes.
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

/// `line`, which now comes from a function, as an entry.
pub(super) fn entry(line: &LogLine) -> LogEntry {
    let read = match line.source {
        LogSource::Platform => LogEntry::of_platform,
        _ => LogEntry::parse,
    };
    read(now(), &line.function, &line.stream, &line.text)
}

/// The log files in `folder`, each with its function.
fn files(folder: &Directory) -> Vec<(String, String)> {
    let names = folder.names().unwrap_or_default().into_iter();
    let names = names.filter_map(|name| name.into_string().ok());
    let function = |name: &str| name.strip_suffix(END).map(str::to_owned);
    names
        .filter_map(|name| Some((function(&name)?, name)))
        .collect()
}

/// What the names of log files end with.
const END: &str = ".log";

/// What is appended to the name of a file that has grown enough.
const OLDER: &str = ".1";

/// The parts of a line.
struct Words<'a> {
    at: i64,
    stream: &'a str,
    platform: bool,
    text: &'a str,
}

/// `None` for what is no line of ours, such as one that was torn by a crash.
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
        true => LogEntry::of_platform,
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

/// Log files of one stack, made when first written to.
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

    /// Appends `line` to its function's file. A log that cannot be written must not stop a chat, so that is not
    /// an error.
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

    /// The file that `function`'s lines go to from now on; a new one when the last one is `full`.
    fn file(&self, function: &str, full: bool) -> Result<File, TargetError> {
        let (folder, name) = (self.folder.make_logs()?, format!("{function}{END}"));
        if full {
            // The file grows on where that fails.
            drop(folder.rename(&name, &format!("{name}{OLDER}")));
        }
        folder.appending(&name)
    }
}
