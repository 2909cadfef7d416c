//! The functions' logs: one file each, renamed away once it has grown enough.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Mutex;

use chatctl_local::LogLine;

/// A file that has grown past this becomes `NAME.log.1`, and the one before that goes.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

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
        let text = format!("{} {}\n", line.stream, line.text);
        let mut open = self.open.lock().expect("no holder of this lock panics");
        let full = open
            .get(&line.function)
            .is_some_and(|(_, size)| *size > MOST_BYTES);
        if full || !open.contains_key(&line.function) {
            let path = self.folder.join(format!("{}.log", line.function));
            if full {
                drop(std::fs::rename(&path, path.with_extension("log.1")));
            }
            let made = DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.folder);
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
