//! The functions' logs: one file each, renamed away once it has grown enough.
//!
//! A line is `MILLISECONDS STREAM SOURCE TEXT`: since the Unix epoch, `function` or `platform`.

mod tail;

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use chatctl_local::{LogLine, LogSource};

use crate::stack::logs::LogEntry;
pub(crate) use tail::LocalLogs;

/// A file that has grown past this becomes `NAME.log.1`, and the one before that goes.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// The last line of each log in `folder`, by function.
pub(super) fn ends(folder: &Path) -> Vec<(String, String)> {
    let mut ends: Vec<_> = files(folder)
        .into_iter()
        .filter_map(|(function, path)| {
            let text = std::fs::read(&path).ok()?;
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

/// The log files in `folder`, by function.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "log"));
    logs.filter_map(|path| Some((path.file_stem()?.to_string_lossy().into_owned(), path)))
        .collect()
}

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

/// Log files in one folder, made when first written to.
#[derive(Debug)]
pub(super) struct LogFiles {
    folder: PathBuf,
    open: Mutex<HashMap<String, (File, u64)>>,
}

impl LogFiles {
    pub(super) fn new(folder: PathBuf) -> Self {
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
            .is_some_and(|(_, size)| *size > MOST_BYTES);
        if full || !open.contains_key(&line.function) {
            let path = self.folder.join(format!("{}.log", line.function));
            if full {
                drop(std::fs::rename(&path, path.with_extension("log.1")));
            }
            // Not what is above it: a stack's folder that was removed must not be made anew.
            let made = match DirBuilder::new().mode(0o700).create(&self.folder) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
                made => made,
            };
            let file = made.and_then(|()| {
                OpenOptions::new()
                    .append(true)
                    .create(true)
                    .mode(0o600)
                    .open(&path)
            });
            let Ok(file) = file else { return };
            let size = file.metadata().map_or(0, |metadata| metadata.len());
            open.insert(line.function.clone(), (file, size));
        }
        if let Some((file, size)) = open.get_mut(&line.function)
            && file.write_all(text.as_bytes()).is_ok()
        {
            *size += text.len() as u64;
        }
    }
}
